"""Ops by what they are there for."""

from types import SimpleNamespace

import pytest

from benchmarks.model import ops
from benchmarks.model.trace import by_group

LAYER = "StatefulPartitionedCall_1/StatefulPartitionedCall"


@pytest.mark.parametrize(
    ("kind", "node", "expected"),
    [
        ("_FusedMatMul", f"{LAYER}/BiasAdd_4", "matrix products with weights"),
        ("MatMul", f"{LAYER}/MatMul", "matrix products with weights"),
        ("BatchMatMulV2", f"{LAYER}/MatMul_2", "attention: products of rows"),
        ("Softmax", f"{LAYER}/Softmax", "attention: softmax"),
        ("Erfc", f"{LAYER}/Gelu/Erfc", "GELU"),
        ("Mul", f"{LAYER}/Gelu_2/mul_1", "GELU"),
        ("SquaredDifference", f"{LAYER}/moments_1/SquaredDifference", "layer norm"),
        ("AddV2", f"{LAYER}/batchnorm_6/add_1", "layer norm"),
        ("AddV2", f"{LAYER}/add_3", ops.REST),
        ("ReadVariableOp", f"{LAYER}/batchnorm_1/ReadVariableOp", "handing over weights, constants, results"),
        ("VarHandleOp", "layer_0/attention/layer_norm/beta", "handing over weights, constants, results"),
        ("FastWordpieceTokenizeWithOffsets", "FastWordpieceTokenizeWithOffsets", "text to word pieces"),
        ("TFText>RoundRobinTrim", "RoundRobinTrimmer/trim", "text to word pieces"),
        ("Transpose", f"{LAYER}/transpose_1", "moving data (transpose, reshape, cut, join)"),
        ("ResourceGather", f"{LAYER}/GatherV2", "embeddings"),
        ("", "unknown", ops.REST),
    ],
)
def test_an_op_is_named_for_its_purpose(kind: str, node: str, expected: str) -> None:
    assert ops.group(kind, node) == expected


def test_the_kind_is_read_from_the_label() -> None:
    assert ops.kind_of("a/b = _FusedMatMul(c, d)") == "_FusedMatMul"
    assert ops.kind_of("[cpu 1.2MB] a/b = Mul(c, d)") == "Mul"
    assert ops.kind_of("nothing") == ""


def test_what_passes_between_the_ops_is_shown() -> None:
    nodes = [_node("MatMul", start=0, spent=2_000_000), _node("Softmax", start=3_000_000, spent=1_000_000)]
    found = by_group(SimpleNamespace(step_stats=SimpleNamespace(dev_stats=[SimpleNamespace(node_stats=nodes)])))
    assert found == {
        "matrix products with weights": pytest.approx(2),
        "attention: softmax": pytest.approx(1),
        ops.BETWEEN: pytest.approx(1),
    }


def _node(kind: str, start: int, spent: int) -> SimpleNamespace:
    return SimpleNamespace(
        node_name=kind.lower(),
        timeline_label=f"{kind.lower()} = {kind}(x)",
        op_start_rel_nanos=0,
        op_end_rel_nanos=spent,
        all_start_nanos=start,
        all_end_rel_nanos=spent,
    )
