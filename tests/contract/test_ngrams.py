from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import ngrams
from contract.ngrams import NgramLayout
from predictor.ngrams import hashed_ngrams
from tests.predictor.test_ngrams import _tensors, names, ngram_sizes


@settings(deadline=None)
@given(st.lists(names, max_size=6), ngram_sizes, st.sampled_from([2, 1000, 1 << 16]))
def test_numpy_hashes_as_torch_does(
    rows: list[tuple[bytes, list[int]]], sizes: tuple[int, ...], buckets: int
) -> None:
    """The same buckets in the same order, whatever the names."""
    layout = NgramLayout(sizes, buckets)
    text, ends, parts = _tensors(rows)
    ids, offsets = hashed_ngrams(text, ends, parts, layout)
    fast_ids, fast_offsets = ngrams.hashed_ngrams(text.numpy(), np.diff(ends.numpy()), parts.numpy(), layout)
    np.testing.assert_array_equal(fast_ids, ids.numpy())
    np.testing.assert_array_equal(fast_offsets, offsets.numpy())
