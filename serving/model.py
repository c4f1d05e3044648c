"""What a service implements: a model that answers calls of named arrays.

Kept free of kserve, so that services and their tests see arrays and errors only; `serving.server`
registers a `RiskModel` with KServe.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from contract.errors import RiskError
from contract.tensors import TensorSpec
from serving.deadline import Deadline

Parameter: TypeAlias = str | int | float | bool
Parameters: TypeAlias = Mapping[str, Parameter]


def caller_waits() -> bool:
    """The presence of a caller that never goes: for calls outside a request."""
    return False


@dataclass(frozen=True, slots=True)
class InferCall:
    """One request, decoded and checked against the model's inputs.

    Fields:
        inputs       name -> array of the declared datatype; BYTES are object arrays of bytes; arrays may
                     be read-only views of the request; absent optional inputs have no entry
        parameters   request parameters of the v2 protocol
        forward      traceparent, tracestate and x-request-id to hand downstream, as far as the caller sent
                     them (x-request-id always, it falls back to the request id)
        caller_gone  whether nobody waits any more; cheap, ask before each costly step
    """

    inputs: Mapping[str, np.ndarray]
    parameters: Parameters = field(default_factory=dict)
    request_id: str = ""
    deadline: Deadline = field(default_factory=Deadline.never)
    forward: Mapping[str, str] = field(default_factory=dict)
    caller_gone: Callable[[], bool] = caller_waits


@dataclass(slots=True)
class InferAnswer:
    """Arrays by output name (BYTES as object arrays of bytes) and response parameters."""

    outputs: dict[str, np.ndarray]
    parameters: dict[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class V1Call:
    """One v1 request (`:predict`, `:explain`): its JSON object and the context of an `InferCall`."""

    body: Mapping[str, Any]
    request_id: str = ""
    deadline: Deadline = field(default_factory=Deadline.never)
    forward: Mapping[str, str] = field(default_factory=dict)
    caller_gone: Callable[[], bool] = caller_waits

    def infer_call(self, inputs: Mapping[str, np.ndarray], parameters: Parameters | None = None) -> InferCall:
        """The same request as named arrays, for a v1 verb that maps `instances` onto `infer`."""
        return InferCall(
            inputs, parameters or {}, self.request_id, self.deadline, self.forward, self.caller_gone
        )


@runtime_checkable
class RawCall(Protocol):
    """A request that a model took as it came off the wire; answered once, later calls do nothing."""

    deadline: Deadline

    def caller_gone(self) -> bool:
        """Whether nobody waits any more, also because the call was answered."""

    def answer(self, message: bytes, request_id: str = "") -> None:
        """Send a serialized ModelInferResponse without its id, and the request's own id if it had one."""

    def fail(self, error: RiskError) -> None:
        """Refuse the request."""


# Returns what orjson can dump; raises RiskError like `infer`.
V1Verb: TypeAlias = Callable[[V1Call], Awaitable[object]]


class RiskModel(ABC):
    """A model with declared tensors, served on both protocols.

    `infer` runs as a task on the event loop that is cancelled when the caller goes or its deadline
    passes: long computations belong in a thread. It raises `RiskError`s, which both protocols
    answer with their status; anything else is logged and answered 500 / INTERNAL.
    """

    platform = ""
    # True: `start_engine` runs beside the servers for as long as they serve; if it ends, the process does.
    engine = False
    # True: `take_raw` is offered every gRPC request first.
    takes_raw = False

    def __init__(
        self, name: str, version: str, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
    ) -> None:
        self.name = name
        self.version = version
        self.inputs = inputs
        self.outputs = outputs

    @abstractmethod
    async def infer(self, call: InferCall) -> InferAnswer:
        """Answer one call with every declared output; the front picks the requested ones."""

    def take_raw(self, message: bytes, call: RawCall) -> bool:  # noqa: ARG002 - for those who override
        """Take a serialized ModelInferRequest without a task, where it is in a form made for speed.

        Only on the thin front, and only where `takes_raw` is true. False leaves the request to `infer`,
        which must say the same of it.
        """
        return False

    async def ready(self) -> bool:
        """Whether the model can really answer now; asked by every probe, so it must be quick."""
        return True

    async def start_engine(self) -> None:  # noqa: B027 - a model without a queue has no engine
        """Work the queue until cancelled; only called where `engine` is true."""

    async def stop(self) -> None:  # noqa: B027 - nothing to free is the common case
        """Free the device and close clients; called once, after the last answer has left."""

    def v1_verbs(self) -> Mapping[str, V1Verb]:
        """Verbs of the v1 protocol by name ("predict", "explain"); absent ones are answered 404."""
        return {}
