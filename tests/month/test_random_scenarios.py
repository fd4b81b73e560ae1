"""Scenarios nobody wrote: many instruments and switches at once, and the accounts still balance."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import catalogue
from tariffsim.simulation import Simulation
from tariffsim.typing import format_month
from tests.economies import merged, scenario
from tests.policy.test_instruments import KINDS, strengths, variants

START, MONTHS = 2025 * 12, 20
SWITCHES = {
    key: parameter.choices
    for key, parameter in catalogue.blocks().items()
    if parameter.choices and "." in key
}
"""Every choice among mechanisms that a scenario has."""


@st.composite
def policies(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Up to eight instruments of any kinds and variants, with dates, scopes and conditions."""
    found: dict[str, dict[str, Any]] = {}
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(KINDS))
        low, high, _ = INSTRUMENTS[kind].bounds()
        strength = draw(st.sampled_from([*strengths(kind), 0.9 * low, 0.6 * high]))
        fields = draw(st.sampled_from(variants(kind, strength)))
        start = START + draw(st.integers(0, MONTHS - 2))
        fields |= {"start": format_month(start)}
        if draw(st.booleans()):
            fields["announced"] = format_month(START + draw(st.integers(0, start - START)))
            fields["belief"] = draw(st.sampled_from([1.0, 1.0, 0.3, 0.0]))
            if draw(st.integers(0, 3)) == 0:
                fields["withdrawn"] = format_month(draw(st.integers(START, start)))
                fields["announced"] = format_month(START)
        if draw(st.booleans()):
            fields["end"] = format_month(start + draw(st.integers(0, 8)))
        if "markets" not in INSTRUMENTS[kind].without and draw(st.booleans()):
            fields["markets"] = draw(st.sampled_from([["US"], ["CN"], ["US", "EU", "JK"], ["ROW"]]))
        if found and draw(st.integers(0, 3)) == 0:
            del fields["start"]
            for field in ("announced", "end", "withdrawn"):
                fields.pop(field, None)
            fields["when"] = f"{draw(st.sampled_from(sorted(found)))} in force for 1 months"
        elif fields.keys().isdisjoint(("first_day", "days", "joins")) and not draw(
            st.integers(0, 4)
        ):
            for field in ("start", "end"):
                fields.pop(field, None)
            fields |= {"enacted": False, "announced": format_month(START)}
        found[f"p{number}"] = fields
    return found


@st.composite
def switches(draw: st.DrawFn) -> dict[str, Any]:
    """Some choice for each mechanism."""
    blocks: dict[str, Any] = {}
    for key, choices in SWITCHES.items():
        block, field = key.split(".")
        blocks = merged(blocks, {block: {field: draw(st.sampled_from(choices))}})
    return blocks


@given(rules=policies(), blocks=switches(), seed=st.integers(0, 50))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_accounts_balance_whatever_the_law(
    rules: dict[str, dict[str, Any]], blocks: dict[str, Any], seed: int
) -> None:
    run = {"run": {"start": format_month(START), "end": format_month(START + MONTHS - 1)}}
    world = scenario({"policies": rules}, blocks, run, makers=50)
    history = Simulation(world, seed).run()  # raises where accounts or numbers fail
    sold, bought = history.cells["units"], history.cells["retail_value"]
    assert (sold >= 0).all()
    assert (bought >= 0).all()
    assert (history.foundries["capacity"] >= 0).all()
    assert (history.foundries["price"] > 0).all()
    made, used = (history.foundries[name].sum(axis=1) for name in ("output", "capacity"))
    assert (made <= used * (1 + 1e-9)).all()  # nobody makes more than there are lines for
    assert np.isfinite(history.ledger).all()


def test_switches_are_drawn() -> None:
    """The mechanisms whose choices this file draws; a new one is here by itself."""
    assert {"supply.investment", "sourcing.foresight", "trade.origin_rule"} <= SWITCHES.keys()
    assert len(KINDS) >= 10
