"""Reads a SavedModel directory into a session, by the steps and with the errors of the stock server's C++ loader.

`tf.compat.v1.saved_model.load` does the same steps, but it words errors differently and refuses a SavedModel without
variables.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.python.framework import importer, ops
from tensorflow.python.framework.errors_impl import OpError

from model_server.errors import Code, StatusError, failed_precondition, invalid_argument, not_found, unimplemented
from model_server.graph.session import Session
from model_server.process.runtime import load_text_ops

_log = logging.getLogger(__name__)

Signatures = Mapping[str, meta_graph_pb2.SignatureDef]


def check_directory(path: Path) -> None:
    """The walk over the files that the stock server does before a load, to estimate its memory."""
    if not path.exists():
        raise not_found(f"{path} not found")
    if not path.is_dir():
        raise failed_precondition(f"{path}; Not a directory")


def load(path: Path, tags: Sequence[str], config: ConfigProto) -> tuple[Session, Signatures]:
    """A session with variables restored and initialisers run, and every signature of the MetaGraph."""
    meta_graph = _meta_graph(_read(path), tags)
    session = Session(_import(meta_graph), config)
    assets = _assets(path, meta_graph)
    index = path / "variables" / "variables.index"
    if not index.exists():
        _log.info("The specified SavedModel has no variables; no checkpoints were restored. %s", index)
    elif meta_graph.saver_def.restore_op_name:
        checkpoint = {meta_graph.saver_def.filename_tensor_name: index.with_suffix("")}
        session.run_op(meta_graph.saver_def.restore_op_name, checkpoint | assets)
    if initialiser := _initialiser(meta_graph):
        session.run_op(initialiser, assets)
    return session, dict(meta_graph.signature_def)


def _read(path: Path) -> saved_model_pb2.SavedModel:
    if (path / "export.meta").exists():
        raise unimplemented("Session Bundle is deprecated and removed.")
    binary, text = path / "saved_model.pb", path / "saved_model.pbtxt"
    model = saved_model_pb2.SavedModel()
    if binary.exists():
        try:
            model.ParseFromString(binary.read_bytes())
        except DecodeError:
            raise StatusError(Code.DATA_LOSS, f"Can't parse {binary} as binary proto") from None
    elif text.exists():
        try:
            text_format.Parse(text.read_bytes(), model)
        except (text_format.ParseError, UnicodeDecodeError):
            raise StatusError(Code.DATA_LOSS, f"Can't parse {text} as text proto") from None
    else:
        raise not_found(
            "Specified file path does not appear to contain a SavedModel bundle (should have a file called "
            f"`saved_model.pb`)\nSpecified file path: {path}"
        )
    return model


def _meta_graph(model: saved_model_pb2.SavedModel, tags: Sequence[str]) -> meta_graph_pb2.MetaGraphDef:
    for candidate in model.meta_graphs:
        if set(candidate.meta_info_def.tags) == set(tags):
            return candidate
    raise not_found(
        f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }}. "
        "To inspect available tag-sets in the SavedModel, please use the SavedModel CLI: `saved_model_cli`"
    )


def _import(meta_graph: meta_graph_pb2.MetaGraphDef) -> ops.Graph:
    load_text_ops()
    graph = ops.Graph()
    try:
        with graph.as_default():
            importer.import_graph_def(
                meta_graph.graph_def, name="", producer_op_list=meta_graph.meta_info_def.stripped_op_list
            )
    except OpError as error:
        raise StatusError(Code(error.error_code), error.message) from None
    except ValueError as error:
        # Python's importer turns the runtime's status into this and drops the code.
        message = str(error)
        if "Op type not registered" in message:
            raise not_found(message) from None
        raise invalid_argument(message) from None
    return graph


def _assets(path: Path, meta_graph: meta_graph_pb2.MetaGraphDef) -> dict[str, Path]:
    files = list(meta_graph.asset_file_def)
    if not files:
        for packed in meta_graph.collection_def["saved_model_assets"].any_list.value:
            packed.Unpack(asset := meta_graph_pb2.AssetFileDef())
            files.append(asset)
    return {asset.tensor_info.name: path / "assets" / asset.filename for asset in files}


def _initialiser(meta_graph: meta_graph_pb2.MetaGraphDef) -> str:
    signature = meta_graph.signature_def.get("__saved_model_init_op")
    if signature is not None:
        return str(signature.outputs["__saved_model_init_op"].name).partition(":")[0]
    for key in ("saved_model_main_op", "legacy_init_op"):
        if key in meta_graph.collection_def:
            return str(meta_graph.collection_def[key].node_list.value[0]).partition(":")[0]
    return ""
