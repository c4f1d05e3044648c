"""Skeletons: what a label looks like once look-alike characters are made equal."""

from __future__ import annotations

import re
from typing import Final

# Shorter skeletons are shared by unrelated names.
MIN_SKELETON_LENGTH: Final = 5
# Digits that stand for letters in look-alike names; hyphens vanish.
_LOOK_ALIKES: Final = str.maketrans("0134578", "oleastb", "-")
_REPEATED: Final = re.compile(r"(.)\1+")


def skeleton(label: str) -> str:
    """The look-alike form of a lower-case label, or "" where it is too short to mean anything.

    >>> skeleton("paypa1"), skeleton("pay-pall"), skeleton("abc")
    ('paypal', 'paypal', '')
    """
    form = _REPEATED.sub(r"\1", label.translate(_LOOK_ALIKES))
    return form if len(form) >= MIN_SKELETON_LENGTH else ""
