"""Ops of a graph by what they are there for, in words that a person understands."""

import re

BETWEEN = "between the ops (scheduling)"
# The first that matches counts: name, pattern of the op's kind, pattern of the node's name.
_GROUPS = (
    ("text to word pieces", r"UnicodeTranscode|FastBert|Wordpiece|RoundRobinTrim|String", ""),
    ("handing over weights, constants, results", r"^(VarHandleOp|ReadVariableOp|Const|Identity|_Arg|_Retval|NoOp)", ""),
    # Two activations multiplied, not an activation and a weight.
    ("attention: products of rows", r"BatchMatMul|^Einsum", ""),
    ("matrix products with weights", "MatMul", ""),
    ("GELU", "Erf|Gelu", ""),
    ("GELU", "", r"/Gelu(_\d+)?/"),
    ("layer norm", "LayerNorm", ""),
    ("layer norm", "", r"/(moments|batchnorm|layer_norm|LayerNorm)(_\d+)?/"),
    ("attention: softmax", r"^_?\w*Softmax", ""),
    ("embeddings", "^ResourceGather", ""),
    (
        "moving data (transpose, reshape, cut, join)",
        r"Transpose|Reshape|^Shape|Slice|Concat|^Pack$|Unpack|Split|Pad|Tile|ExpandDims|Squeeze|Broadcast|Ragged|Gather|Scatter",
        "",
    ),
)
REST = "other arithmetic"
_KIND = re.compile(r"\S+ = (?P<kind>[^(\s]+)\(")


def group(kind: str, node: str) -> str:
    """What an op of this kind with this node name is there for."""
    for name, kinds, nodes in _GROUPS:
        if re.search(kinds, kind) and re.search(nodes, node):
            return name
    return REST


def kind_of(label: str) -> str:
    """The kind that a trace's timeline label names: `node = Kind(inputs)`, behind `[memory used]` where it is much."""
    found = _KIND.search(label)
    return found["kind"] if found else ""
