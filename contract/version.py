"""The version of what crosses a process boundary, as manifests and metrics state it."""

from __future__ import annotations

from typing import Final

# Bump when a tensor, parameter or status of the interface changes its meaning; features have their own hash.
CONTRACT_VERSION: Final = "1"
