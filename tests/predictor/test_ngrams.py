from __future__ import annotations

from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.ngrams import NgramLayout
from predictor.ngrams import hashed_ngrams, names_of

MASK = (1 << 31) - 1
STEP, SPREAD = 0x5BD1E995 & MASK, 0x2C1B3C6D & MASK
LAYOUT = NgramLayout((2, 3, 4, 5), 1 << 16)

names = st.binary(max_size=30).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*[st.integers(0, len(name))] * 2).map(sorted))
)
ngram_sizes = st.lists(st.integers(1, 6), min_size=1, max_size=4, unique=True).map(sorted).map(tuple)


def naive_buckets(name: bytes, label: int, suffix: int, layout: NgramLayout) -> list[int]:
    """The buckets of one name, character by character, as the documentation of `hashed_ngrams` says."""
    if not name:
        return []
    framed = b"." + name + b"."
    buckets = []
    for start in range(len(framed)):
        part = (start >= label) + (start >= suffix)
        for size in layout.sizes:
            if start + size <= len(framed):
                value = 0
                for character in framed[start : start + size]:
                    value = (value * STEP + character + 1) & MASK
                value ^= (part * 8 + size) * SPREAD & MASK
                value = (value ^ value >> 15) * SPREAD & MASK
                value = (value ^ value >> 13) * STEP & MASK
                buckets.append((value ^ value >> 16) % layout.buckets)
    return buckets


def _tensors(rows: list[tuple[bytes, list[int]]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    text = b"".join(name for name, _ in rows)
    ends = torch.tensor([0, *(len(name) for name, _ in rows)]).cumsum(0)
    parts = torch.tensor([list(part) for _, part in rows], dtype=torch.int64).reshape(-1, 2)
    return torch.tensor(list(text), dtype=torch.uint8), ends, parts


@settings(deadline=None)
@given(st.lists(names, max_size=5), ngram_sizes, st.sampled_from([2, 1000, 1 << 16]))
def test_hashes_are_those_of_the_naive_reference(
    rows: list[tuple[bytes, list[int]]], sizes: tuple[int, ...], buckets: int
) -> None:
    """All names at once give what a loop over characters gives for each."""
    layout = NgramLayout(sizes, buckets)
    ids, offsets = hashed_ngrams(*_tensors(rows), layout)
    expected = [naive_buckets(name, *part, layout) for name, part in rows]
    assert [ids[first:last].tolist() for first, last in pairwise(offsets)] == expected
    assert len(ids) == sum(map(len, expected))


def test_equal_ngrams_of_other_parts_differ() -> None:
    """`com` in the label and `com` in the suffix are not the same token."""
    rows = [(b"comcom.com", [0, 7])]
    ids, _ = hashed_ngrams(*_tensors(rows), NgramLayout((3,), 1 << 16))
    framed = ".comcom.com."
    first, last = framed.index("com"), framed.rindex("com")
    assert ids[first] != ids[last]
    assert ids[first] == ids[framed.index("com", 2)]


def test_nodes_without_a_name_have_no_ngrams() -> None:
    """Hosts between names take no part."""
    ids, offsets = hashed_ngrams(*_tensors([(b"", [0, 0]), (b"ab", [0, 2]), (b"", [0, 0])]), LAYOUT)
    assert offsets.tolist() == [0, 0, len(ids), len(ids)]


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=5), st.data())
def test_names_of_chosen_nodes(rows: list[tuple[bytes, list[int]]], data: st.DataObject) -> None:
    """Names of some nodes come in the order asked for."""
    chosen = data.draw(st.lists(st.sampled_from(range(len(rows))), max_size=5))
    text, offsets, _ = _tensors(rows)
    own, starts = names_of(text, offsets, torch.tensor(chosen, dtype=torch.int64))
    cut = [bytes(own[first:last].tolist()) for first, last in pairwise(starts)]
    assert cut == [rows[node][0] for node in chosen]
