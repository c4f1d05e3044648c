"""Compare what a request declares with what its model declared: the one place for both protocols.

KServe hands a request to its model unseen; every name, datatype and shape is checked here before a
byte of data is decoded, so that a hostile shape never becomes an allocation.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from contract.errors import InvalidTensors
from contract.tensors import TensorSpec
from serving.model import InferAnswer, Parameter

# Names of callers are echoed in messages up to this length, so that an answer stays small.
_LONGEST_ECHO: Final = 80


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """One output to answer with, and whether REST sends it as a binary tensor."""

    spec: TensorSpec
    binary: bool = False


@dataclass(frozen=True, slots=True)
class V2Request:
    """One v2 request after decoding and checking; `request_id` is "" where the caller gave none."""

    inputs: dict[str, np.ndarray]
    outputs: tuple[OutputRequest, ...]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    request_id: str = ""


class TensorContract:
    """The declared inputs and outputs of one model."""

    def __init__(self, model: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> None:
        self._model = model
        self._inputs = {spec.name: spec for spec in inputs}
        self._outputs = {spec.name: spec for spec in outputs}
        self._required = [spec.name for spec in inputs if spec.required]
        self.all_outputs = tuple(OutputRequest(spec) for spec in outputs)

    def admit(self, name: str, datatype: str, shape: Sequence[int], taken: Collection[str]) -> TensorSpec:
        """The declaration of an input tensor that has this name, datatype and shape.

        Raises:
            InvalidTensors: an unknown or repeated name, another datatype, a shape that does not fit.
        """
        spec = self._inputs.get(name)
        if spec is None:
            expected = ", ".join(self._inputs)
            raise InvalidTensors(f"input {echo(name)}: {self._model} has no such input, expected {expected}")
        if name in taken:
            raise InvalidTensors(f"input {name}: given twice")
        if datatype != spec.datatype:
            raise InvalidTensors(f"input {name}: expected datatype {spec.datatype}, got {echo(datatype)}")
        if not spec.admits(tuple(shape)) or min(shape, default=0) < 0:
            raise InvalidTensors(f"input {name}: expected shape {list(spec.shape)}, got {echo(list(shape))}")
        return spec

    def require_all(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a request without an input that the model needs.

        Raises:
            InvalidTensors: names the first one that is missing.
        """
        for name in self._required:
            if name not in inputs:
                raise InvalidTensors(f"input {name}: missing")

    def output(self, name: str, taken: Collection[str]) -> TensorSpec:
        """The declaration of a requested output.

        Raises:
            InvalidTensors: an unknown or repeated name.
        """
        spec = self._outputs.get(name)
        if spec is None:
            expected = ", ".join(self._outputs)
            raise InvalidTensors(
                f"output {echo(name)}: {self._model} has no such output, expected {expected}"
            )
        if name in taken:
            raise InvalidTensors(f"output {name}: requested twice")
        return spec


def element_count(shape: Sequence[int]) -> int:
    """How many elements a tensor of this shape has; exact however large the axes claim to be."""
    return math.prod(shape)


def expect_count(spec: TensorSpec, shape: Sequence[int], count: int, counted: str = "elements") -> None:
    """Refuse data whose length is not what its shape says.

    Raises:
        InvalidTensors: says both lengths.
    """
    if count != element_count(shape):
        raise InvalidTensors(
            f"input {spec.name}: expected {element_count(shape)} {counted} "
            f"for shape {list(shape)}, got {count}"
        )


def answered(answer: InferAnswer, spec: TensorSpec) -> np.ndarray:
    """The model's output as declared, contiguous and of the declared datatype.

    Raises:
        RuntimeError: the model broke its own declaration.
    """
    array = answer.outputs.get(spec.name)
    if array is None or not spec.admits(array.shape):
        got = "nothing" if array is None else f"shape {array.shape}"
        raise RuntimeError(f"output {spec.name}: declared {list(spec.shape)}, answered {got}. This is a bug.")
    return np.ascontiguousarray(array, dtype=spec.dtype)


def echo(value: object) -> str:
    """What a caller sent, short enough to send back.

    >>> echo("domain"), len(echo("x" * 10_000))
    ("'domain'", 81)
    """
    text = repr(value)
    return text if len(text) <= _LONGEST_ECHO else f"{text[:_LONGEST_ECHO]}…"
