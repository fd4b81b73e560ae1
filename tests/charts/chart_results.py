"""Small results for the tests of charts and report: all shipped scenarios, and parts of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache

import tariffsim
from tariffsim.record.results import Results
from tariffsim.scenario import replace
from tariffsim.scenario.scenario_files import shipped_names

PAIR = ("whole_product_china", "component_50")
HOSTILE = (
    "<script>alert(1)</script> & \"quotes\" 'n' $x^2_i$ {{ 7*7 }} %s --> ]]>",
    "A title as long as a paragraph about the duties that the United States might levy on the "
    "foundational chips inside everything it buys, from whichever country, by rate and by date",
    "Einevielzulangezeichenkettedieniemandtrennenkannundwilldarumbrauchtesdiesentest" * 2,
    "芯片关税 🚢 чипы \x07 bell\nand a second line",
)


@cache
def shipped() -> Results:
    """All shipped scenarios of the baseline's years, small: 150 makers, 24 months, 3 seeds."""
    small = {"run__end": "2026-12", "agents__makers": 150}
    found = {name: tariffsim.load_scenario(name) for name in shipped_names()}
    start = found["baseline"].run.start
    made = {name: replace(s, **small) for name, s in found.items() if s.run.start == start}
    base = made.pop("baseline")
    return tariffsim.compare(made, base, seeds=3, jobs=1)


@cache
def single() -> Results:
    """One seed of one policy over three months."""
    base = replace(tariffsim.load_scenario("baseline"), run__end="2025-03", agents__makers=150)
    policy = replace(
        tariffsim.load_scenario("component_50"), run__end="2025-03", agents__makers=150,
        policies__component_tariff__rate={"2025-01": 0.5},
        policies__component_tariff__announced="2025-01",
    )  # fmt: skip
    return tariffsim.compare({"component_50": policy}, base, seeds=1, jobs=1)


CUT = {"kind": "chip_cutoff", "first_day": "2026-03-11", "days": 80, "denied": 1.0}
"""A cut-off within the months of `cut_off`."""


@cache
def cut_off() -> Results:
    """Four cut-offs beside a tariff: more than a chart shows; makers hold stocks."""
    held = {"agents__makers": 150, "run__end": "2026-12", "orders__stock_factor": 1.0}
    base = replace(tariffsim.load_scenario("baseline"), **held)
    tariff = replace(tariffsim.load_scenario("component_50"), **held)
    bans = {"kind": "import_ban", "markets": ["US"], "chip_regions": ["CN"], "denied": 1.0}
    made = {
        "tariff": tariff,
        "cut": replace(base, policies__cut=CUT),
        "cut_later": replace(tariff, policies__cut=CUT | {"first_day": "2026-06-01"}),
        "half": replace(base, policies__cut=CUT | {"denied": 0.5}, orders__stock_factor=0.0),
        "ban": replace(base, policies__ban=bans | {"start": "2026-10", "grace_months": 0}),
    }
    named = {name: replace(scenario, title=f"Scenario {name}") for name, scenario in made.items()}
    return tariffsim.compare(named, base, seeds=2, jobs=1)


def part(names: Iterable[str], titles: Mapping[str, str] | None = None) -> Results:
    """The baseline and some of the shipped scenarios, as if they had been run alone."""
    whole = shipped()
    kept = ["baseline", *names]
    tables = {
        name: table[table["scenario"].isin(kept)] if "scenario" in table else table
        for name, table in whole.tables.items()
    }
    chosen = {name: whole.scenarios[name] for name in kept}
    hashes = {name: whole.provenance["scenario_hashes"][name] for name in kept}
    return dataclasses.replace(
        whole, tables=tables, scenarios=chosen, files={},
        titles={name: (titles or {}).get(name, whole.titles[name]) for name in kept},
        provenance=whole.provenance | {"scenario_hashes": hashes},
    )  # fmt: skip


def hostile() -> Results:
    """All shipped scenarios under names that break pages and pictures."""
    names = list(shipped().titles)
    return part(names[1:], {n: HOSTILE[i % len(HOSTILE)] for i, n in enumerate(names)})


def with_finding(results: Results, scenario: str, metric: str, **values: object) -> Results:
    """The same results with other numbers in one row of the headline table."""
    table = results.tables["headline"].copy()
    row = (table["scenario"] == scenario) & (table["metric"] == metric)
    for column, value in values.items():
        table.loc[row, column] = value
    return dataclasses.replace(results, tables=results.tables | {"headline": table})
