"""Which ops the stock tensorflow_model_server 2.20 can run: TensorFlow's own, and those of TF Text that it links.

A model with any other op loads here, where the whole of TF Text is installed, and fails on the server.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from export.errors import CheckError

# TF Text's ops in //tensorflow_text:ops_lib at 2.20.0, which tensorflow_serving/model_servers/BUILD links. The Python
# package registers more (phrase, n-gram, split-merge and byte-split ops), which the server lacks.
LINKED_TEXT_OPS = frozenset(
    {
        "CaseFoldUTF8",
        "ConstrainedSequence",
        "FastBertNormalize",
        "FastWordpieceTokenizeWithOffsets",
        "MaxSpanningTree",
        "NormalizeUTF8",
        "NormalizeUTF8WithOffsetsMap",
        "RegexSplitWithOffsets",
        "RougeL",
        "SentencepieceDetokenizeOp",
        "SentencepieceIdToStringOp",
        "SentencepieceOp",
        "SentencepieceStringToIdOp",
        "SentencepieceTokenizeOp",
        "SentencepieceTokenizeWithOffsetsOp",
        "SentencepieceVocabSizeOp",
        "TFText>FastWordpieceDetokenize",
        "TFText>RoundRobinGenerateMasks",
        "TFText>RoundRobinTrim",
        "TFText>Utf8Binarize",
        "TFText>WhitespaceTokenizeWithOffsetsV2",
        "UnicodeScriptTokenizeWithOffsets",
        "WhitespaceTokenizeWithOffsets",
        "WordpieceTokenizeWithOffsets",
    }
)


def check_ops(saved_model: Path) -> None:
    """Looks at the graph and all its functions.

    Raises:
        CheckError: the stock server lacks some of the ops; names them.
    """
    parsed = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    used = set()
    for graph in (meta_graph.graph_def for meta_graph in parsed.meta_graphs):
        used |= {node.op for node in graph.node}
        used |= {node.op for function in graph.library.function for node in function.node_def}
    # tf.raw_ops lists TensorFlow's own ops, whatever other libraries have registered.
    unknown = sorted(op for op in used - LINKED_TEXT_OPS if not hasattr(tf.raw_ops, op))
    if unknown:
        raise CheckError(f"the stock tensorflow_model_server 2.20 has no op {', '.join(unknown)}")
