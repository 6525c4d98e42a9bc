"""How Predict's answers are written over REST: numbers, bytes, layout."""

import base64

import pytest

from tests.model_server.rest_client import Rest, predict_body, refusal

TOY, LAYOUTS = "/v1/models/toy:predict", "/v1/models/layouts:predict"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9000000.0, "9e+06"),
        (0.00003, "3e-05"),
        (1435774380.0, "1.43577434e+09"),
        (999999.0, "999999.0"),
        (555557.5, "555557.5"),
        (123456.789, "123456.789"),
        (16777216.0, "16777216.0"),
        (1.0000001, "1.00000012"),
        (-0.0, "-0.0"),
        (1e-45, "1.4013e-45"),
    ],
)
def test_floats_have_six_digits_or_nine(rest: Rest, value: float, text: str) -> None:
    answer = rest.post(TOY, predict_body("float32", inputs=value))
    assert answer.text == f'{{\n    "outputs": {text}\n}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [(9000000.0, "9e+06"), (0.1, "0.1"), (2 / 3, "0.66666666666666663"), (1e22, "1e+22"), (1234567.0, "1234567.0")],
)
def test_doubles_have_six_digits_or_seventeen(rest: Rest, value: float, text: str) -> None:
    assert rest.post(TOY, predict_body("float64", inputs=value)).text == f'{{\n    "outputs": {text}\n}}'


HI = base64.b64encode(b"hi").decode()


def test_outputs_named_bytes_are_base64(rest: Rest) -> None:
    answer = rest.post(LAYOUTS, predict_body("strings", instances=["hi", ""]))
    assert answer.json() == {
        "predictions": [{"text": "hi", "text_bytes": {"b64": HI}}, {"text": "", "text_bytes": {"b64": ""}}]
    }


def test_layout_of_base64_in_rows(rest: Rest) -> None:
    answer = rest.post(LAYOUTS, predict_body("only_bytes", instances=[["hi"], ["hi"]]))
    item = f'[{{\n                "b64": "{HI}"\n            }}]'
    assert answer.text == f'{{\n    "predictions": [{item}, {item}\n    ]\n}}'


def test_layout_of_base64_in_columns(rest: Rest) -> None:
    answer = rest.post(LAYOUTS, predict_body("only_bytes", inputs=["hi"]))
    assert answer.text == f'{{\n    "outputs": [\n        {{\n            "b64": "{HI}"\n        }}\n    ]\n}}'


def test_layout_of_several_outputs_in_rows(rest: Rest) -> None:
    answer = rest.post(LAYOUTS, predict_body("deep", instances=[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]))
    deep = [f'            "deep": {text}' for text in ("[[1, 2], [3, 4]]", "[[5, 6], [7, 8]]")]
    sums = [f'            "sums": {text}' for text in ("[3, 7]", "[11, 15]")]
    lines = sorted(line.rstrip(",") for line in answer.text.split("\n"))
    frame = ["{", '    "predictions": [', "        {", "        }", "        {", "        }", "    ]", "}"]
    assert lines == sorted([*frame, *deep, *sums])


def test_layout_of_nested_columns(rest: Rest) -> None:
    answer = rest.post(TOY, predict_body("int32", inputs=[[[1, 2]], [[3, 4]]]))
    blanks = [" " * 4 * depth for depth in range(5)]
    assert answer.text == "\n".join(
        [
            "{",
            blanks[1] + '"outputs": [',
            *(
                line
                for pair, comma in (((1, 2), ","), ((3, 4), ""))
                for line in (
                    blanks[2] + "[",
                    blanks[3] + "[",
                    f"{blanks[4]}{pair[0]},",
                    f"{blanks[4]}{pair[1]}",
                    blanks[3] + "]",
                    blanks[2] + "]" + comma,
                )
            ),
            blanks[1] + "]",
            "}",
        ]
    )


def test_no_rows_out(rest: Rest) -> None:
    assert rest.post(LAYOUTS, predict_body("no_rows", instances=[1])).text == '{\n    "predictions": []\n}'


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        pytest.param("sum", "Tensor name: sum has no shape information ", id="no batch dimension"),
        pytest.param("half_out", "Failed to write JSON value for tensor type: half", id="no such type in JSON"),
    ],
)
def test_an_output_that_has_no_rows(rest: Rest, signature: str, message: str) -> None:
    assert refusal(rest.post(LAYOUTS, predict_body(signature, instances=[1, 2]))) == (400, message)


def test_outputs_of_different_lengths_have_no_rows(rest: Rest) -> None:
    status, message = refusal(rest.post(LAYOUTS, predict_body("uneven", instances=[1, 2])))
    # Whichever output comes first.
    assert (status, message) in {
        (400, "Tensor name: first has inconsistent batch size: 1 expecting: 2"),
        (400, "Tensor name: all has inconsistent batch size: 2 expecting: 1"),
    }


def test_columns_may_be_of_any_shape(rest: Rest) -> None:
    assert rest.post(LAYOUTS, predict_body("uneven", inputs=[1, 2])).json() == {
        "outputs": {"all": [1, 2], "first": [1]}
    }
    assert rest.post(LAYOUTS, predict_body("sum", inputs=[1, 2])).json() == {"outputs": 3.0}
