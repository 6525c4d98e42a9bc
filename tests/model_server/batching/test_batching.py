"""Batching: who runs together, who does not, and what everybody gets."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2

from tests.model_server import metrics_page
from tests.model_server.client import Client, examples, model_spec, predict_request
from tests.model_server.rest_client import Rest
from tests.model_server.scene import listed, model, write
from tests.model_server.toy import Publish
from tests.servers import is_embedded, model_server, run_model_server

# A minute is longer than any test: a batch runs when it is full, and never because time is up.
PATIENT = "batch_timeout_micros { value: 60000000 } "
# batching_params.pbtxt by model; all serve version 1 of the toy.
PARAMETERS = {
    "four": PATIENT + "max_batch_size { value: 4 } max_enqueued_batches { value: 1 }",
    "two": PATIENT + "max_batch_size { value: 2 }",
    "twin": PATIENT + "max_batch_size { value: 2 }",
    "padded": PATIENT + "max_batch_size { value: 2 } pad_variable_length_inputs: true",
    "allowed": "max_batch_size { value: 8 } allowed_batch_sizes: 4 allowed_batch_sizes: 8",
    "split": "max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
    "max_execution_batch_size { value: 2 }",
    "wide_split": "max_batch_size { value: 1000 } enable_large_batch_splitting { value: true } "
    "max_execution_batch_size { value: 2 } max_enqueued_batches { value: 2 }",
    "plain": None,
}


class Odd(tf.Module):
    """Signatures that cannot be batched."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def doubled(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.concat([x, x], 0)}

    @tf.function(input_signature=[])
    def constant(self) -> dict[str, tf.Tensor]:
        return {"y": tf.constant([1.0])}


class Served:
    """The server, and what to look at it with."""

    def __init__(self, client: Client, rest: Rest) -> None:
        self.client = client
        self.rest = rest

    def runs(self) -> float:
        """How many batches ran so far."""
        return metrics_page.read(self.rest).value("batching_session:wrapped_run_count")

    def start(self, name: str, *x: float, **spec: object) -> grpc.Future:
        """Predict, not waited for."""
        return self.client.start_predict(predict_request({"x": np.float32(x)}, name=name, **spec))


def answer(call: grpc.Future) -> list[float]:
    """The y of a call."""
    return list(call.result().outputs["y"].float_val)


def failure(call: grpc.Future) -> tuple[str, str]:
    """Code and message of a call that must fail."""
    error = call.exception()
    assert error is not None, call.result()
    return error.code().name, error.details()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, publish: Publish) -> Iterator[Served]:
    """A server with a model for each of PARAMETERS, and `odd`, all batched by parameters of their own."""
    folder = tmp_path_factory.mktemp("batched")
    for name, parameters in PARAMETERS.items():
        (folder / name).mkdir()
        directory = publish(folder / name, 1)
        if parameters is not None:
            (directory / "batching_params.pbtxt").write_text(parameters)
    odd = Odd()
    signatures = {"doubled": odd.doubled, "constant": odd.constant}
    tf.saved_model.save(odd, str(folder / "odd" / "1"), signatures=signatures)
    (folder / "odd" / "1" / "batching_params.pbtxt").write_text("max_batch_size { value: 8 }")
    config = write(folder / "models.config", listed(*(model(name, folder / name) for name in (*PARAMETERS, "odd"))))
    common, monitoring = folder / "batching.config", folder / "monitoring.config"
    # Of this file only the threads count.
    common.write_text("num_batch_threads { value: 2 } max_batch_size { value: 1 }")
    monitoring.write_text(metrics_page.CONFIG)
    flags = ["--enable_batching", f"--batching_parameters_file={common}", "--enable_per_model_batching_parameters"]
    with model_server(config, *flags, f"--monitoring_config_file={monitoring}", "--grpc_max_threads=256") as server:
        client = Client(server.address)
        yield Served(client, Rest(server.rest_port))
        client.close()


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([[2], [4], [6], [8]], id="four single rows"),
        pytest.param([[2, 4], [6], [8]], id="several rows each"),
        pytest.param([[2], [4, 6, 8]], id="one that fills it up"),
        pytest.param([[2, 4, 6, 8]], id="one that is a whole batch"),
    ],
)
def test_requests_run_together_and_each_gets_its_own_rows(served: Served, requests: list[list[float]]) -> None:
    before = served.runs()
    calls = [served.start("four", *request) for request in requests]
    assert [answer(call) for call in calls] == [[x / 2 + 1 for x in request] for request in requests]
    assert served.runs() == before + 1


