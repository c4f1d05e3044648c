"""Score names with KServe's own REST client: python examples/kserve_client.py [HOST:PORT] [NAME…]."""

from __future__ import annotations

import asyncio
import os
import sys

import httpx
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

MODEL = "dns-risk"


async def main(address: str, names: list[str]) -> None:
    """Print each name with its score."""
    domain = InferInput("domain", [len(names)], "BYTES", data=names)
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=10))
    try:
        response = await client.infer(f"http://{address}", InferRequest(MODEL, [domain]), model_name=MODEL)
    finally:
        await client.close()
    outputs = {output.name: output.data for output in response.outputs}
    rows = zip(names, outputs["risk_score"], outputs["category"], outputs["status"], strict=True)
    for name, score, category, status in rows:
        print(f"{name}  {score:.4f}  {category}  {status}")


if __name__ == "__main__":
    given = sys.argv[1:] or [f"127.0.0.1:{os.environ.get('TRANSFORMER_REST_PORT', '8080')}"]
    try:
        asyncio.run(main(given[0], given[1:] or ["example.com", "xjw3k9qzt.example"]))
    except httpx.HTTPError as problem:
        sys.exit(f"no scores: {problem}")
