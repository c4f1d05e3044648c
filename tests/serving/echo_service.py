"""A service that answers its inputs, started as a process by the wire tests.

Request parameters tell it to misbehave: `sleep_s`, `fail` (a name in `_FAILURES`), `crash`, `ready`.
Response parameters tell what it saw: `cancelled` calls so far, `remaining_ms`, `forward`.
"""

from __future__ import annotations

import asyncio
import sys

import numpy as np
import orjson

from contract.errors import FeatureSchemaMismatch, Overloaded, PredictorUnavailable, ScoringFailed
from contract.tensors import TensorSpec
from serving.flags import given_flags
from serving.model import InferAnswer, InferCall, RiskModel, V1Call, V1Verb
from serving.server import RiskServer
from serving.settings import ServingSettings, read_settings

REQUIRED = (
    TensorSpec("values", "FP32", (-1, 2)),
    TensorSpec("ids", "INT64", (-1,)),
    TensorSpec("names", "BYTES", (-1,)),
)
OPTIONAL = tuple(
    TensorSpec(datatype.lower(), datatype, (-1,), required=False)
    for datatype in ("BOOL", "UINT8", "UINT64", "INT16", "FP16", "FP64")
)

_FAILURES = {
    "overloaded": Overloaded("the queue is full"),
    "schema": FeatureSchemaMismatch("other features"),
    "unavailable": PredictorUnavailable("downstream is away"),
    "scoring": ScoringFailed("the model raised"),
    "bug": ValueError("a secret of the server"),
}


class EchoModel(RiskModel):
    """Answers what it was sent; absent optional inputs come back empty."""

    platform = "echo"
    engine = True

    def __init__(self) -> None:
        super().__init__("echo", "7", REQUIRED + OPTIONAL, REQUIRED + OPTIONAL)
        self._cancelled = 0
        self._ready = True
        self._crash = asyncio.Event()

    async def ready(self) -> bool:
        return self._ready

    async def start_engine(self) -> None:
        await self._crash.wait()
        raise RuntimeError("the device is lost")

    async def infer(self, call: InferCall) -> InferAnswer:
        await self._misbehave(call)
        seen = {
            "cancelled": self._cancelled,
            "remaining_ms": int(call.deadline.remaining_s() * 1000),
            "forward": orjson.dumps(dict(call.forward)).decode(),
            "ratio": 0.5,
        }
        outputs = {spec.name: call.inputs.get(spec.name, np.empty((0,), spec.dtype)) for spec in self.outputs}
        return InferAnswer(outputs, seen)

    async def _misbehave(self, call: InferCall) -> None:
        self._ready = bool(call.parameters.get("ready", self._ready))
        if call.parameters.get("crash"):
            self._crash.set()
        if "fail" in call.parameters:
            raise _FAILURES[str(call.parameters["fail"])]
        try:
            await asyncio.sleep(float(call.parameters.get("sleep_s", 0)))
        except asyncio.CancelledError:
            self._cancelled += call.caller_gone()
            raise

    def v1_verbs(self) -> dict[str, V1Verb]:
        return {"predict": self._predict}

    async def _predict(self, call: V1Call) -> object:
        names = [instance["name"].encode() for instance in call.body["instances"]]
        inputs = {
            "values": np.zeros((len(names), 2), np.float32),
            "ids": np.arange(len(names)),
            "names": np.array(names, object),
        }
        answer = await self.infer(call.infer_call(inputs, call.body.get("parameters")))
        return {"predictions": [{"id": number} for number in answer.outputs["ids"].tolist()]}


def main() -> None:
    """Serve as a real service does."""
    settings = read_settings(ServingSettings, given_flags(sys.argv[1:]))
    RiskServer(settings).start([EchoModel()])


if __name__ == "__main__":
    main()
