"""What parameters of requests and tensors mean that Triton's extensions define: the same on REST and gRPC.

Those that only say how a tensor travels are read here, those that ask for an answer of another kind are
refused rather than answered with something else, and those that steer a scheduler have nothing to steer.
"""

from __future__ import annotations

from typing import Final

from contract.errors import InvalidTensors
from serving.model import Parameter, Parameters
from serving.tensor_contract import echo

BINARY_SIZE: Final = "binary_data_size"
BINARY_DATA: Final = "binary_data"
BINARY_OUTPUT: Final = "binary_data_output"

# Triton's clients send these with any request that asks for them; models here have no use for them.
_SCHEDULING: Final = frozenset(
    {"sequence_id", "sequence_start", "sequence_end", "priority", "timeout", "headers"}
)
_SCHEDULING_PREFIX: Final = "triton_"
_CLASSIFICATION: Final = "classification"
_SHARED_MEMORY: Final = "shared_memory_region"


def flag(parameters: Parameters, name: str, place: str, default: bool = False) -> bool:
    """A parameter that is true or false.

    >>> flag({}, "binary_data", "output ids", default=True), flag({"binary_data": False}, "binary_data", "")
    (True, False)

    Raises:
        InvalidTensors: it is anything else: "false" must not be read as true.
    """
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise InvalidTensors(f"{place}: expected {name} to be true or false, got {echo(value)}")
    return value


def check_input(parameters: Parameters, place: str) -> None:
    """Refuse an input whose data lies elsewhere.

    Raises:
        InvalidTensors: it is in shared memory.
    """
    if _SHARED_MEMORY in parameters:
        raise InvalidTensors(f"{place}: {_SHARED_MEMORY} is not offered, send the data with the request")


def output_is_binary(parameters: Parameters, place: str, default: bool) -> bool:
    """Whether REST answers an output as a binary tensor; gRPC always does.

    Raises:
        InvalidTensors: the answer is wanted in shared memory, or as classes instead of the tensor.
    """
    if _SHARED_MEMORY in parameters:
        raise InvalidTensors(f"{place}: {_SHARED_MEMORY} is not offered, outputs come with the answer")
    if parameters.get(_CLASSIFICATION):
        raise InvalidTensors(f"{place}: {_CLASSIFICATION} is not offered, outputs come as tensors")
    return flag(parameters, BINARY_DATA, place, default)


def without_scheduling(parameters: Parameters) -> dict[str, Parameter]:
    """The parameters of a request that are meant for its model.

    >>> without_scheduling({"method": "anchor", "priority": 1, "triton_enable_empty_final_response": True})
    {'method': 'anchor'}
    """
    return {name: value for name, value in parameters.items() if not _schedules(name)}


def _schedules(name: str) -> bool:
    return name in _SCHEDULING or name.startswith(_SCHEDULING_PREFIX)
