"""What a file is by its first bytes, and the command that makes text of it."""

from __future__ import annotations

from typing import Final

# As many as the kinds below are told by: tar has its mark at 257.
HEAD_BYTES: Final = 512
GZIP: Final = b"\x1f\x8b"

# What to say of a file that begins so. {}: the file's name as a shell needs it.
_BEGINNINGS: Final = (
    (GZIP, "gzip in gzip", "gzip -dc {} | gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "zstd -dc {}"),
    (b"\xfd7zXZ\x00", "compressed by xz", "xz -dc {}"),
    (b"BZh", "compressed by bzip2", "bzip2 -dc {}"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "lz4 -dc {}"),
    (b"LZIP", "compressed by lzip", "lzip -dc {}"),
    (b"\x1f\x9d", "compressed by compress", "gzip -dc {}"),
    (b"PK\x03\x04", "a zip archive", "unzip -p {}"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "7z x -so {}"),
    (b"\xff\xfe\x00\x00", "UTF-32", "iconv -f UTF-32 -t UTF-8 {}"),
    (b"\x00\x00\xfe\xff", "UTF-32", "iconv -f UTF-32 -t UTF-8 {}"),
    (b"\xff\xfe", "UTF-16", "iconv -f UTF-16 -t UTF-8 {}"),
    (b"\xfe\xff", "UTF-16", "iconv -f UTF-16 -t UTF-8 {}"),
    (b"{\x00", "UTF-16", "iconv -f UTF-16LE -t UTF-8 {}"),
    (b"[\x00", "UTF-16", "iconv -f UTF-16LE -t UTF-8 {}"),
    (b"\x00{", "UTF-16", "iconv -f UTF-16BE -t UTF-8 {}"),
    (b"\x00[", "UTF-16", "iconv -f UTF-16BE -t UTF-8 {}"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture (pcapng)", ""),
    (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)", ""),
    (b"\xa1\xb2\xc3\xd4", "a packet capture (pcap)", ""),
    (b"\x4d\x3c\xb2\xa1", "a packet capture (pcap)", ""),
    (b"\xa1\xb2\x3c\x4d", "a packet capture (pcap)", ""),
    (b"PAR1", "Parquet", ""),
    (b"SQLite format 3\x00", "an SQLite database", ""),
)
_INSIDE: Final = (
    (b"ustar", 257, "a tar archive", "tar -xOf {}"),
    (b"protobuf:dnstap.Dnstap", 20, "dnstap", ""),
)


def other_kind(head: bytes) -> tuple[str, str] | None:
    """What a file is that is no text of its own, and the command for it; None for text.

    >>> other_kind(b"{"), other_kind(bytes.fromhex("28b52ffd00"))
    (None, ('compressed by zstd', 'zstd -dc {}'))
    """
    # Frames of zstd that hold no data may come first; sixteen marks are theirs.
    if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:
        return other_kind(b"\x28\xb5\x2f\xfd")
    for mark, kind, command in _BEGINNINGS:
        if head.startswith(mark):
            return kind, command
    for mark, place, kind, command in _INSIDE:
        if head.startswith(mark, place):
            return kind, command
    return None
