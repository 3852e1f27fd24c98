"""Names as lists order them and as search finds them, the same on every database."""

from __future__ import annotations

import re
import unicodedata

WORD = re.compile(r"\w+")
# letters that NFKD leaves whole, as people who don't have them type them
PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """`text` without case and accents: `Łódź Ångström` becomes `lodz angstrom`. At most 300 characters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.translate(PLAIN).split())[:300]


def words_of(*texts: str) -> set[str]:
    """The folded words of some texts, each at most 60 characters: what search compares."""
    return {word[:60] for text in texts for word in WORD.findall(fold(text))}