def test_the_metrics_tell_of_rows_and_batches(served: Served) -> None:
    def counts() -> dict[str, float]:
        page = metrics_page.read(served.rest)
        names = ("input_batch_size_sum", "input_batch_size_count", "processed_batch_size_sum")
        found = {name: page.value(f"batching_session:{name}") for name in names}
        return found | {"waits": page.value("batching_session:queuing_latency_count", 'thread_pool_name=""')}

    before = counts()
    for call in [served.start("four", 1), served.start("four", 2, 3, 4)]:
        call.result()
    increase = {name: value - before[name] for name, value in counts().items()}
    assert increase == {
        "input_batch_size_sum": 4,
        "input_batch_size_count": 2,
        "processed_batch_size_sum": 4,
        "waits": 2,
    }


def test_models_do_not_mix(served: Served) -> None:
    before = served.runs()
    first, other = served.start("two", 2), served.start("twin", 20)
    assert (answer(served.start("two", 4)), answer(first)) == ([3], [2])
    assert not other.done()
    assert (answer(served.start("twin", 40)), answer(other)) == ([21], [11])
    assert served.runs() == before + 2


def test_output_filters_do_not_mix(served: Served) -> None:
    def start(text: str, *output_filter: str) -> grpc.Future:
        fields = {"name": "two", "signature_name": "text"}
        return served.client.start_predict(predict_request({"text": [text]}, output_filter, **fields))

    before = served.runs()
    lengths, both = start("a", "length"), start("bb", "length", "upper")
    assert start("ccc", "length").result().outputs["length"].int_val == [3]
    assert lengths.result().outputs["length"].int_val == [1]
    assert not both.done()
    # The order of the filter does not matter.
    assert start("dddd", "upper", "length").result().outputs["length"].int_val == [4]
    assert both.result().outputs["upper"].string_val == [b"BB"]
    assert served.runs() == before + 2


def test_classify_and_rest_are_batched_too(served: Served) -> None:
    before = served.runs()
    spec = model_spec(name="two", signature_name="classify")
    request = classification_pb2.ClassificationRequest(model_spec=spec, input=examples(0.25))
    waiting = served.client.call("PredictionService/Classify", request, classification_pb2.ClassificationResponse)
    page = served.rest.post("/v1/models/two:classify", '{"signature_name": "classify", "examples": [{"x": 0.5}]}')
    assert page.json() == {"results": [[["low", -0.5], ["high", 1.5]]]}
    classes = waiting.result().result.classifications[0].classes
    assert [(one.label, one.score) for one in classes] == [("low", -0.25), ("high", 1.25)]
    assert served.runs() == before + 1


def test_a_batch_is_padded_to_the_next_allowed_size(served: Served) -> None:
    labels = 'execution_batch_size="4"'
    before = metrics_page.read(served.rest)
    assert answer(served.start("allowed", 2)) == [2]
    after = metrics_page.read(served.rest)
    name = "batching_session:padding_size"
    assert after.value(f"{name}_sum", labels) == before.value(f"{name}_sum", labels) + 3
    assert after.value(f"{name}_count", labels) == before.value(f"{name}_count", labels) + 1


def test_padding_repeats_a_row_that_is_legal(served: Served) -> None:
    # 9 is below ten, as the signature demands; a row of zeros would be as well, one of rubbish would not.
    assert answer(served.start("allowed", 9, signature_name="boom")) == [9]


