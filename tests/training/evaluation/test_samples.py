import gzip
from pathlib import Path

import pytest

from training.data import GRAPH_EDGES, GRAPH_NODES, IDN_NAMES, TEST_NAMES, TRAIN_NAMES, UnusableData
from training.evaluation.samples import FULL, QUICK, Size, read_samples

NAMES_HEADER = "domain,label,category,family,source,first_seen,split_reason,label_quality\n"
NODES_HEADER = "id,type,name,label,split\n"


def data(tmp_path: Path) -> Path:
    """The five files, with a few made-up rows each."""
    train = "".join(f"train{row}.example,1,dga,family{row},lists,,train,strong\n" for row in range(50))
    test = "".join(f"test{row}.example,0,benign,benign,top,,test,strong\n" for row in range(50))
    nodes = "".join(
        f"{place},domain,node{place}.example,{place % 2},{split}\n"
        for place, split in enumerate(["train", "val", "public_test", "hidden", "public_test"])
    )
    for name, text in (
        (TRAIN_NAMES, NAMES_HEADER + train),
        (TEST_NAMES, NAMES_HEADER + test),
        (IDN_NAMES, NAMES_HEADER + test),
        (GRAPH_NODES, NODES_HEADER + nodes + "5,ip,ip-5,,\n"),
        (GRAPH_EDGES, "src,dst,type\n0,5,resolves\n"),
    ):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_all_rows_are_read_unless_fewer_are_asked_for(tmp_path: Path) -> None:
    """A whole evaluation leaves out none; a sample is of different rows, the same each time."""
    folder = data(tmp_path)
    whole = read_samples(folder, FULL)
    assert len(whole.test.domains) == len(whole.train.domains) == 50
    few = Size(test=10, train=5)
    sample, again = read_samples(folder, few), read_samples(folder, few)
    assert len(set(sample.test.domains)) == 10
    assert set(sample.test.domains) < set(whole.test.domains)
    assert sample.test.domains == again.test.domains
    assert len(sample.train.domains) == 5


def test_a_family_is_seen_though_its_rows_are_not_sampled(tmp_path: Path) -> None:
    """Leaving out training rows of a family does not make it unseen."""
    sample = read_samples(data(tmp_path), Size(train=5))
    assert sample.families == {f"family{row}" for row in range(50)}


def test_judged_and_choosing_domains_of_the_graph_are_asked_for(tmp_path: Path) -> None:
    """Training and hidden domains have no part in the figures."""
    sample = read_samples(data(tmp_path), FULL)
    assert sample.graph_domains == ["node1.example", "node2.example", "node4.example"]
    assert sample.graph.resolves == [("node0.example", "10.0.0.5")]


def test_every_file_has_its_fingerprint(tmp_path: Path) -> None:
    """A report says which data it is of."""
    folder = data(tmp_path)
    before = read_samples(folder, FULL).digests
    assert before.keys() == {TRAIN_NAMES, TEST_NAMES, IDN_NAMES, GRAPH_NODES, GRAPH_EDGES}
    (folder / IDN_NAMES).write_bytes(gzip.compress(NAMES_HEADER.encode()))
    after = read_samples(folder, FULL).digests
    assert {name for name in before if before[name] != after[name]} == {IDN_NAMES}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The refusal says which."""
    (data(tmp_path) / GRAPH_EDGES).unlink()
    with pytest.raises(UnusableData, match=GRAPH_EDGES):
        read_samples(tmp_path, FULL)


def test_only_a_part_of_the_rows_is_called_a_sample() -> None:
    """Fewer resamples or seeds are no other rows."""
    assert QUICK.sampled
    assert not FULL.sampled
    assert not Size(resamples=20, seeds=1).sampled
