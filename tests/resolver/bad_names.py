"""Names that the shipped model gives the action "block", whatever number stands in them."""

from __future__ import annotations

import itertools

_numbers = itertools.count(100)


def fresh_bad_name() -> str:
    """One that nobody asked for yet."""
    return f"paypal-login-verify{next(_numbers)}.tk"


GOOD = "kernel.org"
