r"""How the characters of a name are coded for the vectorised lexical features.

    code    0  1..26  27..36  37  38  39  40
    stands  .  a-z    0-9     -   _   \   anything else

Letters fit in five bits, so a run of up to twelve letters is an exact 64-bit key of itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Int64, UInt8, UInt64

CODE_COUNT: Final = 41
DOT_CODE, HYPHEN_CODE, UNDERSCORE_CODE, OTHER_CODE = 0, 37, 38, 40
LETTER_BITS: Final = 5
# Twelve letters of five bits are the longest key that fits in 64 bits.
MAX_WORD_LETTERS: Final = 12

# Symbols of the letter models: code 0..26 as above, all digits alike, hyphen, rest.
SYMBOL_COUNT: Final = 32
DIGIT_SYMBOL, HYPHEN_SYMBOL, OTHER_SYMBOL = 27, 28, 29

# Surprisal tables hold -log2 P as whole numbers of this fraction of a bit.
SURPRISAL_UNITS_PER_BIT: Final = 16

_PLAIN: Final = ".abcdefghijklmnopqrstuvwxyz0123456789-_\\"
_HASH_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)


def _code_of_byte() -> UInt8[np.ndarray, "256"]:
    codes = np.full(256, OTHER_CODE, np.uint8)
    codes[list(_PLAIN.encode())] = np.arange(len(_PLAIN))
    return codes


def _symbol_of_code() -> Int64[np.ndarray, " codes"]:
    symbols = np.full(CODE_COUNT, OTHER_SYMBOL, np.int64)
    symbols[:27] = np.arange(27)
    symbols[27:37] = DIGIT_SYMBOL
    symbols[HYPHEN_CODE] = HYPHEN_SYMBOL
    return symbols


CODE_OF_BYTE: Final = _code_of_byte()
SYMBOL_OF_CODE: Final = _symbol_of_code()


def codes_of(text: str) -> UInt8[np.ndarray, " characters"]:
    """Codes of an ASCII text.

    >>> codes_of("a.z9-").tolist()
    [1, 0, 26, 36, 37]
    """
    return CODE_OF_BYTE[np.frombuffer(text.encode(), np.uint8)]


def word_key(word: str) -> int:
    """The exact key of a word of 1 to 12 letters a-z.

    >>> word_key("ab") == 1 * 32 + 2
    True
    """
    key = 0
    for code in codes_of(word).tolist():
        key = (key << LETTER_BITS) | code
    return key


def hash_bits(keys: UInt64[np.ndarray, " keys"], bits: int) -> UInt64[np.ndarray, " keys"]:
    """Fibonacci hash: the top bits of key times the golden ratio; spreads keys that share letters."""
    return np.right_shift(keys * _HASH_MULTIPLIER, np.uint64(64 - bits))
