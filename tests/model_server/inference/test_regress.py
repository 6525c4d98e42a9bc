"""PredictionService.Regress: which signatures can, what is checked in which order."""

import grpc
import pytest
from tensorflow_serving.apis import input_pb2, regression_pb2

from tests.model_server.client import Client, example, examples, model_spec
from tests.model_server.inference.test_classify import signature_text

X = examples(0.25, -3.0)


def request(
    signature_name: str, given: input_pb2.Input = X, name: str = "heads", **spec: object
) -> regression_pb2.RegressionRequest:
    """A request for this signature of `heads`."""
    spec_ = model_spec(name=name, signature_name=signature_name, **spec)
    return regression_pb2.RegressionRequest(model_spec=spec_, input=given)


def refusal(client: Client, asked: regression_pb2.RegressionRequest) -> tuple[str, str]:
    """Code and message of the error that the server answers."""
    with pytest.raises(grpc.RpcError) as caught:
        client.regress(asked)
    return caught.value.code().name, caught.value.details()


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("regress", id="a vector"),
        pytest.param("column", id="a column, its method name does not matter"),
    ],
)
def test_answers_a_number_for_each_example(client: Client, signature: str) -> None:
    response = client.regress(request(signature))
    assert [one.value for one in response.result.regressions] == [0.5, -6]
    assert response.model_spec == model_spec(name="heads", version=1, signature_name=signature)


def test_the_spec_chooses_the_version(client: Client) -> None:
    for version in (1, 2):
        response = client.regress(request("regress", name="toy", version=version))
        assert [one.value for one in response.result.regressions] == [0.5 + version, -6 + version]


def test_a_context_is_merged_into_each_example(client: Client) -> None:
    given = input_pb2.Input()
    given.example_list_with_context.context.CopyFrom(example(x=0.25))
    given.example_list_with_context.examples.extend([example(), example(x=0.5)])
    assert [one.value for one in client.regress(request("regress", given)).result.regressions] == [0.5, 1]


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        pytest.param(regression_pb2.RegressionRequest(input=X), "INVALID_ARGUMENT", "Missing ModelSpec", id="no spec"),
        pytest.param(
            request("regress", name="ghost"),
            "NOT_FOUND",
            "Servable not found for request: Latest(ghost)",
            id="unknown model",
        ),
        pytest.param(
            request("nope"), "INVALID_ARGUMENT", "No signature was found with the name: nope", id="unknown signature"
        ),
        pytest.param(
            request("", name="toy"),
            "INVALID_ARGUMENT",
            "No regression inputs found in SignatureDef: ",
            id="no name is serving_default",
        ),
        pytest.param(request("two_inputs"), "INVALID_ARGUMENT", "Expected one input Tensor.", id="two inputs"),
        pytest.param(
            request("classify", input_pb2.Input()),
            "INVALID_ARGUMENT",
            "Expected one output Tensor.",
            id="two outputs, checked before the input",
        ),
        pytest.param(request("regress", input_pb2.Input()), "INVALID_ARGUMENT", "Input is empty.", id="no input"),
        pytest.param(request("regress", examples()), "INVALID_ARGUMENT", "Input is empty.", id="no examples"),
        pytest.param(
            request("wide"),
            "INVALID_ARGUMENT",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,2]",
            id="two numbers for each example",
        ),
        pytest.param(
            request("deep"),
            "INVALID_ARGUMENT",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [2,1,1]",
            id="a dimension too many",
        ),
        pytest.param(
            request("one_number"),
            "INVALID_ARGUMENT",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got []",
            id="one number for all",
        ),
        pytest.param(
            request("few_outputs"),
            "INVALID_ARGUMENT",
            "Input batch size did not match output batch size: 2 vs. 1",
            id="an answer for one example only",
        ),
        pytest.param(
            request("double"),
            "INVALID_ARGUMENT",
            "Expected output Tensor of DT_FLOAT.  Got: DT_DOUBLE",
            id="another float type",
        ),
    ],
)
def test_refuses(client: Client, asked: regression_pb2.RegressionRequest, code: str, message: str) -> None:
    found = refusal(client, asked)
    assert (found[0], found[1][: len(message)]) == (code, message)
    # Only a signature may follow.
    assert found[1] == message or message.endswith("SignatureDef: ")


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        pytest.param("wrong_input_name", "No regression inputs found in SignatureDef: ", id="an input of another name"),
        pytest.param(
            "wrong_output_name", "No regression outputs found in SignatureDef: ", id="an output of another name"
        ),
    ],
)
def test_a_signature_of_other_names_is_shown(client: Client, signature: str, message: str) -> None:
    assert refusal(client, request(signature)) == ("INVALID_ARGUMENT", message + signature_text(client, signature, ""))


def test_with_the_check_the_method_name_counts_before_the_form(flagged_client: Client) -> None:
    assert [one.value for one in flagged_client.regress(request("regress")).result.regressions] == [0.5, -6]
    for signature, was in (("column", "predict"), ("two_inputs", "predict"), ("classify", "classify")):
        assert refusal(flagged_client, request(signature)) == (
            "INVALID_ARGUMENT",
            "Expected regression signature method_name to be tensorflow/serving/regress. "
            f"Was: tensorflow/serving/{was}",
        )
