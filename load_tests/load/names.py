"""Names as resolvers are asked for them: how often each, and what was answered."""

from __future__ import annotations

import csv
import gzip
import hashlib
import ipaddress
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from load_tests.load.toml_file import UnusableFile

# Where there is no query log: about as many names, as unevenly asked for, as in the one we know.
_MADE_UP_NAMES: Final = 2_000
_MADE_UP_EXPONENT: Final = 1.1
_SUFFIXES: Final = ("com", "net", "org", "info", "co.uk", "de", "io", "xyz")
_MOST_RECORDS: Final = 8
# Of the 6bone, which has gone (RFC 3701): in no registry of special purposes, and nobody's.
_NOBODYS: Final = "3ffe:c61::"


@dataclass(frozen=True, slots=True)
class NamePool:
    """Names in order of how often they are asked for.

    Shapes (K names):
        texts          (K,)
        answers        (K,)   as the transformer takes them, "" where nothing was answered
        probabilities  float64 (K,)
    """

    texts: tuple[str, ...]
    answers: tuple[str, ...]
    probabilities: np.ndarray
    source: str
    """where they come from, for the report"""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Places of names that are asked for, int32 (count,)."""
        return rng.choice(len(self.texts), count, p=self.probabilities).astype(np.int32)


def pool_of(log: Path | None, exponent: float | None) -> NamePool:
    """The names of a query log, or made-up ones.

    Args:
        log: CSV with a header row, columns `query` and `answers`, maybe gzipped; None: made-up names.
        exponent: of Zipf's law, by which names are drawn; None: as often as in the log.

    Raises:
        UnusableFile: no such file, or no queries in it.
    """
    counts, answers = _made_up() if log is None else _logged(log)
    names = [name for name, _ in counts.most_common()]
    if exponent is None:
        weights = np.array([counts[name] for name in names], dtype=np.float64)
    else:
        weights = np.arange(1.0, len(names) + 1) ** -exponent
    source = "made-up names" if log is None else f"{log.name}, {counts.total():,} queries"
    texts = tuple(answers.get(name, "") for name in names)
    return NamePool(tuple(names), texts, weights / weights.sum(), source)


def fresh_name(salt: str, number: int) -> str:
    """A name that nobody asked for before: the n-th of a run; salt keeps runs apart.

    >>> fresh_name("a", 1) == fresh_name("a", 1) != fresh_name("b", 1)
    True
    """
    digest = hashlib.blake2b(f"{salt} {number}".encode(), digest_size=16).hexdigest()
    length = 6 + int(digest[0], 16)
    letters = digest[1:].translate(str.maketrans("0123456789abcdef", "etaoinshrdlucmfw"))[:length]
    return f"{letters}.{_SUFFIXES[int(digest[-1], 16) % len(_SUFFIXES)]}"


def fresh_answers(number: int) -> str:
    """What a resolver saw for it: one of 254 addresses, as fresh names share hosting."""
    return f"AAAA {_NOBODYS}{1 + number % 254}"


def _logged(path: Path) -> tuple[Counter[str], dict[str, str]]:
    counts: Counter[str] = Counter()
    answers: dict[str, str] = {}
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8", newline="") as rows:
            for row in csv.DictReader(rows):
                name = row["query"]
                counts[name] += 1
                if row["answers"] and name not in answers:
                    answers[name] = answers_text(row["answers"].split(","))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableFile(f"{path}: {error}") from None
    except KeyError as missing:
        raise UnusableFile(f"{path}: no column {missing}; expected query and answers") from None
    if not counts:
        raise UnusableFile(f"{path}: no queries")
    return counts, answers


def answers_text(records: Iterable[str]) -> str:
    """The transformer's notation of a chain of aliases and addresses.

    >>> answers_text(["edge.example.net", "192.0.2.1", "3ffe:b00::1"])
    'CNAME edge.example.net, A 192.0.2.1, AAAA 3ffe:b00::1'
    """
    return ", ".join(_record(record) for record in list(records)[:_MOST_RECORDS] if record)


def _record(data: str) -> str:
    try:
        return f"{'A' if ipaddress.ip_address(data).version == 4 else 'AAAA'} {data}"
    except ValueError:
        return f"CNAME {data}"


def _made_up() -> tuple[Counter[str], Mapping[str, str]]:
    counts: Counter[str] = Counter()
    for rank in range(_MADE_UP_NAMES):
        name = fresh_name("made up", rank)
        counts[name if rank % 2 else f"www.{name}"] = max(1, round(1e6 / (rank + 1) ** _MADE_UP_EXPONENT))
    return counts, {name: fresh_answers(number) for number, name in enumerate(counts)}
