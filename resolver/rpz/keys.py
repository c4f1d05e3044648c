"""TSIG keys, in the form that BIND's tsig-keygen and others write."""

from __future__ import annotations

import binascii
import re
import stat
from pathlib import Path
from typing import Final

import dns.exception
import dns.name
import dns.tsig

_KEY: Final = re.compile(
    r'key\s+"?(?P<name>[^"\s{]+)"?\s*\{\s*(?=[^}]*algorithm\s+"?(?P<algorithm>[\w-]+)"?\s*;)'
    r'(?=[^}]*secret\s+"(?P<secret>[^"]+)"\s*;)[^}]*\}\s*;?'
)
_ALGORITHMS: Final = ("hmac-sha256", "hmac-sha384", "hmac-sha512")


class UnusableKey(Exception):
    """A key file that cannot be used; the message never shows the secret."""


def read_key(path: Path) -> dns.tsig.Key:
    """The key of a file.

    Raises:
        UnusableKey: cannot be read, readable by everybody, no key, or an algorithm that is too weak.
    """
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableKey(f"{path}: {error}") from None
    if mode & stat.S_IROTH:
        raise UnusableKey(f"{path}: every user can read this key; chmod o-r it")
    found = _KEY.search(text)
    if found is None:
        raise UnusableKey(f'{path}: expected key "NAME" {{ algorithm hmac-sha256; secret "…"; }};')
    if found["algorithm"] not in _ALGORITHMS:
        raise UnusableKey(f"{path}: algorithm {found['algorithm']}, expected one of {', '.join(_ALGORITHMS)}")
    try:
        return dns.tsig.Key(dns.name.from_text(found["name"]), found["secret"], found["algorithm"])
    except (dns.exception.DNSException, UnicodeError):
        raise UnusableKey(f"{path}: {found['name'][:80]!r} is no name for a key") from None
    except (binascii.Error, ValueError):
        raise UnusableKey(f"{path}: the secret is not base64") from None
