"""Errors a user can meet. Bad input is refused at the door with every problem in one report."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Self

MAX_SHOWN = 20
LONGEST = 60
"""Characters of a text that are shown."""
MOST_LISTED = 25
"""Names that a hint lists."""
FORMULA = ("=", "+", "-", "@")
"""First characters of what spreadsheets take for a formula."""
MOST_NEAR = 4
"""Codes that a hint names because of a word of their labels."""
LOOKALIKES = dict(
    zip(
        "аАВсСеЕНіІјЈКМоОрРѕЅТхХуУΑΒΕΖΗΙΚΜΝΟοΡΤΥΧνԁһӏ",
        "aABcCeEHiIjJKMoOpPsSTxXyYABEZHIKMNOoPTYXvdhl",
        strict=True,
    )
)
"""Letters of other alphabets that look like Latin ones."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with one place of one file."""

    file: str
    line: int = 0
    column: int = 0
    key: str = ""
    message: str = ""
    given: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return printable(self._text())

    def _text(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}:{self.column}" if self.column else f":{self.line}"
        text = f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"
        if self.given:
            text += f" ({self.given})"
        if self.hint:
            text += f"\n    {self.hint}"
        return text


class TariffsimError(Exception):
    """Base of every error this package raises on purpose; `exit_code` is the command line's."""

    exit_code = 1

    def __str__(self) -> str:
        return printable(super().__str__())


class ProblemsError(TariffsimError):
    """Input refused: carries all problems, prints the first twenty and a count."""

    exit_code = 3
    what = "problem"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(self._text())

    def __reduce__(self) -> tuple[type[ProblemsError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)

    def _text(self) -> str:
        lines = [str(problem) for problem in self.problems[:MAX_SHOWN]]
        count = len(self.problems)
        more = f", the first {MAX_SHOWN} shown" if count > MAX_SHOWN else ""
        lines.append(f"{count} {self.what}{'' if count == 1 else 's'}{more}")
        return "\n".join(lines)


class ScenarioError(ProblemsError):
    """A scenario file, or one it extends, is not valid."""


class DataError(ProblemsError):
    """A data table is not valid."""


class CalibrationError(ProblemsError):
    """No base year fits the scenario, or it misses a total of the data: it cannot be run."""


class ConservationError(TariffsimError):
    """An accounting identity does not hold: a mistake in the model, never in the input."""

    def __init__(self, month: str, identity: str, residual: float) -> None:
        self.month, self.identity, self.residual = month, identity, residual
        super().__init__(
            f"{identity} does not balance in {month}: relative residual {residual:.3g}"
        )

    def __reduce__(self) -> tuple[type[ConservationError], tuple[str, str, float]]:
        return type(self), (self.month, self.identity, self.residual)


class NotFiniteError(TariffsimError):
    """A quantity became NaN or infinite: names quantity, place and month."""


class RunsFailedError(TariffsimError):
    """No run of an experiment is left to say anything."""

    exit_code = 4


class ChoiceError(TariffsimError, ValueError):
    """Asked about an agent, a slot or a month that is not there."""

    exit_code = 2


class EngineError(TariffsimError):
    """Runs cannot be made where they were asked for."""

    exit_code = 2


class StorageError(TariffsimError):
    """Results cannot be read or written."""

    exit_code = 5


class InterruptedRuns(KeyboardInterrupt):
    """An interrupt while runs were made, of which some are kept."""


def printable(text: str) -> str:
    """Text from outside, with characters that could control a terminal escaped."""
    return "".join(ch if ch.isprintable() or ch == "\n" else ascii(ch)[1:-1] for ch in text)


def escaped(text: str) -> str:
    """The text with characters that do not print written out, and cut where it is long."""
    return _written_out(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...")


def escaped_path(text: str) -> str:
    """The same of a path, of which the end tells files apart."""
    return _written_out(text if len(text) <= LONGEST else "..." + text[3 - LONGEST :])


def _written_out(cut: str) -> str:
    return "".join(
        ch if ch.isprintable() else ch.encode("unicode_escape").decode("ascii") for ch in cut
    )


def in_quotes(name: str) -> str:
    """A name as it is written in a list of a file: in quotes where it has a comma."""
    return json.dumps(name, ensure_ascii=False) if "," in name else name


def latin(text: str) -> str:
    """The text as it looks: lookalikes and compatibility forms as Latin letters."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(LOOKALIKES.get(ch, ch) for ch in plain)


class NamedCodes(tuple[str, ...]):
    """Codes that are known by other names too."""

    other_names: Mapping[str, tuple[str, ...]]
    """Other names by code; the first is the one to show."""

    def __new__(
        cls, codes: Iterable[str] = (), other_names: Mapping[str, tuple[str, ...]] | None = None
    ) -> Self:
        """Codes in their order, with the other names of some of them."""
        self = super().__new__(cls, codes)
        self.other_names = {code: names for code, names in (other_names or {}).items() if names}
        return self


def nearest(given: str, allowed: Iterable[str]) -> str:
    """A hint: letters that are not what they look like, and the nearest allowed name.

    Codes of the data tables are found by their labels too. Where no name is near, all of them if
    they are not many, in their order; sets have none and are sorted.
    """
    is_ordered = not isinstance(allowed, (set, frozenset))
    names = list(dict.fromkeys(allowed)) if is_ordered else sorted(set(allowed))
    others = allowed.other_names if isinstance(allowed, NamedCodes) else {}
    looks = latin(given[:200])
    words = []
    strange = next((ch for ch in given if not ch.isascii()), "")
    if strange:
        name = unicodedata.name(strange, "a character without a name")
        as_letter = LOOKALIKES.get(strange) or latin(strange)
        like = f", which looks like {as_letter}" if as_letter.isascii() and as_letter else ""
        words.append(f"{escaped(strange)} is U+{ord(strange):04X} {name}{like}")
    close = _same(looks, names) or _named(looks, others) or _spelled(looks, names)
    close = close or _within_name(looks, others)
    if close:
        words.append(f"did you mean {' or '.join(close)}?")
    elif 0 < len(names) <= MOST_LISTED:
        words.append("allowed: " + ", ".join(names))
    return "; ".join(words)


def closest(given: str, allowed: Iterable[str]) -> str:
    """The allowed name that is spelled most like a text; empty if none is near."""
    return next(iter(_spelled(latin(given[:200]), tuple(allowed))), "")


def _same(looks: str, names: Sequence[str]) -> list[str]:
    """The name that differs from a text by its capital letters at most."""
    return [name for name in names if name.casefold() == looks.casefold()][:1]


def _spelled(looks: str, names: Sequence[str]) -> list[str]:
    """The name that is spelled most like a text."""
    if close := _same(looks, names) or get_close_matches(looks, names, n=1, cutoff=0.6):
        return close
    folded = {name.casefold(): name for name in names}
    return [folded[name] for name in get_close_matches(looks.casefold(), folded, n=1, cutoff=0.6)]


def _named(looks: str, others: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Codes that have a text for another name."""
    word = looks.casefold()
    found = (code for code, names in others.items() if word in map(str.casefold, names))
    return [f"{code} ({others[code][0]})" for code in islice(found, MOST_NEAR)]


def _within_name(looks: str, others: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Codes in whose other names a word begins like a text, the plural of which counts too."""
    stem = looks.casefold().removesuffix("s")
    if len(stem) < 3:
        return []
    return [
        f"{code} ({names[0]})"
        for code, names in others.items()
        if any(word.startswith(stem) for word in re.findall(r"\w+", " ".join(names).casefold()))
    ][:MOST_NEAR]
