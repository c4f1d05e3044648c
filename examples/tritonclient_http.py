"""Score names over v2 REST with binary tensors: python examples/tritonclient_http.py [HOST:PORT] [NAME…]."""

from __future__ import annotations

import os
import sys

import numpy as np
import tritonclient.http as triton

MODEL = "dns-risk"


def main(address: str, names: list[str]) -> None:
    """Print each name with its score."""
    domain = triton.InferInput("domain", [len(names)], "BYTES")
    domain.set_data_from_numpy(np.array([name.encode() for name in names], dtype=object))
    outputs = [triton.InferRequestedOutput(name) for name in ("risk_score", "category", "status")]
    with triton.InferenceServerClient(address, network_timeout=10.0) as client:
        result = client.infer(MODEL, [domain], outputs=outputs, headers={"x-request-timeout-ms": "2000"})
    scores, categories, statuses = (result.as_numpy(output.name()) for output in outputs)
    for name, score, category, status in zip(names, scores, categories, statuses, strict=True):
        print(f"{name}  {score:.4f}  {category.decode()}  {status.decode()}")


if __name__ == "__main__":
    given = sys.argv[1:] or [f"127.0.0.1:{os.environ.get('TRANSFORMER_REST_PORT', '8080')}"]
    try:
        main(given[0], given[1:] or ["example.com", "xjw3k9qzt.example"])
    except (triton.InferenceServerException, OSError) as problem:
        sys.exit(f"no scores: {problem}")
