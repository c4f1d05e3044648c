"""Ask the echo service with KServe's own clients: a script, as kserve and tritonclient share no process."""

from __future__ import annotations

import asyncio
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import InferOutput


def request() -> InferRequest:
    """Two rows for the echo model, in raw contents."""
    values = InferInput("values", [2, 2], "FP32")
    values.set_data_from_numpy(np.arange(4, dtype=np.float32).reshape(2, 2), binary_data=True)
    ids = InferInput("ids", [2], "INT64")
    ids.set_data_from_numpy(np.array([7, -8]), binary_data=True)
    names = InferInput("names", [2], "BYTES")
    names.set_data_from_numpy(np.array([b"a", b"b"], object), binary_data=True)
    given = {"yes": True, "count": -3, "text": "t", "priority": 1}
    return InferRequest("echo", [values, ids, names], request_id="k", parameters=given)


def nothing() -> InferRequest:
    """No rows; over REST the client writes null for their data."""
    empty = []
    for name, shape, datatype, dtype in (
        ("values", [0, 2], "FP32", np.float32),
        ("ids", [0], "INT64", np.int64),
        ("names", [0], "BYTES", object),
    ):
        empty.append(InferInput(name, shape, datatype))
        empty[-1].set_data_from_numpy(np.empty(shape, dtype), binary_data=True)
    return InferRequest("echo", empty, request_id="n")


def check(outputs: list[InferOutput]) -> None:
    """The rows came back."""
    arrays = {output.name: output.as_numpy() for output in outputs}
    assert arrays["values"].tolist() == [[0, 1], [2, 3]], arrays
    assert arrays["ids"].tolist() == [7, -8], arrays


async def main(rest_url: str, grpc_target: str) -> None:
    """Health, readiness and inference over both protocols."""
    rest = InferenceRESTClient(RESTConfig(protocol="v2", timeout=20))
    questions = [await rest.is_server_ready(rest_url), await rest.is_server_live(rest_url)]
    questions.append(await rest.is_model_ready(rest_url, "echo"))
    check((await rest.infer(rest_url, request(), model_name="echo")).outputs)
    assert len((await rest.infer(rest_url, nothing(), model_name="echo")).outputs) == 9
    await rest.close()
    client = InferenceGRPCClient(grpc_target, timeout=20)
    questions += [await client.is_server_ready(), await client.is_server_live()]
    questions.append(await client.is_model_ready("echo"))
    check((await client.infer(request())).outputs)
    assert len((await client.infer(nothing())).outputs) == 9
    await client.close()
    sys.stdout.write(f"{questions}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
