"""`diff`: how two scenarios differ, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.options import load_all
from tariffsim.cli.scenario_files import in_short
from tariffsim.cli.screen import Command, Screen, prose

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario
    from tariffsim.scenario.provenance import Explained

TEXTS = ("schema_version", "title", "label", "description", "sources")
"""What a scenario says of itself and no run depends on."""


@dataclass(frozen=True)
class Difference:
    """A value that two scenarios do not share, or a policy that only one has."""

    key: str
    first: str
    """What it is in the first scenario; empty if it is not there."""
    second: str
    unit: str
    meaning: str

    def __str__(self) -> str:
        before, after = self.first or "not there", self.second or "not there"
        unit = f" ({self.unit})" if self.unit else ""
        meaning = f" {self.meaning.rstrip('.')}." if self.meaning else ""
        return f"{self.key}{unit}: {before} -> {after}.{meaning}"


@click.command(cls=Command, order=122, short_help="How two scenarios differ, in words.")
@click.argument("first", metavar="A", type=SCENARIO)
@click.argument("second", metavar="B", type=SCENARIO)
def diff(screen: Screen, first: str, second: str) -> None:
    """Say how scenario B differs from scenario A: policies, values, data.

    Each is the path of a scenario or the name of a shipped one; what they build on is resolved, and
    titles and descriptions do not count.

    Examples:
      tariffsim diff component_50 component_late
      tariffsim diff baseline my_tariff.yaml --json
    """
    a, b = load_all([first, second])
    found = [*_policies(a, b), *_values(a, b)]
    data = {
        "first": a.name, "second": b.name, "is_equal": a.content_hash == b.content_hash,
        "differences": [asdict(one) for one in found],
    }  # fmt: skip
    if a.content_hash == b.content_hash:
        words = f"{a.name} and {b.name} are equal: every run of both gives the same numbers."
    else:
        head = f"From {a.name} to {b.name}, {len(found)} differences:"
        words = "\n".join([prose(head), *(prose(f"- {one}") for one in found)])
    screen.show(words, data)


def _policies(a: Scenario, b: Scenario) -> Iterator[Difference]:
    """Policies that only one of them has."""
    for name in dict.fromkeys([*a.policies, *b.policies]):
        kinds = [s.policies[name].kind if name in s.policies else "" for s in (a, b)]
        if not all(kinds):
            policy = (a.policies.get(name) or b.policies[name]).__class__
            meaning = (policy.__doc__ or "").split("\n")[0]
            yield Difference(f"policies.{name}", kinds[0], kinds[1], "", meaning)


def _values(a: Scenario, b: Scenario) -> Iterator[Difference]:
    """Values of what both have, or of a policy that one has and the other lacks."""
    from tariffsim.scenario.provenance import explain

    first, second = ({row.key: row for row in explain(s) if _counts(row)} for s in (a, b))
    for key in dict.fromkeys([*first, *second]):
        one, other = first.get(key), second.get(key)
        before, after, known = _text(one), _text(other), other or one
        is_default = (one is None or other is None) and known is not None
        if before == after or known is None or (is_default and known.where == "default"):
            continue
        yield Difference(key, before, after, known.unit, known.meaning)


def _counts(row: Explained) -> bool:
    """Whether a run depends on a value; the kind of a policy is told with the policy."""
    own = row.key.split(".")
    return own[0] not in TEXTS and own[-1] not in ("kind", "source")


def _text(row: Explained | None) -> str:
    value: Any = row.value if row is not None else None
    return in_short(value)
