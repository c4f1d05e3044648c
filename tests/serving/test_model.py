from __future__ import annotations

import numpy as np

from serving.deadline import Deadline
from serving.model import InferAnswer, InferCall, RiskModel, V1Call


class Plain(RiskModel):
    """A model that has nothing but `infer`."""

    async def infer(self, call: InferCall) -> InferAnswer:
        """Nothing is computed."""
        return InferAnswer(dict(call.inputs))


async def test_a_model_needs_infer_only() -> None:
    """Ready, without v1 verbs, engine or anything to stop, unless it says otherwise."""
    model = Plain("m", "1", (), ())
    assert await model.ready()
    assert model.v1_verbs() == {}
    assert not model.engine
    await model.stop()


def test_v1_call_becomes_an_infer_call() -> None:
    """A v1 request keeps its identity, deadline and caller when it becomes arrays."""
    call = V1Call({}, "r", Deadline.after(5.0), {"traceparent": "t"}, lambda: True)
    arrays = call.infer_call({"x": np.zeros(1)}, {"a": 1})
    assert (arrays.request_id, arrays.deadline, arrays.forward) == ("r", call.deadline, call.forward)
    assert arrays.caller_gone()
    assert arrays.parameters == {"a": 1}
    assert call.infer_call({}).parameters == {}
