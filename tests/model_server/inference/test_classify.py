"""PredictionService.Classify: which signatures can, what is fed, what is checked in which order."""

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import classification_pb2, get_model_metadata_pb2, input_pb2

from tests.model_server import heads
from tests.model_server.client import Client, example, examples, model_spec, predict_request

X = examples(0.25, -3.0)
NAMELESS = classification_pb2.ClassificationRequest(input=X)


def request(
    signature_name: str, given: input_pb2.Input = X, name: str = "heads", **spec: object
) -> classification_pb2.ClassificationRequest:
    """A request for this signature of `heads`."""
    spec_ = model_spec(name=name, signature_name=signature_name, **spec)
    return classification_pb2.ClassificationRequest(model_spec=spec_, input=given)


def refusal(client: Client, asked: classification_pb2.ClassificationRequest) -> tuple[str, str]:
    """Code and message of the error that the server answers."""
    with pytest.raises(grpc.RpcError) as caught:
        client.classify(asked)
    return caught.value.code().name, caught.value.details()


def rows(response: classification_pb2.ClassificationResponse) -> list[list[tuple[str, float]]]:
    """Labels and scores by example."""
    return [[(one.label, one.score) for one in row.classes] for row in response.result.classifications]


BOTH = [[("low", 0.75), ("high", 0.25)], [("low", 4), ("high", -3)]]


@pytest.mark.parametrize(
    ("signature", "answer"),
    [
        pytest.param("classify", BOTH, id="labels and scores"),
        pytest.param("classes_only", [[("low", 0), ("high", 0)]] * 2, id="without scores they are 0"),
        pytest.param(
            "scores_only", [[("", 0.75), ("", 0.25)], [("", 4), ("", -3)]], id="without labels they are empty"
        ),
        pytest.param("", BOTH, id="no name is serving_default, its method name does not matter"),
        pytest.param("no_columns", [[], []], id="no classes at all"),
    ],
)
def test_answers_a_row_for_each_example(client: Client, signature: str, answer: list[object]) -> None:
    assert rows(client.classify(request(signature))) == answer


@pytest.mark.parametrize("spec", [{}, {"version": 1}, {"version_label": "stable"}], ids=["none", "version", "label"])
def test_the_answer_names_model_version_and_signature(client: Client, spec: dict[str, object]) -> None:
    response = client.classify(request("classify", name="toy", **spec))
    version = 1 if spec else 2
    assert response.model_spec == model_spec(name="toy", version=version, signature_name="classify")
    assert rows(response)[0] == [("low", 0.75 - version), ("high", 0.25 + version)]


def test_the_default_signature_is_named_in_the_answer(client: Client) -> None:
    assert client.classify(request("")).model_spec.signature_name == "serving_default"


def test_a_context_is_merged_into_each_example_which_wins(client: Client) -> None:
    given = input_pb2.Input()
    given.example_list_with_context.context.CopyFrom(example(x=0.25, other=b"context"))
    given.example_list_with_context.examples.extend([example(), example(x=0.5)])
    assert rows(client.classify(request("classify", given))) == [
        [("low", 0.75), ("high", 0.25)],
        [("low", 0.5), ("high", 0.5)],
    ]


