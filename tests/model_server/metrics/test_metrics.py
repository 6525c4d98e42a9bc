"""The metrics page: names, kinds, labels, buckets, and which requests count where."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.inference_pb2 import InferenceTask, MultiInferenceRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tests.model_server import heads, metrics_page, warmup_records
from tests.model_server.client import Client, examples, model_spec, predict_request
from tests.model_server.metrics_page import Page
from tests.model_server.rest_client import Rest
from tests.model_server.toy import Publish
from tests.servers import ModelServer, free_port, model_server, run_model_server

SERVING = metrics_page.SERVING
KINDS = {
    ":tensorflow:cc:saved_model:load_attempt_count": "counter",
    ":tensorflow:cc:saved_model:load_latency": "counter",
    ":tensorflow:core:graph_runs": "counter",
    f"{SERVING}batching_session:queuing_latency": "histogram",
    f"{SERVING}batching_session:wrapped_run_count": "counter",
    f"{SERVING}mlmd_map": "gauge",
    f"{SERVING}model_warmup_latency": "histogram",
    f"{SERVING}model_warmup_records_read": "counter",
    f"{SERVING}request_count": "counter",
    f"{SERVING}request_example_count_total": "counter",
    f"{SERVING}request_example_counts": "histogram",
    f"{SERVING}request_latency": "histogram",
    f"{SERVING}request_log_count": "counter",
    f"{SERVING}runtime_latency": "histogram",
}
PREDICT = predict_request({"x": np.float32([2])})
SPECS = {name: model_spec(name="toy", signature_name=name) for name in ("classify", "regress")}
TASKS = [
    InferenceTask(model_spec=SPECS["classify"], method_name=heads.CLASSIFY),
    InferenceTask(model_spec=SPECS["regress"], method_name=heads.REGRESS),
]


class Served:
    """The server and its page."""

    def __init__(self, client: Client, rest: Rest, directory: Path) -> None:
        self.client = client
        self.rest = rest
        self.directory = directory

    def page(self) -> Page:
        """The metrics as they are now."""
        return metrics_page.read(self.rest)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Served]:
    """A server with `toy`, which has two warm-up records, and the metrics page at its usual path."""
    folder = tmp_path_factory.mktemp("measured")
    directory = publish(folder, 1)
    warmup_records.put(directory, [warmup_records.record(PREDICT)] * 2)
    config = folder / "monitoring.config"
    config.write_text(metrics_page.CONFIG)
    flags = ["--model_name=toy", f"--model_base_path={folder}", f"--monitoring_config_file={config}"]
    with model_server(*flags) as server:
        client = Client(server.address)
        yield Served(client, Rest(server.rest_port), directory)
        client.close()


def test_every_metric_has_its_type_line_in_order(served: Served) -> None:
    kinds = served.page().kinds
    assert KINDS.items() <= kinds.items()
    assert list(kinds) == sorted(kinds, key=lambda name: name.replace(":", "/"))


def test_every_line_has_the_format(served: Served) -> None:
    served.client.predict(PREDICT)
    name, label = r":[a-zA-Z0-9_:]+", r'[a-zA-Z_]+="[^"]*"'
    line = re.compile(rf"# TYPE {name} (counter|gauge|histogram)|{name}\{{({label}(,{label})*)?\}} [0-9.e+]+")
    text = served.page().text
    assert text.endswith("\n")
    assert [each for each in text.splitlines() if not line.fullmatch(each)] == []


@pytest.mark.parametrize(
    ("name", "labels", "first", "factor", "count"),
    [
        ("request_latency", 'model_name="toy",API="Predict",entrypoint="GRPC"', 10, 1.8, 33),
        ("runtime_latency", 'model_name="toy",API="Predict",runtime="TF1"', 10, 1.8, 33),
        ("request_example_counts", 'model="toy"', 1, 2, 15),
    ],
)
def test_histogram_buckets(served: Served, name: str, labels: str, first: float, factor: float, count: int) -> None:
    served.client.predict(PREDICT)
    served.client.classify(ClassificationRequest(model_spec=SPECS["classify"], input=examples(1.0, 2.0)))
    text = served.page().text
    found = re.findall(re.escape(f"{SERVING}{name}_bucket{{{labels},le=") + r'"(.*?)"\} (\d+)\n', text)
    bounds = []
    bound = float(first)
    for _ in range(count):
        bounds.append(f"{bound:g}")
        bound *= factor
    assert [limit for limit, _ in found] == [*bounds, "+Inf"]
    below = [int(value) for _, value in found]
    assert below == sorted(below)
    assert f"{SERVING}{name}_count{{{labels}}} {below[-1]}\n" in text


@pytest.mark.parametrize(
    ("ask", "increase"),
    [
        pytest.param(
            lambda served: served.client.predict(PREDICT),
            {
                'request_count{model_name="toy",status="OK"}': 1,
                'request_latency_count{model_name="toy",API="Predict",entrypoint="GRPC"}': 1,
                'runtime_latency_count{model_name="toy",API="Predict",runtime="TF1"}': 1,
            },
            id="Predict",
        ),
        pytest.param(
            lambda served: served.client.classify(
                ClassificationRequest(model_spec=SPECS["classify"], input=examples(1.0, 2.0))
            ),
            {
                'request_count{model_name="toy",status="OK"}': 1,
                'request_latency_count{model_name="toy",API="Classify",entrypoint="GRPC"}': 1,
                'runtime_latency_count{model_name="toy",API="Classify",runtime="TF1"}': 1,
                'request_example_count_total{model="toy"}': 2,
                'request_example_counts_count{model="toy"}': 1,
                'request_example_counts_sum{model="toy"}': 2,
                # A value that equals a bound is not below it.
                'request_example_counts_bucket{model="toy",le="2"}': 0,
                'request_example_counts_bucket{model="toy",le="4"}': 1,
            },
            id="Classify",
        ),
        pytest.param(
            lambda served: served.client.regress(RegressionRequest(model_spec=SPECS["regress"], input=examples(1.0))),
            {
                'request_count{model_name="toy",status="OK"}': 1,
                'request_latency_count{model_name="toy",API="Regress",entrypoint="GRPC"}': 1,
                'runtime_latency_count{model_name="toy",API="Regress",runtime="TF1"}': 1,
                'request_example_count_total{model="toy"}': 1,
            },
            id="Regress",
        ),
        pytest.param(
            lambda served: served.client.multi_inference(
                MultiInferenceRequest(tasks=TASKS, input=examples(1.0, 2.0, 3.0))
            ),
            {
                'request_example_count_total{model="toy"}': 3,
                'request_example_counts_count{model="toy"}': 1,
                'request_count{model_name="toy",status="OK"}': 0,
            },
            id="MultiInference, which counts examples only",
        ),
        pytest.param(
            lambda served: served.client.status(name="toy"),
            {'request_count{model_name="toy",status="OK"}': 0},
            id="GetModelStatus, which does not count",
        ),
        pytest.param(
            lambda served: served.client.start_predict(predict_request({}, name='no "such"\\model')).exception(),
            {r'request_count{model_name="no \"such\"\\model",status="NOT_FOUND"}': 1},
            id="a model that does not exist, under the name that was sent",
        ),
        pytest.param(
            lambda served: served.client.start_predict(predict_request({"x": [b"text"]})).exception(),
            {
                'request_count{model_name="toy",status="INVALID_ARGUMENT"}': 1,
                'request_latency_count{model_name="toy",API="Predict",entrypoint="GRPC"}': 0,
                'runtime_latency_count{model_name="toy",API="Predict",runtime="TF1"}': 0,
            },
            id="a run that fails, which has no latency",
        ),
        pytest.param(
            lambda served: served.rest.post("/v1/models/toy:predict", '{"instances": [1]}'),
            {
                'request_count{model_name="toy",status="OK"}': 1,
                'request_latency_count{model_name="toy",API="predict",entrypoint="REST"}': 1,
                'runtime_latency_count{model_name="toy",API="Predict",runtime="TF1"}': 1,
            },
            id="REST predict",
        ),
        pytest.param(
            lambda served: served.rest.get("/v1/models/toy"),
            {
                'request_count{model_name="toy",status="OK"}': 1,
                'request_latency_count{model_name="toy",API="",entrypoint="REST"}': 1,
            },
            id="a REST status page",
        ),
        pytest.param(
            lambda served: served.rest.get("/v1/models/ghost"),
            {
                'request_count{model_name="ghost",status="NOT_FOUND"}': 1,
                'request_latency_count{model_name="ghost",API="",entrypoint="REST"}': 0,
            },
            id="a REST request that fails",
        ),
        pytest.param(
            lambda served: served.page(),
            {'request_count{model_name="",status="OK"}': 0},
            id="the metrics page, which does not count",
        ),
    ],
)
def test_what_counts(served: Served, ask: Callable[[Served], Any], increase: dict[str, int]) -> None:
    def values() -> dict[str, float]:
        page = served.page()
        return {point: page.value(*point.removesuffix("}").split("{", 1)) for point in increase}

    before = values()
    ask(served)
    assert {point: value - before[point] for point, value in values().items()} == increase


def test_loading_and_warming_up_count(served: Served) -> None:
    page, path = served.page(), f'model_path="{served.directory}"'
    assert page.value("model_warmup_records_read", f'{path},status="OK"') == 2
    assert page.value("model_warmup_latency_count", f'{path},status="OK"') == 1
    assert f':tensorflow:cc:saved_model:load_attempt_count{{{path},status="success"}} 1\n' in page.text
    assert re.search(re.escape(f":tensorflow:cc:saved_model:load_latency{{{path}}} ") + "[1-9]", page.text)


def test_without_the_file_there_is_no_page(rest: Rest) -> None:
    assert rest.get(metrics_page.DEFAULT_PATH).status == 404


def test_the_page_may_be_elsewhere(flagged: ModelServer) -> None:
    rest = Rest(flagged.rest_port)
    assert (rest.get("/other").status, rest.get(metrics_page.DEFAULT_PATH).status) == (200, 404)


def test_the_page_must_be_enabled(frugal: ModelServer) -> None:
    rest = Rest(frugal.rest_port)
    assert (rest.get("/other").status, rest.get(metrics_page.DEFAULT_PATH).status) == (404, 404)


def test_a_file_that_does_not_parse_ends_the_start(tmp_path: Path, publish: Publish) -> None:
    publish(tmp_path, 1)
    file = tmp_path / "monitoring.config"
    file.write_text("prometheus { }")
    ports = [f"--port={free_port()}", f"--rest_api_port={free_port()}"]
    flags = ["--model_name=toy", f"--model_base_path={tmp_path}", f"--monitoring_config_file={file}"]
    ended = run_model_server(*ports, *flags)
    assert f"Failed to start server. Error: INVALID_ARGUMENT: Invalid protobuf file: '{file}'\n" in ended.stdout
    assert ended.returncode == 255
