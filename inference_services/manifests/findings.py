"""What a rule finds, and the form of a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from inference_services.manifests.render import Manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the rule's name, where, and what."""

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.what}"


# Yields where and what; the linter adds the rule's name.
Rule: TypeAlias = Callable[[Sequence[Manifest]], Iterator[tuple[str, str]]]
