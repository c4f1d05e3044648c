"""The law of names applied to actions: what may never be blocked is monitored, whatever its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from contract.blockable import why_never_blocked
from contract.tensors import ACTIONS

_, _MONITOR, _BLOCK = (action.encode() for action in ACTIONS)


def lawful(actions: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The same actions, but for names that may never be blocked.

    Args:
        actions: bytes of ACTIONS.
        names: as many, as canonical text.

    >>> lawful(np.array([b"block", b"block"], object), ["duckdns.org", "evil.duckdns.org"]).tolist()
    [b'monitor', b'block']
    """
    spared = [row for row in np.flatnonzero(actions == _BLOCK).tolist() if why_never_blocked(names[row])]
    found = actions.copy()
    found[spared] = _MONITOR
    return found
