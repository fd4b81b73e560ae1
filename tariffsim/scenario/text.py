"""Words for messages: nearest names, escaped characters, letters that look like others."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 60
# Letters of other alphabets that look like Latin ones.
LOOKALIKES = dict(
    zip(
        "аАВсСеЕНіІјЈКМоОрРѕЅТхХуУΑΒΕΖΗΙΚΜΝΟοΡΤΥΧνԁһӏ",
        "aABcCeEHiIjJKMoOpPsSTxXyYABEZHIKMNOoPTYXvdhl",
        strict=True,
    )
)


def escaped(text: str) -> str:
    """The text with characters that do not print written out, and cut where it is long."""
    cut = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return "".join(ch if ch.isprintable() else _code(ch) for ch in cut)


def _code(ch: str) -> str:
    number = ord(ch)
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(ch)
    return short or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")


def latin(text: str) -> str:
    """The text as it looks: lookalikes and compatibility forms as Latin letters."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(LOOKALIKES.get(ch, ch) for ch in plain)


def nearest(given: str, allowed: Iterable[str]) -> str:
    """A hint: letters that are not what they look like, and the nearest allowed name."""
    names = sorted(set(allowed))
    looks = latin(given[:200])
    words = []
    strange = next((ch for ch in given if not ch.isascii()), "")
    if strange:
        name = unicodedata.name(strange, "a character without a name")
        as_letter = LOOKALIKES.get(strange) or latin(strange)
        like = f", which looks like {as_letter}" if as_letter.isascii() and as_letter else ""
        words.append(f"{escaped(strange)} is U+{ord(strange):04X} {name}{like}")
    close = get_close_matches(looks, names, n=1, cutoff=0.6) or [
        name for name in names if name.lower() == looks.lower()
    ]
    if close:
        words.append(f"did you mean {close[0]}?")
    elif names and len(names) <= 20:
        words.append("allowed: " + ", ".join(names))
    return "; ".join(words)
