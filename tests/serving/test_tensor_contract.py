from __future__ import annotations

import numpy as np
import pytest

from contract.errors import InvalidTensors
from contract.tensors import TensorSpec
from serving.model import InferAnswer
from serving.tensor_contract import TensorContract, answered

SCORES = TensorSpec("scores", "FP32", (-1, 4))
CONTRACT = TensorContract("dns-risk", [SCORES, TensorSpec("extra", "INT64", (-1,), required=False)], [SCORES])


@pytest.mark.parametrize(
    ("name", "datatype", "shape", "reason"),
    [
        ("score", "FP32", [1, 4], "dns-risk has no such input, expected scores, extra"),
        ("s" * 10_000, "FP32", [1, 4], "has no such input"),
        ("extra", "INT64", [1], "given twice"),
        ("scores", "FP64", [1, 4], "expected datatype FP32, got 'FP64'"),
        ("scores", "FP32", [4], r"expected shape \[-1, 4\], got \[4\]"),
        ("scores", "FP32", [1, 5], r"expected shape \[-1, 4\], got \[1, 5\]"),
        ("scores", "FP32", [-1, 4], r"got \[-1, 4\]"),
        ("scores", "FP32", [1] * 10_000, "expected shape"),
    ],
)
def test_undeclared_tensors_are_refused(name: str, datatype: str, shape: list[int], reason: str) -> None:
    """A tensor that is not as declared is refused by name, with what was expected and what came, shortly."""
    with pytest.raises(InvalidTensors, match=reason) as refused:
        CONTRACT.admit(name, datatype, shape, {"extra"})
    assert len(str(refused.value)) < 250


def test_missing_input_is_named() -> None:
    """A required input that is missing is named; an optional one is not missed."""
    CONTRACT.require_all({"scores": None})
    with pytest.raises(InvalidTensors, match="input scores: missing"):
        CONTRACT.require_all({"extra": None})


@pytest.mark.parametrize(
    ("name", "reason"), [("risk", "no such output, expected scores"), ("scores", "twice")]
)
def test_unknown_and_repeated_outputs_are_refused(name: str, reason: str) -> None:
    """Outputs are asked for by their names, once."""
    with pytest.raises(InvalidTensors, match=reason):
        CONTRACT.output(name, {"scores"})


@pytest.mark.parametrize("outputs", [{}, {"scores": np.zeros((3, 3), np.float32)}])
def test_broken_declaration_is_a_bug(outputs: dict[str, np.ndarray]) -> None:
    """A model that does not answer what it declares is found out before its caller is misled."""
    with pytest.raises(RuntimeError, match="This is a bug"):
        answered(InferAnswer(outputs), SCORES)


def test_answers_get_the_declared_datatype() -> None:
    """A float64 result leaves as the FP32 it was declared, contiguous."""
    array = answered(InferAnswer({"scores": np.zeros((4, 2)).T}), SCORES)
    assert array.dtype == np.float32
    assert array.flags.c_contiguous
