"""Cut a name into its parts and write parts as a name again, with the places the model needs."""

from __future__ import annotations

from contract.feature_schema import MAX_NAME_LENGTH
from contract.graphs import DomainGraphs

Parts = tuple[bytes, bytes, bytes]


def parts_of(name: bytes, label_start: int, suffix_start: int) -> Parts:
    """Sub-domain, registrable label and public suffix of a name, without the dots between them.

    >>> parts_of(b"www.example.co.uk", 4, 12)
    (b'www', b'example', b'co.uk')
    >>> parts_of(b"co.uk", 0, 0)
    (b'', b'', b'co.uk')
    """
    return (
        name[:label_start].removesuffix(b"."),
        name[label_start:suffix_start].removesuffix(b"."),
        name[suffix_start:],
    )


def written(parts: Parts) -> tuple[bytes, int, int]:
    """The name that these parts make, and where its label and its suffix begin; parts may be empty.

    Parts of different names can be longer together than a name may be; the beginning is then cut off.

    >>> written((b"www", b"example", b"co.uk"))
    (b'www.example.co.uk', 4, 12)
    >>> written((b"", b"", b"co.uk")), written((b"", b"printer.lan", b""))
    ((b'co.uk', 0, 0), (b'printer.lan', 0, 11))
    """
    subdomain, label, suffix = parts
    rest = b".".join(filter(None, (label, suffix)))
    name = b".".join(filter(None, (subdomain, rest)))[-MAX_NAME_LENGTH:].lstrip(b".")
    label_start = len(name) - len(rest)
    # Without a suffix it begins where the name ends.
    return name, label_start, len(name) - len(suffix)


def target_parts(graphs: DomainGraphs, graph: int) -> Parts:
    """The parts of the name that a graph is about."""
    node = graphs.target_nodes[graph]
    begin, end = graphs.name_offsets[node : node + 2]
    label_start, suffix_start = graphs.name_parts[node].tolist()
    return parts_of(graphs.name_bytes[begin:end].tobytes(), label_start, suffix_start)
