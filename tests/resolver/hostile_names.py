"""Names as scanners, attackers and broken programs make them, in frames and in datagrams."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rrset
from hypothesis import strategies as st

from resolver.dnstap import payload_of

_ODD = st.sampled_from(
    [b"*", b"rpz-ip", b"rpz-nsdname", b"com", b"tk", b"duckdns", b"org", b"evil", b"ours", b"VERIFY888", b"\0", b"a.b", b"\\", b"local", b"webflow", b"io", b"\xc3\xbc"]
)  # fmt: skip
LABELS = st.lists(_ODD | st.binary(min_size=1, max_size=63), min_size=1, max_size=5).filter(
    lambda labels: sum(1 + len(label) for label in labels) < 255
)
_TEXT = st.sampled_from(
    ["*.duckdns.org", "evil.tk..", "evil.tk", "evil.tk.", "..", ".", "a..tk", "*.webflow.io", "\\042.no-ip.org", "EVIL.tk",
     "verif\\121888.tk", "x.rpz-ip", "24.0.0.0.127.rpz-ip", "WIN-8F3K2L9QX1C", "ours.tk", "a.ours.tk", "\\000.tk", "\\.tk",
     "a\\.b.tk", "rpz.risk", "evil.tk.rpz.risk", "x" * 63 + ".tk", "x" * 64 + ".tk", ".".join(["y" * 60] * 4) + ".tk"]
)  # fmt: skip


def question(name: str) -> bytes:
    """A datagram that asks for a name."""
    return f"1 900 A {name}".encode()


_PRINTED = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
TEXTS = (_TEXT | _PRINTED).map(question) | st.binary(max_size=40)


def dnstap_of(labels: list[bytes], address: str = "11.22.33.44") -> bytes:
    """A payload with an answer for a name of these labels."""
    name = dns.name.Name([*labels, b""])
    message = dns.message.make_query(name, "A")
    message.flags |= dns.flags.QR
    message.answer.append(dns.rrset.from_text(name, 60, "IN", "A", address))
    return payload_of(message.to_wire(), 1_700_000_000)