def with_context(*given: object) -> input_pb2.Input:
    """Examples after a context that has everything."""
    made = input_pb2.Input()
    made.example_list_with_context.context.CopyFrom(example(x=0.25))
    made.example_list_with_context.examples.extend(given)
    return made


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        pytest.param(NAMELESS, "INVALID_ARGUMENT", "Missing ModelSpec", id="no spec"),
        pytest.param(
            request("classify", name=""), "INVALID_ARGUMENT", "ModelSpec has no name specified.", id="no model name"
        ),
        pytest.param(
            request("classify", name="ghost"),
            "NOT_FOUND",
            "Servable not found for request: Latest(ghost)",
            id="unknown model",
        ),
        pytest.param(
            request("classify", version=9),
            "NOT_FOUND",
            "Servable not found for request: Specific(heads, 9)",
            id="unknown version",
        ),
        pytest.param(
            request("classify", version_label="nope"),
            "INVALID_ARGUMENT",
            "Unrecognized servable version label: nope",
            id="unknown label",
        ),
        pytest.param(
            request("nope", input_pb2.Input()),
            "INVALID_ARGUMENT",
            "No signature was found with the name: nope",
            id="the signature is looked up before the input is checked",
        ),
        pytest.param(
            request("two_inputs", input_pb2.Input()),
            "INVALID_ARGUMENT",
            "Expected one input Tensor.",
            id="the signature's form is checked before the input",
        ),
        pytest.param(
            request("three_outputs"),
            "INVALID_ARGUMENT",
            "Expected one or two output Tensors, found 3",
            id="more than two outputs",
        ),
        pytest.param(request("classify", input_pb2.Input()), "INVALID_ARGUMENT", "Input is empty.", id="no input"),
        pytest.param(request("classify", examples()), "INVALID_ARGUMENT", "Input is empty.", id="no examples"),
        pytest.param(
            request("classify", with_context()), "INVALID_ARGUMENT", "Input is empty.", id="a context without examples"
        ),
        pytest.param(
            request("flat_classes"),
            "INVALID_ARGUMENT",
            "Expected Tensor shape: [batch_size num_classes] but got [2]",
            id="labels without a class dimension",
        ),
        pytest.param(
            request("flat_scores"),
            "INVALID_ARGUMENT",
            "Expected Tensor shape: [batch_size num_classes] but got [2]",
            id="scores without a class dimension",
        ),
        pytest.param(
            request("deep_scores"),
            "INVALID_ARGUMENT",
            "Expected Tensor shape: [batch_size num_classes] but got [2,2,1]",
            id="scores with a dimension too many",
        ),
        pytest.param(
            request("number_classes"),
            "INVALID_ARGUMENT",
            "Expected classes Tensor of DT_STRING. Got: DT_INT64",
            id="labels that are numbers",
        ),
        pytest.param(
            request("double_scores"),
            "INVALID_ARGUMENT",
            "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE",
            id="scores of another float type",
        ),
        pytest.param(
            request("few_classes"),
            "INVALID_ARGUMENT",
            "Expected classes output batch size of 2. Got: 1",
            id="labels for one example only",
        ),
        pytest.param(
            request("few_scores"),
            "INVALID_ARGUMENT",
            "Expected scores output batch size of 2. Got: 1",
            id="scores for one example only",
        ),
        pytest.param(
            request("uneven"),
            "INVALID_ARGUMENT",
            "Tensors class and score should match in dim_size(1). Got 2 vs. 3",
            id="more scores than labels",
        ),
    ],
)
def test_refuses(client: Client, asked: classification_pb2.ClassificationRequest, code: str, message: str) -> None:
    assert refusal(client, asked) == (code, message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            example(x=2),
            "Name: <unknown>, Key: x, Index: 0.  Data types don't match. "
            "Data type: int64 but expected type: float\n\t [[",
            id="an int feature for a float one",
        ),
        pytest.param(
            example(other=2.0),
            "Name: <unknown>, Feature: x (data type: float) is required but could not be found.\n\t [[",
            id="a feature that is missing",
        ),
    ],
)
def test_what_an_example_must_hold_is_the_graphs_affair(client: Client, given: object, message: str) -> None:
    asked = request("classify", input_pb2.Input(example_list=input_pb2.ExampleList(examples=[given])))
    code, found = refusal(client, asked)
    assert code == "INVALID_ARGUMENT"
    assert found.startswith(message)


TEXT = """inputs {{
  key: "{input}"
  value {{
    name: "{input_tensor}"
    dtype: DT_STRING
    tensor_shape {{
      dim {{
        size: -1
      }}
    }}
  }}
}}
outputs {{
  key: "{output}"
  value {{
    name: "{output_tensor}"
    dtype: DT_FLOAT
    tensor_shape {{
      dim {{
        size: -1
      }}
{columns}    }}
  }}
}}
method_name: "tensorflow/serving/predict"
"""
COLUMNS = "      dim {\n        size: 2\n      }\n"


def signature_text(client: Client, name: str, columns: str) -> str:
    """A signature of `heads` with one input and one output, in the text format of the server's messages."""
    asked = get_model_metadata_pb2.GetModelMetadataRequest(
        model_spec=model_spec(name="heads"), metadata_field=["signature_def"]
    )
    signatures = get_model_metadata_pb2.SignatureDefMap()
    client.metadata(asked).metadata["signature_def"].Unpack(signatures)
    (input_, taken), (output, given) = [
        next(iter(infos.items()))
        for infos in (signatures.signature_def[name].inputs, signatures.signature_def[name].outputs)
    ]
    # Defaults that the export wrote would be printed first.
    assert not signatures.signature_def[name].defaults
    return TEXT.format(input=input_, input_tensor=taken.name, output=output, output_tensor=given.name, columns=columns)


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        pytest.param(
            "wrong_input_name_classify",
            "No classification inputs found in SignatureDef: ",
            id="an input of another name",
        ),
        pytest.param(
            "no_classes_or_scores",
            'Expected classification signature outputs to contain at least one of "classes" or "scores". '
            "Signature was: ",
            id="outputs of other names",
        ),
    ],
)
def test_a_signature_of_other_names_is_shown(client: Client, signature: str, message: str) -> None:
    text = signature_text(client, signature, COLUMNS)
    assert refusal(client, request(signature)) == ("INVALID_ARGUMENT", message + text)


def test_with_the_check_the_method_name_counts_before_the_form(flagged_client: Client) -> None:
    assert rows(flagged_client.classify(request("classify"))) == BOTH
    assert refusal(flagged_client, request("two_inputs")) == (
        "INVALID_ARGUMENT",
        "Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/predict",
    )
    assert refusal(flagged_client, request("regress")) == (
        "INVALID_ARGUMENT",
        f"Expected classification signature method_name to be {heads.CLASSIFY}. Was: {heads.REGRESS}",
    )
    assert refusal(flagged_client, request("nope"))[1] == "No signature was found with the name: nope"


def test_predict_runs_the_same_signature(client: Client) -> None:
    given = [each.SerializeToString() for each in X.example_list.examples]
    response = client.predict(predict_request({"inputs": given}, name="heads", signature_name="classify"))
    assert list(response.outputs["scores"].float_val) == [0.75, 0.25, 4, -3]
    assert np.array(response.outputs["classes"].string_val).tolist() == [b"low", b"high"] * 2
