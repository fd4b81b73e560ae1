"""Fonts for what is written on charts: one for all, and others of the machine for other scripts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties

FACE = "DejaVu Sans"
"""The font of all charts, which Matplotlib brings along."""
NOT_TEXT = ("Last Resort", "LastResort", "Blank", "Emoji", "Fallback")
"""Parts of names of fonts that have a sign for every character, but not its own."""
RIGHT_TO_LEFT = ("R", "AL", "AN")
MARKS = ("Mn", "Mc", "Me")
LATIN_MARKS = range(0x300, 0x370)


@lru_cache(maxsize=64)
def _characters(path: str) -> frozenset[int]:
    """What a font can show; nothing if it cannot be read."""
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@lru_cache(maxsize=256)
def families(text: str) -> tuple[str, ...]:
    """The fonts that show a text: the one of all charts and, where it must be, another.

    Empty if no font here has all its characters, or if they are not written one beside the other
    from left to right, which Matplotlib cannot do otherwise.
    """
    if any(map(_needs_shaping, text)):
        return ()
    own = font_manager.findfont(FontProperties(family=FACE))
    missing = {ord(c) for c in text} - _characters(own)
    if not missing:
        return (FACE,)
    return next(((FACE, name) for name, path in _others() if missing <= _characters(path)), ())


def _needs_shaping(character: str) -> bool:
    is_mark = unicodedata.category(character) in MARKS and ord(character) not in LATIN_MARKS
    return is_mark or unicodedata.bidirectional(character) in RIGHT_TO_LEFT


def _others() -> Iterator[tuple[str, str]]:
    """Upright fonts of this machine, name and file; those made for many scripts first."""
    found = {
        entry.name: entry.fname
        for entry in font_manager.fontManager.ttflist
        if entry.style == "normal" and not any(part in entry.name for part in NOT_TEXT)
    }
    yield from sorted(found.items(), key=lambda of: ("CJK" not in of[0], "Noto" not in of[0], of))


def can_draw(text: str) -> bool:
    """Whether charts can show a text."""
    return bool(families(text))
