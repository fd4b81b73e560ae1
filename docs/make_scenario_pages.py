"""Write a page for each shipped scenario, from its file, its fields and its stored result.

Nothing is run: the numbers are those of `tests/expected`, which the tests compare with fresh runs.
"""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any

from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.record.dictionary import metrics
from tariffsim.record.statements import number
from tariffsim.report.settings import in_words
from tariffsim.scenario import Scenario, load_scenario
from tariffsim.scenario.catalogue import Parameter, blocks, of_policy
from tariffsim.scenario.scenario_files import shipped_names

DOCS = Path(__file__).resolve().parent
FOLDER = DOCS / "scenarios"
FILES = DOCS.parent / "scenarios"
EXPECTED = DOCS.parent / "tests" / "expected"
SEED = "0"
NOT_SHOWN = ("kind", "source")
SCOPE = ("markets", "chip_regions")
"""Shown even where they are the default."""
table = runpy.run_path(str(DOCS / "make_parameters_page.py"))["table"]
ROW = re.compile(r"^\| \[?`(\w+)`[^|]*\| (.+) \| `(\w+)` \|$", re.MULTILINE)
ONE_RUN = """## One run

What a single run (seed {seed}, {start} to {end}) gives in the last twelve months, or over the whole
run where that is said. The tests compare these numbers with a fresh run. """
LEVELS = "They are levels under the assumptions of the scenario, not a forecast.\n"
DIFFERENCES = """One run has no interval: read a difference
as what the model computes once, not as an effect. For effects with their intervals:
`tariffsim compare {name}`.
"""


def questions() -> dict[str, tuple[str, str]]:
    """The question that each scenario answers and the chart to look at first."""
    rows = ROW.findall((FILES / "README.md").read_text(encoding="utf-8"))
    return {name: (question, chart) for name, question, chart in rows}


def text(value: Any) -> str:
    """A value of a scenario in words, as reports say it; nothing is `none`."""
    return "none" if value is None else in_words(value)


def row_of(parameter: Parameter, *values: Any) -> list[str]:
    """A line of a table of values."""
    name = parameter.key.split(">.")[-1]
    return [f"`{name}`", *map(text, values), parameter.unit, parameter.description]


def policy(name: str, found: Instrument) -> Iterator[str]:
    """What a policy is, and its fields that are not left at their defaults."""
    known = of_policy(found)
    values = found.model_dump(mode="json")
    rows = [
        row_of(parameter, values[field])
        for field, parameter in known.items()
        if field not in NOT_SHOWN
        and (getattr(found, field) != parameter.default or (field in SCOPE and values[field]))
    ]
    about = (INSTRUMENTS[found.kind].__doc__ or "").strip().partition("\n")[0]
    yield f"### {name}\n\n[`{found.kind}`](../parameters.md#{found.kind}): {about}\n"
    yield table(("field", "value", "unit", "meaning"), rows)


def settings(scenario: Scenario, base: Scenario) -> list[list[str]]:
    """Values outside the policies that are not those of the baseline."""
    contents = [one.model_dump(mode="json") for one in (base, scenario)]
    found = []
    for key, parameter in blocks().items():
        block, _, field = key.rpartition(".")
        if not block:
            continue
        was, now = (one[block][field] for one in contents)
        if was != now:
            found.append(row_of(parameter, was, now))
    return found


def tables_of(scenario: Scenario) -> str:
    """A sentence on figures and tables that are not the shipped ones."""
    words = []
    if names := ", ".join(f"`{name}`" for name in scenario.figures):
        words.append(f"sets figures of {names}")
    if names := ", ".join(f"`{name}`" for name in scenario.data):
        words.append(f"replaces the tables {names}")
    where = "as its file, or the one that this extends, says"
    return f"It also {' and '.join(words)}, {where}.\n" if words else ""


def stored(name: str) -> dict[str, float]:
    """The stored metrics of a scenario's run."""
    found = json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))
    return dict(found[SEED])


def result(scenario: Scenario) -> Iterator[str]:
    """The stored run beside that of the scenario it is compared with."""
    name, other = scenario.name, scenario.compare_with
    own, base = stored(name), stored(other)
    run = scenario.run.model_dump(mode="json")
    about = ONE_RUN + (LEVELS if name == other else DIFFERENCES)
    yield about.format(seed=SEED, name=name, start=run["start"], end=run["end"])
    rows = []
    for metric in metrics().values():
        if not (own.get(metric.name) or base.get(metric.name)):
            continue
        now, was = own[metric.name], base[metric.name]
        values = [number(now, metric.decimals)]
        if name != other:
            values = [number(was, metric.decimals), *values]
            values.append(number(now - was, metric.decimals, sign=True))
        unit = metric.unit
        if name != other and unit.startswith("%"):
            unit += " (difference: pp)"
        rows.append([metric.label, f"`{metric.name}`", *values, unit])
    levels = [f"`{name}`"] if name == other else [f"`{other}`", f"`{name}`", "difference"]
    yield table(("metric", "name", *levels, "unit"), rows)


def page(name: str) -> str:
    """The whole page of a scenario."""
    scenario, base = load_scenario(name), load_scenario("baseline")
    question, chart = questions()[name]
    other = scenario.compare_with
    parts = [
        f"# {name}\n", f"**{scenario.title}**\n", f"{fill(scenario.description, 110)}\n",
        f"*Question:* {question}\\",
        f"*Compared with:* [`{other}`]({other}.md) · *Chart to look at first:* `{chart}`\n",
    ]  # fmt: skip
    if scenario.policies:
        parts.append("## Policies\n")
        for own, found in scenario.policies.items():
            parts += policy(own, found)
    if rows := settings(scenario, base):
        parts.append("## Settings that are not those of the baseline\n")
        parts.append(table(("key", "baseline", "here", "unit", "meaning"), rows))
    if words := tables_of(scenario):
        parts.append(words)
    parts += result(scenario)
    file = (FILES / f"{name}.yaml").read_text(encoding="utf-8")
    parts.append(f"## The file\n\n```yaml\n{file.rstrip()}\n```\n")
    return "\n".join(parts)


def main() -> None:
    """Write every page, and remove those of scenarios that are gone."""
    FOLDER.mkdir(exist_ok=True)
    names = shipped_names()
    for name in names:
        (FOLDER / f"{name}.md").write_text(page(name), encoding="utf-8", newline="\n")
    for path in FOLDER.glob("*.md"):
        if path.stem not in names:
            path.unlink()


if __name__ == "__main__":
    main()
