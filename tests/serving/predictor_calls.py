"""Call a predictor by `PredictorClient`: a script, as it imports kserve, which tritonclient cannot bear.

`python -m tests.serving.predictor_calls HOST:PORT` reads a list of calls as JSON from standard input, each
with `forward` and `deadline_s`, and writes what became of each: scores and parameters, or error and message.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import numpy as np

from contract.errors import RiskError
from contract.tensors import RISK_MODEL
from serving.deadline import Deadline
from serving.predictor_client import PredictorClient
from tests.graphs import random_graphs


async def _call(client: PredictorClient, call: dict[str, Any]) -> dict[str, Any]:
    graphs = random_graphs(np.random.default_rng(1), 2)
    seconds = call.get("deadline_s")
    deadline = Deadline.never() if seconds is None else Deadline.after(seconds)
    try:
        scored = await client.score(graphs, deadline, call.get("forward", {}))
    except RiskError as error:
        return {"error": type(error).__name__, "message": str(error)}
    return {
        "category_scores": scored.category_scores.tolist(),
        "risk_score": scored.risk_score.tolist(),
        "name_score": scored.name_score.tolist(),
        "parameters": dict(scored.parameters),
    }


async def main(host: str) -> None:
    """Make the calls one after another over one client."""
    client = PredictorClient(host, RISK_MODEL)
    told = {
        "ready": await client.ready(),
        "calls": [await _call(client, call) for call in json.load(sys.stdin)],
    }
    await client.close()
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
