"""meta.json: what a snapshot says about itself, with the checksums of its files and of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from contract.feature_schema import FEATURE_SCHEMA, NODE_TYPES, RELATIONS
from transformer.graph_store.refusals import OTHER_VERSION, UnusableSnapshot, damaged, unreadable
from transformer.graph_store.regular_file import NotARegularFile, read_regular

# Bump when the meaning of a file changes: older snapshots are then refused.
FORMAT_VERSION: Final = 2
# Format 1 is the same without checksums: it is served as far as it can be checked, so that an update of the
# transformer does not need an import first.
UNVERIFIED_VERSION: Final = 1
META_FILE: Final = "meta.json"
MAX_META_BYTES: Final = 1 << 26
_YEAR_3000: Final = 32_503_680_000
_LARGEST_COUNT: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a snapshot was built from."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SnapshotMeta:
    """What a snapshot says about itself. created: seconds since 1970.

    checksums: hex SHA-256 of each file, by name; meta_checksum: of all other fields.
    """

    snapshot_id: str
    created: float
    suffix_list_version: str
    node_counts: Mapping[str, int]
    edge_counts: Mapping[str, int]
    sources: tuple[SourceFile, ...] = ()
    name_salt: int = 0
    format_version: int = FORMAT_VERSION
    feature_schema: str = FEATURE_SCHEMA
    checksums: Mapping[str, str] = field(default_factory=dict)
    meta_checksum: str = ""

    @property
    def verified(self) -> bool:
        """Whether its files have checksums."""
        return self.format_version != UNVERIFIED_VERSION


NO_META: Final = SnapshotMeta(
    snapshot_id="empty",
    created=0.0,
    suffix_list_version="",
    node_counts=dict.fromkeys(NODE_TYPES, 0),
    edge_counts=dict.fromkeys(RELATIONS, 0),
)


def write_meta(directory: Path, meta: SnapshotMeta) -> None:
    """Write meta.json, with its own checksum."""
    sealed = replace(meta, meta_checksum=_checksum(asdict(meta)))
    (directory / META_FILE).write_text(json.dumps(asdict(sealed), indent=2) + "\n")


def read_meta(directory: Path) -> SnapshotMeta:
    """Read meta.json and check that this code can serve the snapshot.

    Raises:
        UnusableSnapshot: missing, damaged, of another snapshot, or of another format or feature schema.
    """
    try:
        content = json.loads(read_regular(directory / META_FILE, MAX_META_BYTES))
    except OSError as problem:
        raise unreadable(directory, problem) from None
    except (ValueError, RecursionError, NotARegularFile) as problem:
        raise damaged(directory, f"{META_FILE}: {problem}") from None
    if not isinstance(content, dict):
        raise damaged(directory, f"{META_FILE} is no JSON object")
    _check_versions(directory, content)
    wrong = _problem(content, directory.name)
    if wrong:
        raise damaged(directory, f"{META_FILE}: {wrong}")
    sources = tuple(SourceFile(**source) for source in content["sources"])
    return SnapshotMeta(**content | {"sources": sources, "created": float(content["created"])})


def _check_versions(directory: Path, content: Mapping[str, Any]) -> None:
    formats = (FORMAT_VERSION, UNVERIFIED_VERSION)
    for what, field_name, wanted in (
        ("format", "format_version", formats),
        ("feature schema", "feature_schema", (FEATURE_SCHEMA,)),
    ):
        got = content.get(field_name)
        if isinstance(got, bool) or got not in wanted:
            raise UnusableSnapshot(
                f"graph snapshot {directory} has {what} {got!r:.40}, this version needs {wanted[0]}: "
                "import again with `python -m transformer.graph_store import FILE...`",
                OTHER_VERSION,
                directory.name,
            )


def _problem(content: Mapping[str, Any], folder: str) -> str:
    """What is wrong with the fields, or nothing."""
    verified = content["format_version"] != UNVERIFIED_VERSION
    wanted = set(_FIELDS) | ({"checksums", "meta_checksum"} if verified else set())
    if content.keys() != wanted:
        return f"missing or unknown fields: {', '.join(sorted(content.keys() ^ wanted))[:200]}"
    for name, is_legal in _FIELDS.items():
        if not is_legal(content[name]):
            return f"{name} is {content[name]!r:.60}"
    if content["snapshot_id"] != folder:
        return f"it is of snapshot {content['snapshot_id']!r:.60}"
    if verified and not _are_texts(content["checksums"]):
        return f"checksums are {content['checksums']!r:.60}"
    if verified and content["meta_checksum"] != _checksum(content):
        return "it is not what was written, by its checksum"
    return ""


def _checksum(content: Mapping[str, Any]) -> str:
    others = {name: value for name, value in content.items() if name != "meta_checksum"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _is_whole(value: object, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest


def _are_counts(value: object, names: tuple[str, ...]) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == set(names)
        and all(_is_whole(count, _LARGEST_COUNT) for count in value.values())
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _YEAR_3000


def _are_sources(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(source, dict)
        and source.keys() == {"name", "sha256"}
        and all(isinstance(text, str) for text in source.values())
        for source in value
    )


# What each field has to be, so that whatever reads it later cannot fail.
_FIELDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "snapshot_id": lambda value: isinstance(value, str),
    "created": _is_time,
    "suffix_list_version": lambda value: isinstance(value, str),
    "node_counts": lambda value: _are_counts(value, NODE_TYPES),
    "edge_counts": lambda value: _are_counts(value, RELATIONS),
    "sources": _are_sources,
    "name_salt": lambda value: _is_whole(value, (1 << 64) - 1),
    "format_version": lambda value: _is_whole(value, FORMAT_VERSION),
    "feature_schema": lambda value: isinstance(value, str),
}
