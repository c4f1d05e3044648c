"""Rules for tests, by the text of their names."""

from __future__ import annotations

from collections.abc import Iterable

from resolver.rpz.rules import NXDOMAIN, Rule
from resolver.wire_names import from_text, to_text


def bad(name: str) -> Rule:
    """The rule that blocks a name."""
    return Rule(from_text(name), NXDOMAIN)


def names(rules: Iterable[Rule]) -> list[str]:
    """The names of rules."""
    return [to_text(rule.owner) for rule in rules]
