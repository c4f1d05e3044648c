"""Names come as often as in the query log, with what was answered then."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from load_tests.load.names import fresh_name, pool_of
from load_tests.load.toml_file import UnusableFile
from transformer.domain_name import parse_domain

LOG = """\
ts,query,answers
1,a.example.com,"edge.example.net,192.0.2.1"
2,a.example.com,192.0.2.9
3,a.example.com,
4,b.example.com,2001:db8::1
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of two names."""
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress(LOG.encode()))
    return path


def test_names_are_drawn_as_often_as_they_were_asked(log: Path) -> None:
    """Three of four queries were for the first; its first answer stands beside it."""
    pool = pool_of(log, None)
    assert pool.texts == ("a.example.com", "b.example.com")
    assert pool.answers == ("CNAME edge.example.net, A 192.0.2.1", "AAAA 2001:db8::1")
    assert pool.probabilities == pytest.approx([0.75, 0.25])
    drawn = pool.draw(10_000, np.random.default_rng(0))
    assert np.mean(drawn == 0) == pytest.approx(0.75, abs=0.02)


def test_zipf_draws_by_rank(log: Path) -> None:
    """With exponent 1 the second name is half as likely as the first."""
    assert pool_of(log, 1.0).probabilities == pytest.approx([2 / 3, 1 / 3])


def test_without_a_log_names_are_made_up() -> None:
    """They are names, unevenly asked for, and some have answers."""
    pool = pool_of(None, None)
    assert len(pool.texts) == len(set(pool.texts)) > 1000
    assert pool.probabilities[0] > 100 * pool.probabilities[-1]
    for name in pool.texts[:50]:
        parse_domain(name)


def test_fresh_names_are_names_and_new() -> None:
    """Ten thousand of one run are different, none is of another run, and all can be scored."""
    own = {fresh_name("run 1", number) for number in range(10_000)}
    assert len(own) > 9_990
    assert not own & {fresh_name("run 2", number) for number in range(10_000)}
    for name in list(own)[:100]:
        parse_domain(name)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"ts,name\n1,a\n", "no column 'query'"),
        (b"ts,query,answers\n", "no queries"),
        (b"ts,query,answers\n1,\xff\xfe,\n", "utf-8"),
    ],
)
def test_a_log_that_is_none_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    """The message says which file and why."""
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    with pytest.raises(UnusableFile, match=complaint):
        pool_of(path, None)


def test_a_torn_or_missing_log_is_refused(log: Path) -> None:
    """A gzip file that ends early, and one that is not there."""
    log.write_bytes(log.read_bytes()[:-12])
    with pytest.raises(UnusableFile, match=r"log\.csv\.gz"):
        pool_of(log, None)
    with pytest.raises(UnusableFile, match="No such file"):
        pool_of(log.with_name("nowhere.csv"), None)
