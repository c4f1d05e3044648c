"""Write the answers shown in README.md anew, from what the shipped model answers now: see `make golden`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.end_to_end.documents import Block, blocks
from tests.end_to_end.local_run import LocalRun, local_run
from tests.end_to_end.test_readme import execute
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import REPOSITORY

README = REPOSITORY / "README.md"


def main() -> None:
    """Run every block that has an answer, and put what it prints in the answer's place."""
    text = README.read_text()
    with tempfile.TemporaryDirectory() as store, local_run(SHIPPED_MODEL, Path(store)) as run:
        for block in blocks(README):
            if block.answer is not None and block.language in {"bash", "python"}:
                begin = text.index(block.answer, text.index(block.text) + len(block.text))
                text = text[:begin] + shown(block, run) + text[begin + len(block.answer) :]
    README.write_text(text)


def shown(block: Block, run: LocalRun) -> str:
    """What a block prints, laid out for reading."""
    output = execute(block, run)
    return layout(json.loads(output)) if block.answer_language == "json" else output


def layout(document: dict[str, Any]) -> str:
    """A v2 response with one output a line."""
    head = [f"  {json.dumps(key)}: {json.dumps(document[key])}" for key in document if key != "outputs"]
    entries = [f"    {json.dumps(rounded(output), ensure_ascii=False)}" for output in document["outputs"]]
    tail = '  "outputs": [\n' + ",\n".join(entries) + "\n  ]"
    return "{\n" + ",\n".join([*head, tail]) + "\n}\n"


def rounded(value: Any) -> Any:
    """The value with four digits to its scores."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
