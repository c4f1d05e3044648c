"""README.md and docs/ show what is true: their blocks run, their answers come, what they name exists."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.documents import DOCUMENTS, Block, anchors, blocks, links, spans
from tests.end_to_end.local_run import LocalRun, local_run
from tests.services import SHIPPED_MODEL
from tests.serving.server_process import REPOSITORY

# Scores are shown with four digits; machines differ in the last of theirs.
SCORE_TOLERANCE = 0.005
# What differs from run to run, and sentences whose numbers do in their last digits.
VARYING = {
    "id",
    "model_version",
    "versions",
    "explainer_version",
    "graph_snapshot",
    "predictor_calls",
    "rows",
}
WORDS = {"summary", "text"}

RUNNABLE = [
    block
    for document in DOCUMENTS
    for block in blocks(document)
    if block.language in {"bash", "python"} and not block.only_make
]
MAKEFILE = (REPOSITORY / "Makefile").read_text()
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRun]:
    """What `make run` starts, with the shipped model."""
    with local_run(SHIPPED_MODEL, tmp_path_factory.mktemp("store")) as run:
        yield run


def execute(block: Block, services: LocalRun) -> str:
    """Run a block as its reader would, on the ports and places of these services; its output."""
    text = block.text.replace("127.0.0.1:8080", services.rest).replace("127.0.0.1:8081", services.grpc)
    text = text.replace("127.0.0.1:8084", services.explainer).replace(".venv/bin/python", sys.executable)
    # Programs that are shown without an address ask where `make run` answers.
    text = text.replace("-m explainer.report", f"-m explainer.report --explainer http://{services.explainer}")
    command = ["bash", "-euo", "pipefail", "-c"] if block.language == "bash" else [sys.executable, "-c"]
    environment = services.environment | {"DNS_RISK_GRAPH_STORE": services.environment["GRAPH_STORE"]}
    done = subprocess.run(
        [*command, text], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def agree(value: Any, shown: Any, key: str = "") -> bool:
    """Whether two JSON values are the same but for versions, given ids, and what floats leave open."""
    if isinstance(value, dict) and isinstance(shown, dict):
        return value.keys() == shown.keys() and all(agree(value[name], shown[name], name) for name in value)
    if isinstance(value, list) and isinstance(shown, list):
        return len(value) == len(shown) and all(map(agree, value, shown, [key] * len(value)))
    if key == "milliseconds":
        return isinstance(shown, float)
    if isinstance(value, float):
        return isinstance(shown, float) and abs(value - shown) < SCORE_TOLERANCE
    if key in WORDS and isinstance(value, str):
        return without_numbers(value) == without_numbers(shown)
    return value == shown or (key in VARYING and type(value) is type(shown))


def without_numbers(text: str) -> list[str]:
    return [re.sub(r"\b[0-9a-f]{16}\b|\d[\d,.]*", "#", line) for line in text.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: f"{block.document}: {block.text[:40]!r}")
def test_block_runs_and_gives_the_answer_shown(services: LocalRun, block: Block) -> None:
    """Each bash or python block works as it stands, and what is shown behind it is what it prints."""
    output = execute(block, services)
    if block.answer_language == "json":
        assert agree(json.loads(output), json.loads(block.answer or "")), f"{output}\n`make golden` renews it"
    elif block.answer is not None:
        assert without_numbers(output) == without_numbers(block.answer)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(document: Path) -> None:
    """Every `make` target that is shown or named is one."""
    commands = [block.text for block in blocks(document) if block.language == "bash"] + spans(document)
    named = {target for command in commands for target in re.findall(r"\bmake ([a-z-]+)", command)}
    assert named <= MAKE_TARGETS


def test_the_two_commands_are_the_ones_of_the_makefile() -> None:
    """README promises `make run` and `make test`; make knows what to do for both."""
    shown = [block.text.strip() for block in blocks(REPOSITORY / "README.md") if block.only_make]
    assert shown == ["make run", "make test"]
    for command in shown:
        subprocess.run([*command.split(), "--dry-run"], cwd=REPOSITORY, capture_output=True, check=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_modules_exist(document: Path) -> None:
    """Every file, folder and module that is named is there; what commands write into `build` is not yet."""
    for span in spans(document):
        for module in re.findall(r"python -m ([\w.]+)", span):
            assert importlib.util.find_spec(module), module
        if re.fullmatch(r"[A-Za-z.][\w.-]*/[\w./-]*|\w+\.(py|md)", span) and not span.startswith(
            ("..", "build/")
        ):
            assert (REPOSITORY / span).exists(), span


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_resolve(document: Path) -> None:
    """Relative links lead to files, and to headings in them."""
    for link in links(document):
        target, _, anchor = link.partition("#")
        path = (document.parent / target) if target else document
        assert path.exists(), link
        assert not anchor or anchor in anchors(path), link
