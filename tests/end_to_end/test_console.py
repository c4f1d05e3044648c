"""Cluster commands in the documents, which need a cluster to run, are at least possible ones."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import takewhile

import pytest

from tests.end_to_end.documents import DOCUMENTS, blocks
from tests.serving.server_process import REPOSITORY


def console_commands() -> Iterator[str]:
    """The lines behind a prompt in console blocks, continued lines joined."""
    for document in DOCUMENTS:
        for block in blocks(document):
            if block.language == "console":
                text = block.text.replace("\\\n", " ")
                yield from (line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))


COMMANDS = sorted(set(console_commands()))


@cache
def help_of(*words: str) -> str:
    """What `python -m WORDS --help` prints; many lines show one command."""
    run = [sys.executable, "-m", *words, "--help"]
    return subprocess.run(run, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("command", [c for c in COMMANDS if " -k " in c])
def test_folders_to_apply_exist(command: str) -> None:
    """What is applied or deleted with -k is an overlay of this repository."""
    folder = REPOSITORY / shlex.split(command)[shlex.split(command).index("-k") + 1]
    assert (folder / "kustomization.yaml").exists()


@pytest.mark.parametrize("command", [c for c in COMMANDS if "python -m " in c])
def test_options_of_modules_exist(command: str) -> None:
    """Each option that is shown stands in the help of its command."""
    words = shlex.split(command, comments=True)
    module = words[words.index("-m") + 1 :]
    verbs = [*takewhile(re.compile(r"[a-z]+(-[a-z]+)*").fullmatch, module[1:3])]
    help_text = help_of(module[0], *verbs)
    missing = [word for word in module if word.startswith("--") and word.split("=")[0] not in help_text]
    assert not missing
