"""The same model behind a plain KServe predictor, as KServe's documentation of custom models shows it.

    python -m load_tests.baselines.kserve_plain --model_dir DIR [KServe's own flags]

No batching, no checks, KServe's own ModelServer on REST and gRPC with its defaults.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server

from predictor.checkpoint import load


class PlainPredictor(Model):  # type: ignore[misc] # kserve is untyped
    """One request, one forward pass."""

    def __init__(self, name: str, model_dir: Path) -> None:
        super().__init__(name)
        self.model_dir = model_dir
        self.load()

    def load(self) -> bool:
        """Read the checkpoint."""
        self.model, _ = load(self.model_dir)
        self.ready = True
        return True

    async def predict(self, payload: InferRequest, *_headers: Any, **_more: Any) -> InferResponse:
        """Score the graphs of one request."""
        # A copy, since torch refuses the read-only arrays of raw inputs.
        tensors = {tensor.name: torch.from_numpy(tensor.as_numpy().copy()) for tensor in payload.inputs}
        with torch.inference_mode():
            scores = self.model.scores(tensors).numpy()
        outputs = []
        columns = {
            "category_scores": np.ascontiguousarray(scores[:, :-1]),
            "risk_score": 1.0 - scores[:, 0],
            "name_score": np.ascontiguousarray(scores[:, -1]),
        }
        for name, array in columns.items():
            output = InferOutput(name, list(array.shape), "FP32")
            output.set_data_from_numpy(array, binary_data=payload.from_grpc)
            outputs.append(output)
        return InferResponse(payload.id or str(uuid4()), self.name, outputs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(parents=[model_server.parser])
    parser.add_argument("--model_dir", type=Path, default=Path("models/dns-risk/2"))
    args, _ = parser.parse_known_args()
    ModelServer().start([PlainPredictor(args.model_name, args.model_dir)])
