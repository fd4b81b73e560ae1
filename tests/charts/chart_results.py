"""Small results for the tests of charts and report, and what each chart is drawn from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cache

import tariffsim
from tariffsim.charts import Picture, pictures
from tariffsim.explain import Explanation
from tariffsim.record.results import Results
from tariffsim.scenario import replace
from tariffsim.scenario.scenario_files import shipped_names

PAIR = ("whole_product_china", "component_50")
SOME = (
    *PAIR,
    "bare_chip_2027",
    "chip_cutoff_component",
    "component_allied",
    "component_late",
    "no_expansion",
    "retaliation",
    "specific_per_chip",
    "whole_product_content",
)
"""One or more of every kind of scenario, and more than a chart names beside their points."""
HOSTILE = (
    "<script>alert(1)</script> & \"quotes\" 'n' $x^2_i$ {{ 7*7 }} %s --> ]]>",
    "A title as long as a paragraph about the duties that the United States might levy on the "
    "legacy chips inside everything it buys, from whichever country, by rate and by date",
    "Einevielzulangezeichenkettedieniemandtrennenkannundwilldarumbrauchtesdiesentest" * 2,
    "芯片关税 🚢 чипы \x07 bell\nand a second line",
)


def _compared(names: Iterable[str]) -> Results:
    """Shipped scenarios of the baseline's years, small: 150 makers, 24 months, 2 seeds."""
    small = {"run__end": "2026-12", "agents__makers": 150}
    base = tariffsim.load_scenario("baseline")
    found = {name: tariffsim.load_scenario(name) for name in names if name != "baseline"}
    made = {n: replace(s, **small) for n, s in found.items() if s.run.start == base.run.start}
    return tariffsim.compare(made, replace(base, **small), seeds=2, fixed_parameters=True)


@cache
def some() -> Results:
    """The baseline and ten other scenarios."""
    return _compared(SOME)


@cache
def shipped() -> Results:
    """All shipped scenarios: only for tests that are marked `slow`."""
    return _compared(shipped_names())


@cache
def single() -> Results:
    """One seed of one policy over three months."""
    base = replace(tariffsim.load_scenario("baseline"), run__end="2025-03", agents__makers=150)
    policy = replace(
        tariffsim.load_scenario("component_50"), run__end="2025-03", agents__makers=150,
        policies__component_tariff__rate={"2025-01": 0.5},
        policies__component_tariff__announced="2025-01",
    )  # fmt: skip
    return tariffsim.compare({"component_50": policy}, base, seeds=1, fixed_parameters=True)


@cache
def one_slot() -> Explanation:
    """One chip choice of one maker."""
    scenario = replace(
        tariffsim.load_scenario("component_50"), run__end="2025-06", agents__makers=60
    )
    found = tariffsim.explain_choice(scenario, 17)
    return dataclasses.replace(found, slots=found.slots[:1])


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
    return tariffsim.compare(named, base, seeds=2, fixed_parameters=True)


def without_loss() -> Results:
    """Cut-offs from which nobody loses anything, in one run."""
    results = cut_off()
    tables = {
        name: table.assign(lost_value=0.0) if "lost_value" in table else table
        for name, table in results.tables.items()
    }
    seeds = tables["market_month"]["seed"]
    tables["market_month"] = tables["market_month"][seeds == 0]
    return dataclasses.replace(results, tables=tables)


def part(
    names: Iterable[str], titles: Mapping[str, str] | None = None, of: Results | None = None
) -> Results:
    """The baseline and some other scenarios of `some`, or `of`, as if they had been run alone."""
    whole = of or some()
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


def hostile(results: Results) -> Results:
    """The same results under titles that break pages and pictures."""
    titles = {name: HOSTILE[i % len(HOSTILE)] for i, name in enumerate(results.titles)}
    return dataclasses.replace(results, titles=titles)


COMPARISONS: dict[str, Callable[[], Results]] = {
    "eleven scenarios with hostile titles": lambda: hostile(some()),
    "whole product against component": lambda: part(PAIR),
    "baseline alone": lambda: part([]),
}
"""What all charts of comparisons are tested on."""
MORE_COMPARISONS: dict[str, Callable[[], Results]] = {
    "eleven scenarios": some,
    "all shipped scenarios": shipped,
    "all shipped scenarios with hostile titles": lambda: hostile(shipped()),
    "two component tariffs": lambda: part(["component_50", "component_late"]),
    "one policy": lambda: part(["bare_chip_2027"]),
    "one seed, three months": single,
    "cut-offs with hostile titles": lambda: hostile(cut_off()),
    "cut-offs": cut_off,
    "cut-offs of one seed that cost nothing": without_loss,
}
"""What they are tested on besides, where time does not matter."""


@cache
def drawn(name: str) -> tuple[list[Picture], dict[str, str]]:
    """The charts of one of COMPARISONS, and why others are left out; not to be changed."""
    return pictures(COMPARISONS[name]())


@cache
def files_of_pair() -> dict[str, bytes]:
    """Files of the charts of two tariffs."""
    made, _ = drawn("whole product against component")
    return {f"charts/{name}": data for picture in made for name, data in picture.files().items()}


def with_estimate(results: Results, scenario: str, metric: str, **values: object) -> Results:
    """The same results with other numbers in one row of the headline table."""
    table = results.tables["headline"].copy()
    row = (table["scenario"] == scenario) & (table["metric"] == metric)
    for column, value in values.items():
        table.loc[row, column] = value
    return dataclasses.replace(results, tables=results.tables | {"headline": table})


def undecided(results: Results) -> Results:
    """The same, but what scenarios change in one of two seeds they undo in the other."""
    tables = dict(results.tables)
    headline = tables["headline"].copy()
    others = headline["scenario"] != results.baseline
    size = headline["difference"].abs().clip(lower=0.1)
    headline.loc[others, "difference"] = 0.1 * size[others]
    headline.loc[others, "low"], headline.loc[others, "high"] = -size[others], 1.2 * size[others]
    headline.loc[others, "is_significant"] = False
    tables["headline"] = headline
    for name in ("device_end", "market_origin_end", "market_region_end", "welfare_end", "summary"):
        table = tables[name]
        numbers = [c for c in table.select_dtypes("float") if c != "seed"]
        keys = [c for c in table if c not in numbers]
        rows = table.set_index(keys)[numbers].sort_index()
        base = rows.xs(results.baseline, level="scenario", drop_level=False)
        for scenario in results.scenarios:
            if scenario != results.baseline:
                own = rows.xs(scenario, level="scenario", drop_level=False)
                change = own.to_numpy() - base.to_numpy()
                first = own.index.get_level_values("seed") == 0
                moved = base.to_numpy().copy()
                moved[first] += change[first]
                moved[~first] -= change[first]
                rows.loc[own.index] = moved
        tables[name] = rows.reset_index()[[*table]]
    return dataclasses.replace(results, tables=tables)


def with_drawn_parameters(results: Results) -> Results:
    """The same results as if every seed had had parameters of its own."""
    parts = {"sd_seeds": 0.5, "sd_parameters": 1.5, "sign_probability": 0.98}
    summary = results.tables["summary"]
    tables = {
        "headline": results.tables["headline"].assign(**parts),
        "summary": summary.assign(draw=summary["seed"]),
    }
    named = {"component_50": {"sourcing.elasticity": 0.4}}
    facts = {"parameters": {"strongest": named, "chance": 0.1}}
    return dataclasses.replace(
        results, tables=results.tables | tables, provenance=results.provenance | facts
    )
