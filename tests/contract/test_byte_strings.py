"""Texts survive being packed, and what is cut short is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.byte_strings import packed, texts_in


@given(st.lists(st.text(max_size=40)))
def test_texts_come_back(texts: list[str]) -> None:
    """Whatever is in them."""
    assert texts_in(packed(texts)) == texts


@pytest.mark.parametrize("raw", [b"\x01", b"\x02\x00\x00\x00a", b"\x01\x00\x00\x00\xff", b"\xff\xff\xff\xff"])
def test_broken_contents_are_refused(raw: bytes) -> None:
    """A length or an element that is cut short, and octets that are no text."""
    with pytest.raises(ValueError):  # noqa: PT011 - decoding's message is Python's own
        texts_in(raw)
