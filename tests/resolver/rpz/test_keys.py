"""TSIG keys are read as tsig-keygen writes them, and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from resolver.rpz.keys import UnusableKey, read_key

KEY = 'key "transfer" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0IG9mIHRoaXMgdGVzdA==";\n};\n'


def written(folder: Path, text: str, mode: int = 0o640) -> Path:
    """A key file."""
    path = folder / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_is_read(tmp_path: Path) -> None:
    """Name, algorithm and secret."""
    key = read_key(written(tmp_path, KEY))
    assert (str(key.name), str(key.algorithm), key.secret) == (
        "transfer.",
        "hmac-sha256.",
        b"secret of this test",
    )


@pytest.mark.parametrize(
    ("text", "mode", "complaint"),
    [
        (KEY, 0o644, "every user can read"),
        ("nothing", 0o600, "expected key"),
        (KEY.replace("sha256", "md5"), 0o600, "hmac-md5"),
        (KEY.replace("transfer", "a..b"), 0o600, "no name for a key"),
        (KEY.replace("transfer", "x" * 64), 0o600, "no name for a key"),
        (KEY.replace("==", "="), 0o600, "not base64"),
    ],
)
def test_what_is_no_key_is_refused_without_its_secret(
    tmp_path: Path, text: str, mode: int, complaint: str
) -> None:
    """Also a key that is no secret."""
    with pytest.raises(UnusableKey, match=complaint) as refusal:
        read_key(written(tmp_path, text, mode))
    assert "c2VjcmV0" not in str(refusal.value)
