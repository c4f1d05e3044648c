"""Attackers point names at others' hosts, and their own names at good ones: featurizer, model and policy together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from contract.policy import actions
from predictor.checkpoint import load
from predictor.scorer import Scorer, choose_device
from tests.services import SAMPLE, SHIPPED_MODEL
from transformer.featurize import featurize
from transformer.graph_store import GraphStore, Snapshot, SnapshotBuilder, UnusableLine, parse_line, publish
from transformer.graph_store.common_output_format import Observation

MODEL, CONFIG = load(SHIPPED_MODEL)
POINTS = CONFIG.operating_points
GOOD = [
    f"{label}.{suffix}" for label in ("wikipedia", "example", "debian", "kernel") for suffix in ("org", "net")
]
GOOD += [
    "dns.google",
    "one.one.one.one",
    "shop.example.com",
    "mail.example.org",
    "bahn.de",
    "gov.uk",
    "bbc.co.uk",
]
BAD = ["kq3v9z7xj1m4p8w2.top", "xn--80ak6aa92e.secure-login-verify.tk", "secure-login.paypa1-support.top"]
VICTIM = {"A": "11.22.33.44", "NS": "ns1.victim-dns.net", "CNAME": "edge.victim-cdn.net"}


def snapshot_of(directory: Path, records: list[tuple[str, str, str]]) -> Snapshot:
    """The sample, and these records seen a thousand times each."""
    builder = SnapshotBuilder()
    for line in SAMPLE.read_bytes().splitlines():
        try:
            builder.add(parse_line(line))
        except UnusableLine:
            continue
    for owner, kind, value in records:
        builder.add(Observation(owner, kind, (value,), 1_700_000_000, 1_760_000_000, 1000))
    publish(directory, builder)
    return GraphStore(directory).snapshot


def judged(snapshot: Snapshot, names: list[str], answers: str = "") -> tuple[np.ndarray, list[bytes]]:
    """The score of each name by itself, and what is done about it."""
    graphs = featurize(snapshot, names, [answers] * len(names)).graphs
    assert graphs is not None
    scores = Scorer(MODEL, choose_device("cpu")).launch([graphs]).result()
    done = actions(scores.risk_score, scores.name_score, POINTS.monitor, POINTS.block)
    return scores.name_score, done.tolist()


@pytest.mark.parametrize("kinds", [["A"], ["NS"], ["CNAME"], list(VICTIM)])
def test_sixty_pointed_names_lift_no_good_one(tmp_path: Path, kinds: list[str]) -> None:
    """Names that an attacker points at a victim's host move nothing that is good by itself to monitor."""
    generated = np.random.default_rng(0)
    attackers = ["".join(generated.choice(list("abcdefghkqxz0123456789"), 16)) + ".top" for _ in range(60)]
    records = [(name, kind, VICTIM[kind]) for name in attackers + GOOD for kind in kinds]
    snapshot = snapshot_of(tmp_path, records)
    answers = ", ".join(f"{kind} {VICTIM[kind]}" for kind in kinds)
    for told in ("", answers):
        alone, done = judged(snapshot, GOOD, told)
        good = alone < 0.3
        assert good.sum() >= 12
        assert {action for action, is_good in zip(done, good, strict=True) if is_good} == {b"allow"}


@pytest.mark.parametrize("host", ["dns.google", "wikipedia.org", "example.com"])
def test_good_company_makes_no_bad_name_harmless(tmp_path: Path, host: str) -> None:
    """A name that is to be blocked by itself is at least monitored, whatever records its owner gives it."""
    shared = [("A", "8.8.8.8"), ("A", "208.80.154.224"), ("CNAME", host), ("NS", "ns1.example.net")]
    snapshot = snapshot_of(tmp_path, [(name, *record) for name in BAD for record in shared])
    alone, done = judged(snapshot, BAD, f"A 8.8.8.8, CNAME {host}, NS ns1.example.net")
    assert (alone >= POINTS.block).all()
    assert set(done) <= {b"monitor", b"block"}
