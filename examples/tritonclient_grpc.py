"""Score names over v2 gRPC: python examples/tritonclient_grpc.py [HOST:PORT] [NAME…]."""

from __future__ import annotations

import os
import sys

import numpy as np
import tritonclient.grpc as triton

MODEL = "dns-risk"


def main(address: str, names: list[str]) -> None:
    """Print each name with its score."""
    domain = triton.InferInput("domain", [len(names)], "BYTES")
    domain.set_data_from_numpy(np.array([name.encode() for name in names], dtype=object))
    with triton.InferenceServerClient(address) as client:
        # The timeout is the request's deadline: it travels to the predictor, too.
        result = client.infer(MODEL, [domain], client_timeout=2.0)
    outputs = (result.as_numpy(name) for name in ("risk_score", "category", "action", "status"))
    for name, score, category, action, status in zip(names, *outputs, strict=True):
        print(f"{name}  {score:.4f}  {category.decode()}  {action.decode()}  {status.decode()}")


if __name__ == "__main__":
    given = sys.argv[1:] or [f"127.0.0.1:{os.environ.get('TRANSFORMER_GRPC_PORT', '8081')}"]
    try:
        main(given[0], given[1:] or ["example.com", "xjw3k9qzt.example"])
    except triton.InferenceServerException as problem:
        sys.exit(f"no scores: {problem}")
