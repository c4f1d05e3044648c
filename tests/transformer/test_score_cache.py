from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import numpy as np
import pytest

from contract.tensors import CLIENT_OUTPUTS
from serving.deadline import Deadline
from serving.model import InferAnswer
from tests.services import import_passive_dns, metric, predictor, transformer
from tests.transformer.score_requests import INFER, document
from transformer.score_cache import RememberedScores, ScoreCache

SHIPPED = Path(__file__).resolve().parents[2] / "models/dns-risk/2"


class Source:
    """Scores a name by its length, under a version that can be changed, and counts what it was asked."""

    def __init__(self) -> None:
        self.version = "1"
        self.asked: list[list[bytes]] = []
        self.snapshot = "s1"
        self.outcomes: list[tuple[int, int]] = []

    async def ask(
        self,
        names: list[bytes],
        answers: list[bytes] | None,
        _deadline: Deadline,
        _forward: Mapping[str, str],
    ) -> InferAnswer:
        self.asked.append(names)
        risk = np.array([len(name) / 100 for name in names], np.float32)
        told = np.array(answers or [b"none"] * len(names), object)
        scores = np.tile(risk[:, None], (1, 4))
        words = np.array([self.version.encode()] * len(names), object)
        columns = (risk, risk, words, scores, words, np.arange(len(names), dtype=np.int32), told)
        outputs = {spec.name: column for spec, column in zip(CLIENT_OUTPUTS, columns, strict=True)}
        return InferAnswer(outputs, {"model_version": self.version} if self.version else {})

    def remembered(self, names: int = 100, ttl_s: float = 60.0) -> RememberedScores:
        """This source behind a cache."""
        cache = ScoreCache(names, ttl_s)
        return RememberedScores(
            self.ask, cache, lambda: self.snapshot, lambda hits, misses: self.outcomes.append((hits, misses))
        )


async def risks(
    scores: RememberedScores, names: list[bytes], answers: list[bytes] | None = None
) -> list[float]:
    """The scores of some names, in hundredths."""
    answer = await scores.ask(names, answers, Deadline.after(5.0), {})
    for spec in CLIENT_OUTPUTS:
        assert answer.outputs[spec.name].shape == (len(names), *spec.shape[1:])
        assert answer.outputs[spec.name].dtype == spec.dtype
    return [round(100 * float(risk)) for risk in answer.outputs["risk_score"]]


async def test_known_names_are_not_asked_again() -> None:
    """Only the missing names of a request are asked, and every row is in its place."""
    source = Source()
    scores = source.remembered()
    assert await risks(scores, [b"a", b"bb", b"a"]) == [1, 2, 1]
    assert await risks(scores, [b"ccc", b"bb", b"dddd", b"a"]) == [3, 2, 4, 1]
    assert await risks(scores, [b"dddd", b"a"]) == [4, 1]
    assert source.asked == [[b"a", b"bb", b"a"], [b"ccc", b"dddd"]]
    assert source.outcomes == [(0, 3), (2, 2), (2, 0)]


async def test_other_answers_are_another_question() -> None:
    """What a resolver just saw belongs to the key."""
    source = Source()
    scores = source.remembered()
    for answers in (None, [b"A 11.0.2.1"], [b"A 11.0.2.2"], [b"A 11.0.2.1"]):
        await risks(scores, [b"a"], answers)
    assert len(source.asked) == 3


async def test_a_new_snapshot_or_model_forgets_all() -> None:
    """No score outlives what it was made from, and one answer is never of two models."""
    source = Source()
    scores = source.remembered()
    await risks(scores, [b"a"])
    source.snapshot = "s2"
    await risks(scores, [b"a"])
    assert len(source.asked) == 2
    source.version = "2"
    answer = await scores.ask([b"a", b"b"], None, Deadline.after(5.0), {})
    assert answer.parameters == {"model_version": "2"}
    assert answer.outputs["category"].tolist() == [b"2", b"2"]
    assert source.asked[2:] == [[b"b"], [b"a", b"b"]]


@pytest.mark.parametrize("version", ["", "1+lexical"])
async def test_only_the_models_scores_are_remembered(version: str) -> None:
    """Names that are none, and scores given while the predictor was away, are asked again."""
    source = Source()
    scores = source.remembered()
    await risks(scores, [b"known"])
    source.version = version
    for _ in range(2):
        await risks(scores, [b"a"])
    assert source.asked[1:] == [[b"a"], [b"a"]]
    source.version = "1"
    await risks(scores, [b"known"])
    assert len(source.asked) == 3


async def test_it_is_bounded_in_names_time_and_bytes() -> None:
    """The least recently asked name goes first, every score gets old, and long keys are not kept."""
    source = Source()
    scores = source.remembered(names=2)
    for name in (b"a", b"bb", b"a", b"ccc", b"a", b"bb"):
        await risks(scores, [name])
    assert source.asked == [[b"a"], [b"bb"], [b"ccc"], [b"bb"]]
    short = Source()
    brief = short.remembered(ttl_s=0.01)
    await risks(brief, [b"a"])
    time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs on this loop
    await risks(brief, [b"a"])
    await risks(brief, [b"x" * 2000])
    await risks(brief, [b"x" * 2000])
    assert len(short.asked) == 4


def test_a_served_score_is_the_same_from_memory(tmp_path: Path) -> None:
    """Through real services: the second answer is the first one, from memory, until the snapshot changes."""
    own = tmp_path / "store"
    asked = document(["example.com", "never-seen.test", "http://no.name/"], id="7")
    with (
        predictor(SHIPPED) as behind,
        transformer(behind.grpc_port, own, score_cache_names=1000) as process,
        httpx.Client(base_url=process.rest_url, timeout=20) as client,
    ):
        first, second = (client.post(INFER, json=asked).json() for _ in range(2))
        assert second == first
        assert metric(process, 'dns_risk_cache_names_total{outcome="hit"}') == 3
        import_passive_dns(own, Path("examples/passive_dns.jsonl").resolve())
        time.sleep(0.5)
        third = client.post(INFER, json=asked).json()
        assert metric(process, 'dns_risk_cache_names_total{outcome="miss"}') == 6
        assert third["outputs"] != first["outputs"]
