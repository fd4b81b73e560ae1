"""What is valid but probably not meant: one sentence each."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from tariffsim.calibration.base_duties import base_duties, region_of
from tariffsim.calibration.base_year import data_totals, trade_moved
from tariffsim.calibration.build import line_plan, require_base_year
from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.calibration.tariff_calendar import TariffCalendar
from tariffsim.calibration.tariff_schedule import make_tariff_schedule
from tariffsim.explain.calendar_remarks import group_remarks, names_alike, row_remarks
from tariffsim.explain.refund_remarks import refund_remarks
from tariffsim.law.declarations import Declarations, declared_duties
from tariffsim.law.expectations import Expected
from tariffsim.law.policy_of_month import base_imports, policy_of_month
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario import Scenario
from tariffsim.scenario.checks import doubted_policy
from tariffsim.scenario.checks import remarks as remarks_on_dates
from tariffsim.scenario.doubt_remarks import never_expected
from tariffsim.state.economy import Economy
from tariffsim.tables import BARE_CHIPS, CalendarRow
from tariffsim.typing import format_month

if TYPE_CHECKING:
    from tariffsim.law.policy_state import DeliveredShare
    from tariffsim.policy.shipments import Codes
    from tariffsim.typing import Float

MOST_NAMED = 3
MOST_YEARS = 8
"""After the run within which choices made in it may meet a measure."""
ROUNDING = 1e-9
"""Of a duty; those of 2024 are given to six digits."""


def remarks(scenario: Scenario) -> Iterator[str]:
    """All remarks on a valid scenario; it is built with no more makers than `validate` takes."""
    yield from remarks_on_dates(scenario)
    yield from names_alike(scenario)
    yield from group_remarks(scenario)
    economy = require_base_year(scenario)
    codes = economy.constants.codes
    tables = scenario.tables()
    calendar = TariffCalendar(scenario, tables.calendar, base_duties(scenario, tables, codes))
    yield from _too_few_lines(scenario, economy)
    yield from _parts_of_regions(scenario, calendar, codes)
    yield from _below_zero(scenario, calendar)
    yield from row_remarks(scenario, calendar, economy)
    for name, policy in scenario.dated_policies.items():
        pays_back = type(policy).refund is not Instrument.refund  # of earlier months
        told = policy.first_month > scenario.run.end or _is_over(policy, scenario) or pays_back
        if told or never_expected(doubted_policy(policy), scenario):
            continue
        if policy.is_law or _is_foreseen(policy):
            yield from _without_effect(scenario, economy, name, policy)
        else:
            yield (
                f"{scenario.name}: policies.{name} does nothing: it never comes into force, and "
                f"nobody decides anything on a {policy.kind} that is only expected"
            )
    yield from refund_remarks(scenario, _under(economy, scenario))
    yield from _out_of_focus(scenario)


def levied_elsewhere(scenario: Scenario, market: str) -> Iterator[str]:
    """Whether all measures of a scenario are levied by other markets than the one asked about."""
    policies = {
        name: policy
        for name, policy in scenario.policies.items()
        if "markets" not in policy.without
    }
    levying = sorted({m for policy in policies.values() for m in policy.markets})
    if policies and market not in levying:
        name = next(iter(policies))
        yield (
            f"{scenario.name}: its measures are those of {', '.join(levying)}, none of {market}; "
            f"to see them: --market {levying[0]}; to have one there: "
            f"--set 'policies.{name}.markets=[{market}]'"
        )


def _too_few_lines(scenario: Scenario, economy: Economy) -> Iterator[str]:
    """What fewer lines than carry the trade leave out or move."""
    makers, plan = scenario.agents.makers, line_plan(scenario, economy.constants)
    if makers >= plan.wanted:
        return
    moved = trade_moved(economy)
    kept, bought = (
        int((totals.sum(axis=(1, 2)) > 0).sum()) for totals in (plan.trade, data_totals(economy))
    )
    shares = ", ".join(
        f"{100 * share:.1f} % of {market}"
        for market, share in zip(economy.constants.codes.markets, moved, strict=True)
    )
    yield (
        f"{scenario.name}: agents.makers: its trade differs: {plan.wanted} lines carry that of the "
        f"tables, and {makers} do not. Global lines stand for lines of one market, countries with "
        f"up to {100 * plan.tail:.3g} % of a device and market are left out, {kept} of {bought} "
        f"device groups are kept, and of purchases {shares} come from other countries or groups"
    )


def _out_of_focus(scenario: Scenario) -> Iterator[str]:
    """Measures on the origin of chips in markets for which no line makes a version of its own."""
    focus = scenario.agents.focus
    for name, policy in scenario.policies.items():
        markets = policy.markets if policy.depends_on_chip_origin else ()
        others = [m for m in markets if m not in focus and m != CHINA]
        if others:
            wanted = ", ".join((*focus, *others))
            yield (
                f"{scenario.name}: policies.{name} asks where chips are from in "
                f"{', '.join(others)}, out of focus (agents.focus: [{', '.join(focus)}]): no line "
                f"gives these markets a version of its own; for that: agents.focus: [{wanted}]"
            )


def _is_foreseen(policy: Instrument) -> bool:
    """Whether choices depend on a measure before it is in force."""
    own, none = type(policy), Instrument
    return (
        own.duty is not none.duty
        or own.enforcement is not none.enforcement
        or own.avoided_share is not none.avoided_share
        or policy.restricts_supply
        or policy.replaced != ()
    )


def _is_over(policy: Instrument, scenario: Scenario) -> bool:
    return policy.ends is not None and policy.ends <= scenario.run.start


def _parts_of_regions(scenario: Scenario, calendar: TariffCalendar, codes: Codes) -> Iterator[str]:
    """Rows on unmounted chips of some countries of a region, whose chips are one in the model."""
    shares = calendar.duties.region_share
    for own in calendar.instruments.values():
        for row in own:
            for region, named in _partly_named(row, codes, shares).items():
                kinds = [good for good in BARE_CHIPS if good in row.devices]
                parts = ", ".join(
                    f"{100 * sum(shares.get((good, o), 0.0) for o in named):.0f} % of {good}"
                    for good in kinds
                )
                lead = f"{scenario.name}: {row.instrument}, {row.date or row.announced}"
                yield (
                    f"{lead}: the model does not tell the "
                    f"countries of region {region} apart for unmounted chips; the row names "
                    f"{', '.join(named)} and is levied on their part of the region's imports of "
                    f"2024 ({parts})"
                )


def _partly_named(row: CalendarRow, codes: Codes, shares: Any) -> dict[str, list[str]]:
    """Countries that a row on unmounted chips names, where its region has others with imports."""
    found: dict[str, list[str]] = {}
    if not any(good in row.devices for good in BARE_CHIPS):
        return found
    for origin in row.against:
        found.setdefault(region_of(origin, codes), []).append(origin)
    others = {
        region_of(o, codes) for (_, o), share in shares.items() if share and o not in row.against
    }
    return {region: named for region, named in found.items() if region in others}


def _below_zero(scenario: Scenario, calendar: TariffCalendar) -> Iterator[str]:
    """Duties of 2024 that are lowered by more than was collected."""
    months = range(scenario.run.start, scenario.run.end + 1)
    found: dict[str, list[str]] = {}
    for (of, good), held in calendar.in_base.items():
        collected = calendar.duties.collected.get(good, 0.0)
        if of[1] != DATA_MARKET or held <= collected:
            continue
        below = (m for m in months if collected + calendar.change(good, of[1], m) < -ROUNDING)
        if (month := next(below, None)) is not None:
            found.setdefault(calendar.instruments[of][0].instrument, []).append(
                f"{good[0]} from {good[1]} from {format_month(month)} on (its rows amount to "
                f"{held:.4g} in 2024, but only {collected:.4g} was collected)"
            )
    for name, places in found.items():
        more = f" and {len(places) - MOST_NAMED} more" if len(places) > MOST_NAMED else ""
        yield (
            f"{scenario.name}: without {name} duties would be negative; they are 0 on "
            f"{'; '.join(places[:MOST_NAMED])}{more}"
        )


def _without_effect(
    scenario: Scenario, economy: Economy, name: str, policy: Instrument
) -> Iterator[str]:
    """Whether all that a policy could do is the same without it, in every month of the run.

    What never comes into force is taken for law from the month in which it is known.
    """
    if not policy.is_law:
        law = {"enacted": True, "withdrawn": None, "start": policy.known_from, "belief": 1.0}
        policy = policy.model_copy(update=law)
        scenario = scenario.model_copy(update={"policies": scenario.policies | {name: policy}})
    others = scenario.model_copy(
        update={"policies": {n: p for n, p in scenario.policies.items() if n != name}}
    )
    with_it, without = (_under(economy, each) for each in (scenario, others))

    def acts(first: int, last: int) -> bool:
        """Whether the law differs in any month; asked once for each legal regime."""
        months = _months_of_change(economy, policy, first, last)
        return any(not _same(_effects(with_it, m), _effects(without, m)) for m in months)

    run = scenario.run
    if acts(run.start, run.end):
        return
    if policy.known_from <= run.end and acts(run.end + 1, run.end + 12 * MOST_YEARS):
        yield f"{scenario.name}: policies.{name} is only expected: what it does comes after the run"
        return
    yield (
        f"{scenario.name}: policies.{name} does nothing{_reason(economy, name, policy)}: duties, "
        "audits, supply limits, demand and public money are the same without it in every month of "
        "the run, on the products of the base year"
    )


def _months_of_change(economy: Economy, policy: Instrument, first: int, last: int) -> list[int]:
    """First month of each legal regime while a policy is in force."""
    ends = last if policy.last_month is None else min(policy.last_month, last)
    schedule = economy.tariff_schedule

    def regime(month: int) -> tuple[float, ...]:
        rates = schedule.rates_in_force(month)
        share = policy.supply_share(policy.rate_in_force(month), month)
        return (*rates, share)

    months = range(max(policy.first_month, first), ends + 1)
    return sorted({regime(month): month for month in reversed(months)}.values())


def _under(economy: Economy, scenario: Scenario) -> Economy:
    """The economy of the base year under the law of another scenario."""
    found = copy.copy(economy)
    found.scenario = scenario
    found.tariff_schedule = make_tariff_schedule(scenario, scenario.tables(), economy.constants)
    found.declarations = Declarations(
        found.tariff_schedule, economy.declarations.ships, economy.declarations.without_programme
    )
    nothing = Expected(np.zeros(1), np.zeros(1), np.zeros(1), ())
    found.expectations = SimpleNamespace(expected=lambda *_: nothing)  # type: ignore[assignment]
    counts = base_imports(found)
    a_year = np.repeat(counts.annual[:, None], 12, axis=1)
    found.imports = replace(counts, to_date=np.zeros(len(a_year)), past_year=a_year)
    return found


def _effects(economy: Economy, month: int) -> Iterator[Float | float | None]:
    """All that measures in force in a month do to the products and firms of the base year."""
    economy.month = month - economy.scenario.run.start
    state, declarations = policy_of_month(economy), economy.declarations
    cells, shipments = economy.flow_cells, economy.shipments()
    yield declarations.origin_duties(state.regime).rate[cells]
    zero = np.zeros(len(cells))
    found = [*declared_duties(declarations, state.regime, shipments, cells)]
    yield sum((one.parts.sum(axis=-1) for one in found), start=zero)
    yield sum((one.unknown for one in found), start=zero)
    own = np.unique(economy.makers.origin)
    codes = economy.constants.codes
    yield state.in_force.bare[codes.cell(0, own, 0)]
    enforcement = declarations.enforcement(state.regime)
    yield from (enforcement.exposure, np.asarray(enforcement.audits))
    on_chips = state.in_force.chip_value.any() or state.in_force.chip_count.any()
    yield from (state.discount, state.capacity_share, state.counter_subsidy * float(on_chips))
    yield from (state.funds.grants, state.funds.granted_investment, state.funds.credit)
    yield from (state.units_factor, state.chips_factor, state.preference, state.procurement)
    yield state.capacity_left
    yield _delivered(economy, state.limits.supply)
    laws = zip(economy.tariff_schedule.laws, state.rates, strict=True)
    yield from (law.instrument.tracing_share(rate) for law, rate in laws)


def _same(one: Iterable[Any], other: Iterable[Any]) -> bool:
    """Whether two lists of effects are equal; what only one has is neutral if it is none."""
    one, other = list(one), list(other)
    longest = max(len(one), len(other))
    pairs = zip(*(each + [0.0] * (longest - len(each)) for each in (one, other)), strict=True)
    return all(np.array_equal(_or_one(a), _or_one(b)) or _all_one(a, b) for a, b in pairs)


def _delivered(economy: Economy, share: DeliveredShare | None) -> Float | None:
    """(L, P, R) delivered share of the chips of every region for the parts of each flow."""
    if share is None:
        return None
    classes = economy.makers.slot_class[:, None]
    parts, regions = np.arange(len(classes))[:, None], np.arange(len(economy.constants.is_china))
    cell, line = (rows[:, None, None] for rows in (economy.flow_cells, economy.flows.line))
    return share.at(cell, classes, line, parts, regions)


def _or_one(limit: Any) -> Any:
    return 1.0 if limit is None else limit


def _all_one(one: Any, other: Any) -> bool:
    """Whether limits that one has deny nothing, where the other has none."""
    return (one is None or other is None) and bool(np.all(_or_one(one) == _or_one(other)))


def _reason(economy: Economy, name: str, policy: Instrument) -> str:
    laws = economy.tariff_schedule.laws
    law = next((law for law in laws if law.of == (name,) and not law.is_calendar), None)
    if law is None:
        return " (nothing is in its scope)"
    run = economy.scenario.run
    if not any(policy.rate_in_force(month) for month in range(run.start, run.end + 1)):
        return f" (its {policy.path_field} is 0)"
    if not law.instrument.is_separable:
        return " (no product reaches its threshold, or has a chip that triggers it)"
    return ""
