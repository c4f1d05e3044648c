"""Write the answers shown in README.md and docs/ anew, from what the shipped model answers now: see `make golden`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.end_to_end.documents import DOCUMENTS, Block, blocks
from tests.end_to_end.local_run import LocalRun, local_run
from tests.end_to_end.test_readme import execute
from tests.services import SHIPPED_MODEL


def main() -> None:
    """Run every block that has an answer, and put what it prints in the answer's place."""
    with tempfile.TemporaryDirectory() as store, local_run(SHIPPED_MODEL, Path(store)) as run:
        for document in DOCUMENTS:
            renew(document, run, ("json", "text") if document.name == "README.md" else ("json",))


def renew(document: Path, run: LocalRun, languages: tuple[str, ...]) -> None:
    """Write the answers of one document that are in these languages; ids in text of docs/ are made up."""
    text = document.read_text()
    for block in blocks(document):
        answered = block.answer_language in languages and block.language in {"bash", "python"}
        if block.answer is not None and answered:
            begin = text.index(block.answer, text.index(block.text) + len(block.text))
            text = text[:begin] + shown(block, run) + text[begin + len(block.answer) :]
    document.write_text(text)


def shown(block: Block, run: LocalRun) -> str:
    """What a block prints, laid out for reading."""
    output = execute(block, run)
    return layout(rounded(json.loads(output))) + "\n" if block.answer_language == "json" else output


def layout(value: Any, indent: str = "") -> str:
    """JSON with a line for each entry of what holds lists of objects, and all else in one line."""
    if not holds_objects(value):
        return json.dumps(value, ensure_ascii=False)
    deeper = indent + "  "
    if isinstance(value, list):
        lines = [deeper + layout(entry, deeper) for entry in value]
    else:
        lines = [f"{deeper}{json.dumps(key)}: {layout(entry, deeper)}" for key, entry in value.items()]
    opened, closed = "[]" if isinstance(value, list) else "{}"
    return opened + "\n" + ",\n".join(lines) + f"\n{indent}{closed}"


def holds_objects(value: Any) -> bool:
    """Whether there is a list of objects in it."""
    if isinstance(value, list):
        return any(isinstance(entry, dict) for entry in value)
    return isinstance(value, dict) and any(holds_objects(entry) for entry in value.values())


def rounded(value: Any) -> Any:
    """The value with four digits to its scores."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
