"""Predict over REST: row format (`instances`) or column format (`inputs`) in, `predictions` or `outputs` out."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_serving.apis import model_pb2

from model_server.errors import StatusError, invalid_argument
from model_server.inference.predict import DEFAULT_SIGNATURE
from model_server.metrics import metrics
from model_server.rest import json_tensors, rest_answers
from model_server.rest.json_parser import parse_object
from model_server.rest.json_reader import members
from model_server.rest.json_writer import value_text
from model_server.versions.server_core import ServerCore

ROWS, COLUMNS = "instances", "inputs"
SIGNATURE = "signature_name"

# DataType numbers of a signature's inputs, by alias.
Dtypes = Mapping[str, int]
Feeds = dict[str, np.ndarray]


def predict(core: ServerCore, spec: model_pb2.ModelSpec, body: bytes, timeout: float | None) -> str:
    """The JSON answer to a Predict request; `timeout` in seconds."""
    document = parse_object(body)
    name = signature_name(document)
    with core.acquire(spec) as servable:
        signature = servable.signatures.get(name or DEFAULT_SIGNATURE)
        if signature is None:
            raise invalid_argument(f'Serving signature name: "{name or DEFAULT_SIGNATURE}" not found in signature def')
        dtypes = {alias: info.dtype for alias, info in signature.definition.inputs.items()}
        if not dtypes:
            raise invalid_argument(f"Failed to get input map for signature: {name or 'DEFAULT'}")
        by_row = _is_by_row(document)
        feeds = _read_rows(document[ROWS], dtypes) if by_row else _read_columns(document[COLUMNS], dtypes)
        aliases = list(signature.output_names)
        start = time.perf_counter()
        values = signature.run(feeds, aliases, timeout)
        metrics.record_run(spec.name, "Predict", time.perf_counter() - start)
    outputs = dict(zip(aliases, values, strict=True))
    return rest_answers.rows(outputs) if by_row else rest_answers.columns(outputs)


def signature_name(document: Mapping[str, Any]) -> str:
    """The name that a request gives, empty if none."""
    name = document.get(SIGNATURE, "")
    if not isinstance(name, str):
        raise malformed(document, f"not formatted correctly. '{SIGNATURE}' key must be a string value.")
    return name


def malformed(document: Any, complaint: str) -> StatusError:
    """An error that quotes the document."""
    return invalid_argument(f"JSON Value: {value_text(document)} {complaint}")


def _is_by_row(document: Mapping[str, Any]) -> bool:
    if ROWS not in document:
        if COLUMNS not in document:
            raise invalid_argument(f"Missing '{COLUMNS}' or '{ROWS}' key")
        return False
    if COLUMNS in document:
        raise malformed(
            document, f"Not formatted correctly expecting only one of '{COLUMNS}' or '{ROWS}' keys to exist "
        )
    if not isinstance(document[ROWS], list):
        raise malformed(document, f"Expecting '{ROWS}' to be an list/array")
    if not document[ROWS]:
        raise malformed(document, f"No values in '{ROWS}' array")
    return True


def _read_columns(inputs: Any, dtypes: Dtypes) -> Feeds:
    if not _is_named(inputs):
        alias = _only(dtypes, "inputs is a plain value/list, but expecting an object as multiple input tensors")
        return {alias: json_tensors.read(inputs, dtypes[alias], alias)}
    feeds: Feeds = {}
    for alias, dtype in dtypes.items():
        if alias not in inputs:
            raise invalid_argument(f"Missing named input: {alias} in 'inputs' object.")
        feeds[alias] = json_tensors.read(inputs[alias], dtype, alias)
    return feeds


def _only(dtypes: Dtypes, complaint: str) -> str:
    if len(dtypes) > 1:
        raise invalid_argument(f"{complaint} required as per tensorinfo_map")
    return next(iter(dtypes))


def _read_rows(rows: list[Any], dtypes: Dtypes) -> Feeds:
    if not _is_named(rows[0]):
        alias = _only(dtypes, "instances is a plain list, but expecting list of objects as multiple input tensors")
        array = json_tensors.read_regular(rows, dtypes[alias])
        return {alias: _gather_values(rows, alias, dtypes[alias]) if array is None else array}
    if all(type(row) is dict and row.keys() == dtypes.keys() for row in rows):
        arrays = [json_tensors.read_regular([row[alias] for row in rows], dtype) for alias, dtype in dtypes.items()]
        feeds = {alias: array for alias, array in zip(dtypes, arrays, strict=True) if array is not None}
        if len(feeds) == len(dtypes):
            return feeds
    return _gather_objects(rows, dtypes)


def _gather_values(rows: list[Any], alias: str, dtype: int) -> np.ndarray:
    gathered = json_tensors.Gathered(dtype, alias)
    for position, row in enumerate(rows):
        if _is_named(row):
            raise invalid_argument(f"Expecting value/list but got object at item {position} of input list")
        try:
            gathered.add(row)
        except StatusError as error:
            raise _failed(f"{position} of '{ROWS}' list. Error: {error}") from None
    return gathered.array((len(rows),))


def _gather_objects(rows: list[Any], dtypes: Dtypes) -> Feeds:
    gathered = {alias: json_tensors.Gathered(dtype, alias) for alias, dtype in dtypes.items()}
    for position, row in enumerate(rows):
        if not _is_named(row):
            raise invalid_argument(f"Expecting object but got list at item {position} of input list")
        for name, value in members(row):
            try:
                if name not in gathered:
                    raise invalid_argument(f"JSON object: does not have named input: {name}")
                gathered[name].add(value)
            except StatusError as error:
                raise _failed(f"{position} key: {name} of '{ROWS}' list. Error: {error}") from None
        if row.keys() != dtypes.keys():
            names = ",".join(sorted(dtypes))
            raise _failed(f"{position} of '{ROWS}' list. JSON object: {value_text(row)} keys must be equal to: {names}")
    return {alias: values.array((len(rows),)) for alias, values in gathered.items()}


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not json_tensors.is_base64(value)


def _failed(detail: str) -> StatusError:
    return invalid_argument(f"Failed to process element: {detail}")
