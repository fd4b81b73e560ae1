"""Scenarios at the ends of what is allowed: every parameter of the catalogue, and the figures.

Values come from the bounds, so that a new parameter is drawn by itself.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.tables import FIGURE_TABLES, FigureTable, load_tables
from tariffsim.tables.figure_tables import DATED, Spec
from tariffsim.typing import format_month
from tests.economies import merged
from tests.policy.test_instruments import KINDS, variants

START = 2025 * 12
FIXED = {"run", "agents", "experiment"}
"""Blocks that are set here."""
LITTLE = 1e-9
"""How near numbers come to a bound that they must not reach."""
PARAMETERS = {
    key: parameter
    for key, parameter in catalogue.blocks().items()
    if "." in key and key.split(".")[0] not in FIXED
}
FIGURES = {
    (table, name): spec
    for table, rules in FIGURE_TABLES.items()
    for name, spec in rules.parameters.items()
    if not spec.is_text
}
"""Numbers by table and name; a dated one is of months of the runs, see `name_in_runs`."""


def ends(parameter: Parameter) -> list[Any]:
    """The least and the most of a parameter, the ends of its range, and its choices."""
    if parameter.kind == "true or false":
        return [False, True]
    if parameter.choices:
        return list(parameter.choices)
    least = parameter.least if parameter.above is None else parameter.above + LITTLE
    found = [least, parameter.most, parameter.low, parameter.high]
    whole = parameter.kind == "whole number"
    return [int(value) if whole else float(value) for value in found if value is not None]


def ends_of_figure(spec: Spec, value: float) -> list[float]:
    """The ends of what a figure may be; where it has none, a hundred times more or less."""
    scale = value or 1.0
    least = max(spec.least, spec.above + LITTLE, -100 * abs(scale))
    most = min(spec.most, spec.below - LITTLE, 100 * abs(scale))
    found = [least, most, max(least, min(most, 0.1 * scale)), max(least, min(most, 3 * scale))]
    return [float(round(value)) if spec.whole else value for value in found]


def name_in_runs(name: str) -> str:
    """The name of a figure; of a dated one, that from the first month of the runs on."""
    return name.replace(DATED, format_month(START))


def codes_with(shipped: FigureTable, name: str) -> list[str]:
    """Codes whose figure is a number; all of them where it is given for none."""
    figures = shipped.figures
    found = [c for c in shipped.codes if (c, name) in figures
             and isinstance(figures[c, name].value, float)]  # fmt: skip
    return found or list(shipped.codes)


def shipped_value(shipped: FigureTable, code: str, name: str) -> float:
    """The number of a code; one where none is given."""
    is_there = (code, name) in shipped.figures
    return shipped.number(code, name, missing=1.0) if is_there else 1.0


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Any]:
    """A few parameters at an end."""
    found: dict[str, Any] = {}
    for key in draw(st.lists(st.sampled_from(sorted(PARAMETERS)), max_size=8, unique=True)):
        block, name = key.split(".")
        value = draw(st.sampled_from(ends(PARAMETERS[key])))
        found = merged(found, {block: {name: value}})
    return found


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Any]:
    """A few figures at an end, of one code or of all."""
    found: dict[str, Any] = {}
    tables = load_tables()
    for table, name in draw(st.lists(st.sampled_from(sorted(FIGURES)), max_size=3, unique=True)):
        shipped, spec = getattr(tables, table), FIGURES[table, name]
        name, codes = name_in_runs(name), codes_with(shipped, name)
        chosen = codes if draw(st.booleans()) else [draw(st.sampled_from(codes))]
        for code in chosen:
            value = shipped_value(shipped, code, name)
            value = draw(st.sampled_from(ends_of_figure(spec, value)))
            found = merged(found, {table: {code: {name: value}}})
    return found


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Up to four instruments at the least or most of their strength, from one of the months."""
    found: dict[str, Any] = {}
    for number in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(KINDS))
        strength = draw(st.sampled_from(INSTRUMENTS[kind].bounds()[:2]))
        fields = draw(st.sampled_from(variants(kind, strength)))
        fields |= {"start": format_month(START + draw(st.integers(0, 6)))}
        if "markets" not in INSTRUMENTS[kind].without:
            fields["markets"] = draw(st.sampled_from([["US"], ["CN"], ["US", "EU", "JK"]]))
        found[f"p{number}"] = fields
    return found


@st.composite
def extremes(draw: st.DrawFn, longest: int = 72) -> dict[str, Any]:
    """A scenario file of a few makers, as a mapping."""
    months = draw(st.sampled_from([1, 7, longest]))
    run = {"start": format_month(START), "end": format_month(START + months - 1), "seeds": 1}
    importers = draw(st.sampled_from([1, 1, 3, 40]))
    agents = {"makers": draw(st.sampled_from([1, 2, 3, 7, 40])), "importers_max": importers,
              "importers_min": draw(st.sampled_from([1, importers]))}  # fmt: skip
    agents["size_pareto"] = draw(st.sampled_from([0.5 + LITTLE, 1.6, 10.0]))
    agents["size_limit"] = draw(st.sampled_from([1 + LITTLE, 200.0, 1e6]))
    rest = {"policies": draw(policies()), "figures": draw(figures())}
    return merged(draw(blocks()), {"run": run, "agents": agents}, rest)
