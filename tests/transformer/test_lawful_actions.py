"""What may never be blocked is monitored at most, whatever its score."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contract.blockable import why_never_blocked
from transformer.domain_name import NotADomainName, parse_domain
from transformer.lawful_actions import lawful

ACTIONS = st.sampled_from([b"allow", b"monitor", b"block"])
NAMES = st.sampled_from(
    ["evil.tk", "*.duckdns.org", "duckdns.org", "x.duckdns.org", "printer", "a.local", "co.uk", "a\\.b.com", "*.\\042.tk", "4.3.2.1.in-addr.arpa"]
) | st.text(st.sampled_from("ab*.\\0-é"), min_size=1, max_size=12)  # fmt: skip


def canonical(text: str) -> str:
    """The name as the featurizer hands it on."""
    try:
        return parse_domain(text).name
    except NotADomainName:
        return "evil.tk"


@given(st.lists(st.tuples(ACTIONS, NAMES), min_size=1, max_size=8))
def test_only_blocks_of_such_names_change(rows: list[tuple[bytes, str]]) -> None:
    """Into watching; all other actions stay, and what was given is not written to."""
    given_ = np.array([action for action, _ in rows], object)
    names = [canonical(text) for _, text in rows]
    found = lawful(given_, names)
    assert given_.tolist() == [action for action, _ in rows]
    for action, name, after in zip(given_.tolist(), names, found.tolist(), strict=True):
        expected = b"monitor" if action == b"block" and why_never_blocked(name) else action
        assert after == expected
