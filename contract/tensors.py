"""Names, datatypes and axes of every tensor, declared once.

Nobody spells ``"node_features"`` twice: metadata, decoding and checks read these tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

RISK_MODEL: Final = "dns-risk"
FEATURES_MODEL: Final = "domain-features"
CATEGORIES: Final = ("benign", "dga", "malware", "phishing")
ACTIONS: Final = ("allow", "monitor", "block")
STATUS_OK: Final = "ok"
# How the status of a name begins that was scored without what came with it, or without the predictor.
ANSWERS_IGNORED: Final = "answers ignored"
LEXICAL_ONLY: Final = "lexical only"
# Every other status says why a name was not scored.
SCORED_STATUSES: Final = (STATUS_OK, ANSWERS_IGNORED, LEXICAL_ONLY)
# The method of the v2 protocol's gRPC service that every model is asked by.
INFER_METHOD: Final = "/inference.GRPCInferenceService/ModelInfer"
NOT_SCORED: Final = -1.0

# Request and response parameters of the v2 protocol.
SCHEMA_PARAMETER: Final = "feature_schema"
MODEL_VERSION_PARAMETER: Final = "model_version"
MONITOR_PARAMETER: Final = "monitor_threshold"
BLOCK_PARAMETER: Final = "block_threshold"
SNAPSHOT_PARAMETER: Final = "graph_snapshot"

# v2 datatype -> numpy dtype on the wire (little-endian); BYTES is length-prefixed, kept as objects.
NUMPY_DTYPES: Final[dict[str, np.dtype]] = {
    "BOOL": np.dtype("bool"),
    "UINT8": np.dtype("uint8"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("int8"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BYTES": np.dtype("object"),
}


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a contract; an axis of -1 has any length, also in the v2 metadata."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    required: bool = True

    @property
    def dtype(self) -> np.dtype:
        return NUMPY_DTYPES[self.datatype]

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Whether a tensor of this shape fits the declared axes.

        >>> TensorSpec("category_scores", "FP32", (-1, 4)).admits((7, 4))
        True
        >>> TensorSpec("category_scores", "FP32", (-1, 4)).admits((4,))
        False
        """
        if len(shape) != len(self.shape):
            return False
        return all(want in (-1, got) for want, got in zip(self.shape, shape, strict=True))

    def metadata(self) -> dict[str, object]:
        """The v2 metadata entry of this tensor."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


# Client <-> transformer: one row per domain.
DOMAIN: Final = TensorSpec("domain", "BYTES", (-1,))
ANSWERS: Final = TensorSpec("answers", "BYTES", (-1,), required=False)
RISK_SCORE: Final = TensorSpec("risk_score", "FP32", (-1,))
# A predictor of 0.1.0 does not say it: then only names without neighbours have one.
NAME_SCORE: Final = TensorSpec("name_score", "FP32", (-1,), required=False)
CATEGORY: Final = TensorSpec("category", "BYTES", (-1,))
CATEGORY_SCORES: Final = TensorSpec("category_scores", "FP32", (-1, len(CATEGORIES)))
ACTION: Final = TensorSpec("action", "BYTES", (-1,))
NEIGHBOURS: Final = TensorSpec("neighbours", "INT32", (-1,))
STATUS: Final = TensorSpec("status", "BYTES", (-1,))

CLIENT_INPUTS: Final = (DOMAIN, ANSWERS)
CLIENT_OUTPUTS: Final = (RISK_SCORE, NAME_SCORE, CATEGORY, CATEGORY_SCORES, ACTION, NEIGHBOURS, STATUS)

# Beside the graph tensors of contract.graphs, what model "domain-features" says of names: which input each
# graph belongs to, and each node's name or address as people write it, also of those that carry no name.
GRAPH_ROWS: Final = TensorSpec("graph_rows", "INT64", (-1,))
NODE_LABELS: Final = TensorSpec("node_labels", "BYTES", (-1,))
# For each input why its name may never be blocked, whatever its score (contract.blockable); "" where it may.
NEVER_BLOCKED: Final = TensorSpec("never_blocked", "BYTES", (-1,), required=False)

# What the explainer answers: one JSON object for each domain, as docs/explanation.schema.json describes.
EXPLANATION: Final = TensorSpec("explanation", "BYTES", (-1,))
