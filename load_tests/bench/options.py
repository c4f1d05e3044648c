"""What the benchmark can be told."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference_services.machine import SERVICES

PARTS: Final = ("limit", "predictor", "plain", "joining", "latency", "names", "profile")
IN_FLIGHT: Final = (1, 16, 64, 256)
GRAPHS: Final = (1, 32)
BATCHES: Final = (1, 32, 128, 512)
_MOST_IN_FLIGHT: Final = 1024
OURS: Final = "ours"
_MEASURED_SERVICES: Final = ("predictor", "transformer")

Settings = dict[str, str]


class UnusableOption(Exception):
    """An option that cannot be followed; the message is one line for whoever gave it."""


@dataclass(frozen=True, slots=True)
class Options:
    """One run."""

    model_dir: Path
    seconds: float
    repeats: int
    parts: tuple[str, ...]
    in_flight: tuple[int, ...]
    graphs: tuple[int, ...]
    variants: dict[str, Settings]
    """Settings of the servers by the name under which their figures stand; one, or two to compare."""
    json: Path | None
    markdown: Path | None


def read_options(arguments: Sequence[str] | None) -> Options:
    """The options of a command line.

    Raises:
        UnusableOption: a part, setting or comparison that does not exist.
        SystemExit: what argparse refuses.
    """
    given = _parser().parse_args(arguments)
    parts = tuple(given.parts.split(","))
    unknown = set(parts) - set(PARTS)
    if unknown:
        raise UnusableOption(f"no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    seconds, repeats = (1.0, 1) if given.quick else (given.seconds, given.repeats)
    if not (seconds > 0 and repeats > 0):
        raise UnusableOption("--seconds and --repeats: expected more than nothing")
    return Options(
        given.model_dir,
        seconds,
        repeats,
        parts,
        _numbers("--in_flight", given.in_flight, _MOST_IN_FLIGHT),
        _numbers("--graphs", given.graphs, max(BATCHES)),
        variants_of(given.server, given.compare),
        given.json,
        given.markdown,
    )


def variants_of(server: Sequence[str], compare: str | None) -> dict[str, Settings]:
    """The settings of each variant: NAME=VALUE for all, NAME=VALUE,VALUE for one each.

    >>> variants_of(["event_loop=uvloop"], "log_level=INFO,ERROR")["log_level=ERROR"]
    {'event_loop': 'uvloop', 'log_level': 'ERROR'}

    Raises:
        UnusableOption: no such setting, or nothing to compare.
    """
    common = dict(_setting(text) for text in server)
    if compare is None:
        return {OURS: common}
    name, values = _setting(compare)
    compared = values.split(",")
    if len(compared) < 2 or len(set(compared)) < len(compared):
        raise UnusableOption(f"--compare {compare}: give two or more different values after =, with commas")
    return {f"{name}={value}": common | {name: value} for value in compared}


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not value:
        raise UnusableOption(f"{text}: expected NAME=VALUE")
    if not any(name in SERVICES[service].model_fields for service in _MEASURED_SERVICES):
        raise UnusableOption(f"{text}: neither {' nor '.join(_MEASURED_SERVICES)} has a setting {name!r}")
    return name, value


def settings_for(service: str, settings: Settings) -> Settings:
    """Those that this service understands.

    >>> settings_for("transformer", {"max_batch_graphs": "8", "event_loop": "asyncio"})
    {'event_loop': 'asyncio'}
    """
    return {name: value for name, value in settings.items() if name in SERVICES[service].model_fields}


def _numbers(option: str, text: str, most: int) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UnusableOption(f"{option} {text}: expected whole numbers with commas between") from None
    if min(numbers) < 1:
        raise UnusableOption(f"{option} {text}: expected numbers from 1")
    if max(numbers) > most:
        raise UnusableOption(f"{option} {text}: at most {most}")
    return numbers


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load_tests.bench_predictor", description="speed of the services as ratios of one run"
    )
    parser.add_argument("--model_dir", type=Path, default=Path("models/dns-risk/2"))
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a measurement (default 2)")
    parser.add_argument("--repeats", type=int, default=3, help="medians of so many (default 3)")
    parser.add_argument("--quick", action="store_true", help="one second, one repeat: does it run at all?")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)} (default all)")
    parser.add_argument("--in_flight", default=",".join(map(str, IN_FLIGHT)), help="callers at a time")
    parser.add_argument("--graphs", default=",".join(map(str, GRAPHS)), help="graphs a request")
    parser.add_argument(
        "--server", action="append", default=[], metavar="NAME=VALUE", help="a setting of the services"
    )
    parser.add_argument(
        "--compare", metavar="NAME=A,B", help="measure with one setting at two values, and their ratio"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every repeat there")
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="write the tables there, between its marks where it has them",
    )
    return parser
