"""README.md and docs/ as their tests read them: fenced blocks, code spans, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.serving.server_process import REPOSITORY

DOCUMENTS = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; answer: the json or text block that follows a bash or python one, if any."""

    document: str
    language: str
    text: str
    answer: str | None
    answer_language: str

    @property
    def only_make(self) -> bool:
        return all(line.startswith("make ") for line in self.text.splitlines())


def blocks(document: Path) -> list[Block]:
    """The fenced blocks in order."""
    content = document.read_text()
    found = list(_BLOCK.finditer(content))
    result = []
    for place, match in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        answered = following is not None and following[1] in {"json", "text"}
        result.append(
            Block(
                document.name,
                match[1],
                match[2],
                following[2] if answered and following else None,
                following[1] if answered and following else "",
            )
        )
    return result


def prose(document: Path) -> str:
    """The text without fenced blocks."""
    return _BLOCK.sub("", document.read_text())


def spans(document: Path) -> list[str]:
    """Everything in backticks outside fenced blocks."""
    return _SPAN.findall(prose(document))


def links(document: Path) -> list[str]:
    """The targets of links, without those into the web."""
    return [target for target in _LINK.findall(prose(document)) if "://" not in target]


def anchors(document: Path) -> set[str]:
    """The anchors that headings give, as GitHub makes them."""
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(document))
    }


def table_rows(document: Path, start: str) -> dict[str, list[str]]:
    """Table rows whose first cell is a code span beginning with `start`, by that span: the other cells."""
    rows = re.findall(rf"^\| `({re.escape(start)}[^`]*)` \| (.*) \|$", document.read_text(), re.MULTILINE)
    return {name: rest.split(" | ") for name, rest in rows}