def test_a_request_may_have_no_rows(served: Served) -> None:
    assert answer(served.start("split")) == []


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
def test_a_large_request_is_split_and_put_together_again(served: Served, rows: int) -> None:
    before = served.runs()
    x = [2.0 * row for row in range(rows)]
    assert answer(served.start("split", *x)) == [row + 1 for row in range(rows)]
    assert served.runs() == before + -(-rows // 2)


def test_a_split_that_the_queue_cannot_hold_is_refused(served: Served) -> None:
    code, message = failure(served.start("wide_split", *range(5)))
    assert code == "UNAVAILABLE"
    assert message.startswith(
        "The batch scheduling queue to which this task was submitted is full; task size is 5 but scheduling capacity "
        "is only 4 (num_enqueued_batches=1, max_enqueued_batches=2, open_batch_size=0, "
    )


def test_a_full_queue_refuses(served: Served) -> None:
    waiting = served.start("four", 2)
    while True:
        # Until the first one has come, there is room for this one.
        late = served.start("four", 1, 2, 3, 4)
        if late.exception():
            break
    assert failure(late) == (
        "UNAVAILABLE",
        "The batch scheduling queue to which this task was submitted is full; currently 1 batches enqueued and "
        "max_enqueued_batches is 1",
    )
    assert answer(served.start("four", 4, 6, 8)) == [3, 4, 5]
    assert answer(waiting) == [2]


def test_inner_shapes_that_differ_fail_the_whole_batch(served: Served) -> None:
    calls = [
        served.client.start_predict(
            predict_request({"p": np.ones([1, size], "f"), "q": np.int64([1])}, name="two", signature_name="two")
        )
        for size in (2, 3)
    ]
    for call in calls:
        code, message = failure(call)
        assert code == "FAILED_PRECONDITION"
        assert message == (
            "Tensors with name 'two_p:0' from different tasks have different shapes and padding is turned off. "
            "Set pad_variable_length_inputs to true, or ensure that all tensors with the same name have equal "
            "dimensions starting with the first dim."
        )


def test_pad_variable_length_inputs_fills_up_with_the_first_element(served: Served) -> None:
    calls = [
        served.client.start_predict(
            predict_request({"p": np.float32([p]), "q": np.int64([q])}, name="padded", signature_name="two")
        )
        for p, q in (([5, 6], 1), ([1, 2, 3], 2))
    ]
    outputs = [call.result().outputs for call in calls]
    assert [list(output["sum"].float_val) for output in outputs] == [[5 + 6 + 5], [1 + 2 + 3]]
    assert [list(output["twice"].int64_val) for output in outputs] == [[2], [4]]


def test_an_error_of_the_run_reaches_all(served: Served) -> None:
    calls = [served.start("two", x, signature_name="boom") for x in (1, 20)]
    assert {failure(call)[0] for call in calls} == {"INVALID_ARGUMENT"}
    assert all("x must stay below ten" in failure(call)[1] for call in calls)


@pytest.mark.skipif(not is_embedded(), reason="the stock server lets it spoil the batch")
@pytest.mark.parametrize(
    ("poison", "message"),
    [
        pytest.param(np.float64([[1, 2, 3]]), "Expects arg[0] to be float but double is provided", id="dtype"),
        pytest.param(np.array([["a", "b", "c"]]), "Expects arg[0] to be float but string is provided", id="strings"),
        pytest.param(np.float32([1]), "In[0] and In[1] has different ndims: [1] vs. [3,2]", id="rank"),
    ],
)
def test_a_poisoned_request_fails_alone(served: Served, poison: np.ndarray, message: str) -> None:
    def start(value: np.ndarray) -> grpc.Future:
        return served.client.start_predict(predict_request({"a": value}, name="two", signature_name="project"))

    first = start(np.float32([[1, 2, 3]]))
    assert message in failure(start(poison))[1]
    assert not first.done()
    assert list(start(np.float32([[4, 5, 6]])).result().outputs["b"].float_val) == [15, 15]
    assert list(first.result().outputs["b"].float_val) == [6, 6]


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        pytest.param(
            predict_request({"z": np.float32(1)}, name="split", signature_name="scalar"),
            ("INVALID_ARGUMENT", "Batching Run() input tensors must have at least one dimension"),
            id="a scalar input",
        ),
        pytest.param(
            predict_request({"p": np.ones([2, 2], "f"), "q": np.int64([1])}, name="split", signature_name="two"),
            ("INVALID_ARGUMENT", "Batching Run() input tensors must have equal 0th-dimension size"),
            id="inputs of different size",
        ),
        pytest.param(
            predict_request({}, name="odd", signature_name="constant"),
            ("INVALID_ARGUMENT", "Batching Run() must have at least one input tensor"),
            id="no input",
        ),
        pytest.param(
            predict_request({"x": np.ones(9, "f")}, name="allowed"),
            ("INVALID_ARGUMENT", "Task size 9 is larger than maximum input batch size 8"),
            id="too many rows",
        ),
        pytest.param(
            predict_request({"x": np.ones(9, "f")}, name="split"),
            ("INVALID_ARGUMENT", "Task size 9 is larger than maximum input batch size 8"),
            id="too many rows, where batches are split",
        ),
        pytest.param(
            predict_request({"x": np.ones(2, "f")}, name="split", signature_name="count"),
            ("FAILED_PRECONDITION", "Batched output tensor has 0 dimensions"),
            id="a scalar output",
        ),
        pytest.param(
            predict_request({"x": np.ones(2, "f")}, name="odd", signature_name="doubled"),
            (
                "FAILED_PRECONDITION",
                "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes of the input "
                "tensors",
            ),
            id="an output of other size",
        ),
    ],
)
def test_what_cannot_be_batched_is_refused(served: Served, request_: object, refused: tuple[str, str]) -> None:
    assert failure(served.client.start_predict(request_)) == refused


