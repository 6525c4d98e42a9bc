"""The whole way: dialogues, training, publishing, both servers, an answer; and a new version under traffic."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from export.__main__ import main as export
from gateway.settings.settings import Settings
from tests.servers import ROOT, Service, child_environment, free_port, service
from training.data.intents import INTENTS
from training.fit import classifier

QUESTION = "Will I be making my own pasta for this recipe or using the packaged store bought kind?"
# Asked over and over while versions change; of different lengths, so that batches mix them.
TRAFFIC = (QUESTION, "What's next?", "thanks, that is all for today", "ok")
CLIENTS = 4


@pytest.fixture
def stub(running: Service) -> prediction_service_pb2_grpc.PredictionServiceStub:
    with grpc.insecure_channel(f"127.0.0.1:{running.grpc_port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict_request(texts: list[str]) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "intent"
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts))
    return request


def test_http_answers_with_what_the_classifier_says(running: Service, quick_models: Path) -> None:
    trained = classifier.load(quick_models.parent / "classifier")
    for text, logits in zip(TRAFFIC, trained.logits(TRAFFIC), strict=True):
        status, answer = running.predict(text)
        probabilities = tf.nn.softmax(logits).numpy()
        assert status == 200
        assert answer["intent"] == INTENTS[probabilities.argmax()]
        assert answer["score"] == pytest.approx(float(probabilities.max()), abs=1e-4)
        assert answer["version"] == 1


def test_http_in_a_dialogue_answers_what_the_classifier_says_with_context(running: Service, quick_models: Path) -> None:
    known = [("student", "Shall I read the next step?"), ("teacher", ""), ("unknown", "How long in the oven?")]
    items = [{"text": QUESTION, "role": role, "previous": previous} for role, previous in known]
    status, answer = running.ask("/v1/predict", {"texts": [QUESTION, *items, "ok"], "top_k": len(INTENTS)})
    assert status == 200
    alone, *around, ok = ({each["intent"]: each["score"] for each in row["intents"]} for row in answer["results"])
    trained = classifier.load(quick_models.parent / "classifier")
    roles, previous = ["student", "teacher", ""], [previous for _, previous in known]
    for scores, logits in zip(around, trained.logits([QUESTION] * 3, roles, previous), strict=True):
        assert scores == pytest.approx(dict(zip(INTENTS, map(float, tf.nn.softmax(logits)), strict=True)), abs=1e-4)
        assert max(abs(scores[intent] - alone[intent]) for intent in INTENTS) > 1e-3, "the context is of use"
    # Beside them, and asked by another signature, a text alone is answered as ever.
    for scores, text in ((alone, QUESTION), (ok, "ok")):
        _, answer = running.ask("/v1/predict", {"text": text, "top_k": len(INTENTS)})
        # To 1e-6 by the model, and both are rounded to six decimals.
        expected = {each["intent"]: each["score"] for each in answer["result"]["intents"]}
        assert scores == pytest.approx(expected, abs=2.1e-6)


def test_grpc_answers_the_same_as_http(
    running: Service, stub: prediction_service_pb2_grpc.PredictionServiceStub
) -> None:
    answer = stub.Predict(predict_request(list(TRAFFIC)), timeout=30)
    indices = tf.make_ndarray(answer.outputs["label_index"])
    probabilities = tf.make_ndarray(answer.outputs["probabilities"])
    for row, text in enumerate(TRAFFIC):
        _, over_http = running.predict(text)
        assert INTENTS[indices[row]] == over_http["intent"]
        assert probabilities[row].max() == pytest.approx(over_http["score"], abs=1e-4)


def test_as_many_texts_as_the_gateway_takes_are_answered(running: Service) -> None:
    """More than the model server runs at once, by the configuration that is shipped."""
    texts = list(TRAFFIC) * (Settings().max_texts // len(TRAFFIC))
    status, answer = running.ask("/v1/predict", {"texts": texts})
    assert status == 200
    intents = [result["intent"] for result in answer["results"]]
    assert intents == [running.predict(text)[1]["intent"] for text in TRAFFIC] * (len(texts) // len(TRAFFIC))


def test_rows_of_one_grpc_batch_are_independent(stub: prediction_service_pb2_grpc.PredictionServiceStub) -> None:
    together = tf.make_ndarray(stub.Predict(predict_request(list(TRAFFIC)), timeout=30).outputs["probabilities"])
    alone = [
        tf.make_ndarray(stub.Predict(predict_request([text]), timeout=30).outputs["probabilities"]) for text in TRAFFIC
    ]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)


def test_new_version_takes_over_under_traffic_without_a_failed_request(
    quick_models: Path, tiny_classifier: Path, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(quick_models, models)
    with service(models, tmp_path / "state") as changing:
        answers = traffic_while_publishing(changing, tiny_classifier, models / "intent")
    assert {version for version, _ in answers} == {1, 2}
    for text in TRAFFIC:
        # A version's answer never changes, and never mixes with the other's: the tiny model knows next to nothing.
        first, second = answers[1, text], answers[2, text]
        assert max(first) - min(first) < 1e-4
        assert max(second) - min(second) < 1e-4
        assert abs(max(first) - max(second)) > 1e-3


def traffic_while_publishing(
    changing: Service, tiny_classifier: Path, models: Path
) -> dict[tuple[int, str], set[float]]:
    """Asks all the time until version 2 has answered every text; (version, text) -> scores. All must be 200."""
    statuses: list[int] = []
    answers: defaultdict[tuple[int, str], set[float]] = defaultdict(set)
    finished, saw_new = threading.Event(), threading.Event()

    def ask() -> None:
        while not finished.is_set():
            for text in TRAFFIC:
                status, answer = changing.predict(text)
                statuses.append(status)
                if status == 200:
                    answers[answer["version"], text].add(answer["score"])
            if all((2, text) in answers for text in TRAFFIC):
                saw_new.set()

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        assert export(["publish", "--classifier", str(tiny_classifier), "--models", str(models)]) == 0
        assert saw_new.wait(timeout=120)
    finally:
        finished.set()
        for client in clients:
            client.join()
    assert set(statuses) == {200}
    return answers


def test_make_serve_goes_the_whole_way_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    """As on a fresh machine: no model yet. The places, the ports and a shorter training are the test's own."""
    short = tmp_path / "bin" / "python"
    short.parent.mkdir()
    # The recipe takes a minute. One epoch of one layer over the same data goes the same way.
    short.write_text(
        '#!/bin/sh\nif [ "$2" = training ]; then set -- "$@" --encoder minilm:1 --epochs 1; fi\n'
        f'exec {shlex.quote(sys.executable)} "$@"\n'
    )
    short.chmod(0o755)
    ports = f"--port={free_port()} --grpc-port={free_port()} --rest-port={free_port()} --state={tmp_path / 'state'}"
    places = [
        f"MODELS={tmp_path / 'models'}",
        f"CLASSIFIERS={tmp_path / 'classifiers'}",
        f"START={ports}",
        f"BIN={short.parent}",
    ]
    # A terminal's Ctrl-C goes to make and to all that it started: a group of their own stands in for the terminal's.
    process = subprocess.Popen(
        ["make", "serve", *places],
        cwd=ROOT,
        env=child_environment(),
        text=True,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C stops both" in line:
                break
        result = json.loads(said[-2])["result"]
        assert result["intent"] in INTENTS
        assert 0 < result["score"] <= 1
        assert "published version 1" in "".join(said)
        os.killpg(process.pid, signal.SIGINT)
        # Read to the end: whoever still ran would hold the pipe open.
        assert process.stdout.read().endswith("serving_config: stopped\n")
        process.wait()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
