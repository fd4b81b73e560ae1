"""The value of early action: the same policy with other first months."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from typing import Any

import pandas as pd

from tariffsim.errors import Problem, ScenarioError
from tariffsim.experiments.ensemble import RunScenarios
from tariffsim.policy.time_path import TimePath
from tariffsim.record.intervals import interval_columns
from tariffsim.scenario import Scenario, catalogue, replace
from tariffsim.typing import format_moment, format_month, parse_month

NEVER = "never"
TOTALS = ("total_consumer_surplus_loss", "total_welfare", "total_revenue")


def shifted(scenario: Scenario, start: int) -> Scenario:
    """The scenario with every date of its policies moved, so that the first is `start`.

    Raises:
        ScenarioError: it has no policy.
    """
    move = start - first_month(scenario)
    policies: dict[str, Any] = {}
    for name, policy in scenario.policies.items():
        moved: dict[str, Any] = {}
        for field, parameter in catalogue.of_instrument(policy.kind).items():
            value = getattr(policy, field)
            if isinstance(value, TimePath) and value.months:
                months = tuple(month + move for month in value.months)
                moved[field] = value.model_copy(update={"months": months})
            elif parameter.kind == "date" and value is not None:
                moved[field] = _date_moved(value, move, is_last=field == "end")
            elif parameter.unit == catalogue.BY_MARKET:
                moved[field] = {code: format_month(month + move) for code, month in value.items()}
            elif parameter.unit == "day" and value is not None:
                moved[field] = _day_moved(value, move)
        policies[name] = moved
    return replace(scenario, policies=policies)


def _date_moved(moment: float, months: int, is_last: bool) -> str:
    text = format_moment(moment, is_last)
    return _day_moved(text, months) if len(text) == 10 else format_month(int(moment) + months)


def _day_moved(day: str, months: int) -> str:
    """The same day so many months later; the last of the month if it has no such day."""
    moved = parse_month(day[:7]) + months
    year, month = divmod(moved, 12)
    return f"{format_month(moved)}-{min(int(day[8:]), monthrange(year, month + 1)[1]):02d}"


def first_month(scenario: Scenario) -> int:
    """When the first of its policies starts; conditional policies follow others.

    Raises:
        ScenarioError: it has none.
    """
    if not scenario.dated_policies:
        raise ScenarioError([Problem(scenario.name, message="has no policy to move")])
    return min(policy.first_month for policy in scenario.dated_policies.values())


def timing(
    scenario: Scenario, starts: Sequence[int], baseline: Scenario, run_scenarios: RunScenarios
) -> pd.DataFrame:
    """Effect of the policies of a scenario by the end of the run, by their first month.

    Returns:
        One row a start, and one for `never`, the baseline: `share` at the end with the interval of
        its difference from the baseline, seed by seed; `share_reduction` over the whole run, pp x
        months; loss of consumer surplus, welfare and revenue over the whole run, bn USD.
    """
    variants = {format_month(start): shifted(scenario, start) for start in starts}
    table = run_scenarios({NEVER: baseline} | variants).set_index(["scenario", "seed"])
    months = baseline.run.end - baseline.run.start + 1
    never = table.loc[NEVER]
    level = float(never["cn_share"].mean())
    rows = []
    for name in [*variants, NEVER]:
        change = table.loc[name] - never
        row: dict[str, Any] = {"start": name, "label": scenario.short_name}
        row |= interval_columns("share", change["cn_share"], level)
        row |= interval_columns("share_reduction", -months * change["run_cn_share"])
        for total in TOTALS:
            row |= interval_columns(total, change[total])
        rows.append(row | {"n": len(never)})
    return pd.DataFrame(rows)
