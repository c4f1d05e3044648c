"""Log-odds of malice, from logits of categories and back."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def shifted(
    logits: Float[Tensor, "graphs categories"], shift: Float[Tensor, " graphs"]
) -> Float[Tensor, "graphs categories"]:
    """Logits whose log-odds of malice moved by `shift`; kinds of malice keep their proportions."""
    return torch.cat([logits[:, :1] - shift[:, None], logits[:, 1:]], dim=1)


def risk_logit(logits: Float[Tensor, "graphs categories"]) -> Float[Tensor, " graphs"]:
    """Log-odds of any malicious category against benign, before calibration."""
    return logits[:, 1:].logsumexp(dim=1) - logits[:, 0]
