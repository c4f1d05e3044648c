import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.feature_schema import DOMAIN_NODE
from contract.graph_checks import validate
from contract.name_octets import octets_of
from tests.transformer.passive_dns import build, observation, small_snapshot
from tests.transformer.wire_names import Wire, canonical, spellings, wire_names
from transformer.featurize import featurize
from transformer.graph_store import Snapshot


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    path: Path = tmp_path_factory.mktemp("store")
    return small_snapshot(path)


def test_one_bad_name_does_not_disturb_its_batch(snapshot: Snapshot) -> None:
    """Names are scored, the rest says why not; rows tell which graphs belong to whom."""
    featurized = featurize(snapshot, [b"example.com", b"http://x/", "paypal.com", b"\xff..", ""])
    assert featurized.rows.tolist() == [0, 2]
    assert [status == "ok" for status in featurized.statuses] == [True, False, True, False, False]
    assert all(featurized.statuses)
    assert featurized.graphs is not None
    assert featurized.graphs.graph_count == 2
    validate(featurized.graphs)
    assert featurized.neighbours[[1, 3, 4]].tolist() == [0, 0, 0]
    assert featurized.neighbours[[0, 2]].min() > 0


def test_unreadable_answers_are_ignored_and_said_so(snapshot: Snapshot) -> None:
    """The name is scored without them, and its neighbours do not suffer."""
    featurized = featurize(snapshot, ["new.test", "other.test"], ["A nonsense", b"A 11.0.2.1"])
    assert featurized.rows.tolist() == [0, 1]
    assert featurized.statuses[0].startswith("answers ignored: ")
    assert featurized.statuses[1] == "ok"
    assert featurized.neighbours[0] == 0
    assert featurized.neighbours[1] > 0


GOOD_ANSWERS = ["A 11.0.2.1", "NS ns1.dns.example.net", "CNAME edge.example.org", "AAAA 3ffe:b00::1"]
JUNK_ANSWERS = ["NS .", "CNAME a..b", "NS 11.0.2.1", "CNAME NEW.test", "A 0.0.0.0", "A 127.0.0.1", "", "MX x"]


@pytest.mark.parametrize("seed", range(20))
def test_junk_beside_answers_moves_no_tensor(snapshot: Snapshot, seed: int) -> None:
    """The owner of a name decides what stands beside its records: the ego-graph is that of the good ones."""
    rng = random.Random(seed)  # noqa: S311
    good = rng.sample(GOOD_ANSWERS, rng.randint(0, 4))
    junk = rng.choices(JUNK_ANSWERS, k=rng.randint(1, 6))
    places = rng.sample([True] * len(good) + [False] * len(junk), len(good) + len(junk))
    kept, left = iter(good), iter(junk)
    mixed = ", ".join(next(kept) if is_good else next(left) for is_good in places)
    if not mixed:
        return
    found = featurize(snapshot, ["new.test"], [mixed])
    expected = featurize(snapshot, ["new.test"], [", ".join(good)])
    assert found.graphs is not None
    assert expected.graphs is not None
    assert found.statuses[0].startswith("answers ignored: ")
    for name, values in found.graphs.tensors().items():
        assert values.tobytes() == expected.graphs.tensors()[name].tobytes()


def test_nothing_to_score_is_no_graph(snapshot: Snapshot) -> None:
    """A batch without a name has statuses and no graphs."""
    featurized = featurize(snapshot, ["a b"], [""])
    assert featurized.graphs is None
    assert featurized.rows.tolist() == []
    assert featurized.neighbours.tolist() == [0]


def test_bytes_and_text_are_the_same_name(snapshot: Snapshot) -> None:
    """The wire carries bytes, training hands text over: the tensors are the same."""
    one, other = (featurize(snapshot, [name]).graphs for name in ("Example.com.", b"example.com"))
    assert one is not None
    assert other is not None
    for name, values in one.tensors().items():
        assert values.tobytes() == other.tensors()[name].tobytes()


@settings(deadline=None, max_examples=150)
@given(st.data(), st.lists(wire_names, min_size=1, max_size=4))
def test_every_name_that_is_legal_on_the_wire_is_scored(
    snapshot: Snapshot, data: st.DataObject, wires: list[Wire]
) -> None:
    """Its graph fits the contract, and any spelling of it gives the same tensors, to the last bit."""
    texts = [canonical(wire) for wire in wires]
    plain = featurize(snapshot, texts, [f"CNAME {text}" for text in reversed(texts)], labelled=True)
    spelled = [data.draw(spellings(wire)).encode() for wire in wires]
    # A comma or a space ends a record of the answers: those stay as they are.
    other = featurize(snapshot, spelled, [f"CNAME {text}" for text in reversed(texts)], labelled=True)
    assert plain.rows.tolist() == other.rows.tolist() == list(range(len(wires)))
    assert plain.graphs is not None
    assert other.graphs is not None
    validate(plain.graphs)
    assert plain.node_labels == other.node_labels
    for name, values in plain.graphs.tensors().items():
        assert values.tobytes() == other.graphs.tensors()[name].tobytes()


@settings(deadline=None, max_examples=15)
@given(st.lists(wire_names, min_size=2, max_size=6, unique_by=canonical))
def test_names_of_any_octets_keep_apart_in_a_store(
    tmp_path_factory: pytest.TempPathFactory, wires: list[Wire]
) -> None:
    """Each is found again under its own name, with its own records and nobody else's."""
    texts = [canonical(wire) for wire in wires]
    records = [observation(text, "A", f"11.0.2.{place}") for place, text in enumerate(texts)]
    records += [observation("hub.example", "CNAME", text) for text in texts]
    records += [observation(text, "NS", text) for text in texts]
    snapshot = build(tmp_path_factory.mktemp("store"), records)
    nodes = snapshot.find(DOMAIN_NODE, [octets_of(text) for text in texts])
    assert [snapshot.name_of(int(node)) for node in nodes] == texts
    featurized = featurize(snapshot, texts, labelled=True)
    assert featurized.graphs is not None
    validate(featurized.graphs)
    first = featurized.graphs.node_offsets[:-1]
    assert [featurized.node_labels[place].decode() for place in first] == texts
    degrees = snapshot.degrees(nodes)
    assert np.array_equal(degrees[:, :1], np.ones((len(texts), 1)))