def test_a_model_without_parameters_is_not_batched(served: Served) -> None:
    before = served.runs()
    request = predict_request({"z": np.float32(3)}, name="plain", signature_name="scalar")
    assert served.client.predict(request).outputs["w"].float_val == [9]
    assert answer(served.start("plain", 2)) == [2]
    assert served.runs() == before


def test_many_clients_get_their_own_rows(served: Served) -> None:
    # "split" has no timeout: a batch is whoever came while both threads were busy.
    calls = {(n, rows): served.start("split", *[n] * rows) for n in range(60) for rows in (1, 2, 5)}
    wrong = {}
    for (n, rows), call in calls.items():
        if call.exception():
            assert failure(call)[0] == "UNAVAILABLE"
        elif answer(call) != [n / 2 + 1] * rows:
            wrong[n, rows] = answer(call)
    assert not wrong


def test_the_global_file_holds_for_every_model(tmp_path: Path, publish: Publish) -> None:
    publish(tmp_path, 1)
    (tmp_path / "1" / "batching_params.pbtxt").write_text("no parameters at all")
    file = tmp_path / "batching.config"
    file.write_text(PATIENT + "max_batch_size { value: 2 }")
    flags = ["--model_name=toy", f"--model_base_path={tmp_path}", "--enable_batching"]
    with model_server(*flags, f"--batching_parameters_file={file}") as server:
        client = Client(server.address)
        first, second = (client.start_predict(predict_request({"x": np.float32([x])})) for x in (2, 4))
        assert (answer(first), answer(second)) == ([2], [3])
        client.close()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        pytest.param(
            "max_batch_size { value: 4 } allowed_batch_sizes: 2 allowed_batch_sizes: 8",
            "UNKNOWN: 1 servable(s) did not become available: {{{name: toy version: 1} due to error: INVALID_ARGUMENT: "
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 8; expected 4}, }",
            id="allowed sizes that end elsewhere",
        ),
        pytest.param(
            "allowed_batch_sizes: 2",
            "UNKNOWN: 1 servable(s) did not become available: {{{name: toy version: 1} due to error: INVALID_ARGUMENT: "
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 2; expected 1000}, }",
            id="allowed sizes without a maximum",
        ),
        pytest.param(
            "num_batch_threads { value: 0 }",
            "INVALID_ARGUMENT: num_batch_threads must be positive; was 0",
            id="no threads",
        ),
        pytest.param("max_batch_size: 4", "INVALID_ARGUMENT: Invalid protobuf file: '{file}'", id="no wrapper message"),
    ],
)
def test_parameters_that_cannot_be(tmp_path: Path, publish: Publish, parameters: str, message: str) -> None:
    publish(tmp_path, 1)
    file = tmp_path / "batching.config"
    file.write_text(parameters)
    flags = ["--port=1", "--model_name=toy", f"--model_base_path={tmp_path}", "--max_num_load_retries=0"]
    ended = run_model_server(*flags, "--enable_batching", f"--batching_parameters_file={file}")
    assert f"Failed to start server. Error: {message.replace('{file}', str(file))}\n" in ended.stdout
    assert ended.returncode == 255
