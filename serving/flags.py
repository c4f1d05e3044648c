"""The flags that KServe's controller passes to a container, parsed by KServe's own parser."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any, Final

from kserve.model_server import parser

from serving.settings import SETTING_OF_FLAG

_ABSENT: Final = object()


def given_flags(arguments: Sequence[str]) -> dict[str, Any]:
    """The flags that were really given, by the name of their setting; defaults are left out.

    Raises:
        SystemExit: a flag that KServe does not know, or a value of the wrong type.
    """
    # A destination that is already set is not overwritten by the parser's default.
    preset = Namespace(**{action.dest: _ABSENT for action in parser._actions})  # noqa: SLF001
    values, unknown = parser.parse_known_args(list(arguments), preset)
    if unknown:
        raise SystemExit(f"unknown flags: {' '.join(unknown)}")
    return {
        SETTING_OF_FLAG.get(name, name): value for name, value in vars(values).items() if value is not _ABSENT
    }
