"""Ask the transformer with KServe's own clients: a script, as kserve and tritonclient share no process.

Names and answers come as JSON on standard input; risk scores go as JSON by path to standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import InferResponse

from contract.tensors import RISK_MODEL


def request(names: list[str], answers: list[str], *, binary: bool) -> InferRequest:
    """The columns in JSON data or raw contents."""
    inputs = []
    for name, column in (("domain", names), ("answers", answers)):
        tensor = InferInput(name, [len(column)], "BYTES")
        values = np.array([text.encode() for text in column], object)
        tensor.set_data_from_numpy(values, binary_data=binary)
        inputs.append(tensor)
    return InferRequest(RISK_MODEL, inputs)


def risk(response: InferResponse) -> list[float]:
    """The scores of an answer."""
    output = next(output for output in response.outputs if output.name == "risk_score")
    return [float(score) for score in output.as_numpy()]


async def main(rest_url: str, grpc_target: str) -> None:
    """Score the same names on every path."""
    names, answers = json.load(sys.stdin)
    rest, scores = InferenceRESTClient(RESTConfig(protocol="v2", timeout=20)), {}
    for path, binary in (("rest json", False), ("rest binary", True)):
        asked = request(names, answers, binary=binary)
        scores[path] = risk(await rest.infer(rest_url, asked, model_name=RISK_MODEL))
    await rest.close()
    client = InferenceGRPCClient(grpc_target, timeout=20)
    scores["grpc"] = risk(await client.infer(request(names, answers, binary=True)))
    await client.close()
    sys.stdout.write(json.dumps(scores))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
