"""Refunds that pay nothing back, wholly or in part, with the reason where it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.declarations import declared_duties
from tariffsim.law.policy_of_month import policy_of_month
from tariffsim.law.policy_state import PolicyState
from tariffsim.policy import Instrument
from tariffsim.scenario import Scenario
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, format_moment, format_month, one_name

Payment = tuple[int, int, int]
"""Law, the month in which its duty was paid, and that in which a part of it is paid back."""


def refund_remarks(scenario: Scenario, economy: Economy) -> Iterator[str]:
    """A sentence for each refund, duty named by one, or step of its share that does nothing.

    `economy` is that of the base year under the scenario's law; nothing of it is changed.
    """
    run = scenario.run
    refunds = {
        name: policy
        for name, policy in scenario.dated_policies.items()
        if type(policy).refund is not Instrument.refund
    }
    levied = _levied(economy, refunds) if refunds else {}
    paid = _paid_back(economy, levied, refunds)
    for name, policy in refunds.items():
        if policy.first_month > run.end or (policy.ends or run.end) <= run.start:
            continue  # told by its dates
        own = paid - _paid_back(economy, levied, {n: p for n, p in refunds.items() if n != name})
        lead = f"{scenario.name}: policies.{name}"
        if own:
            yield from (f"{lead}{words}" for words in _parts(scenario, economy, levied, policy))
            yield from (f"{lead}{words}" for words in _falls(policy, own))
        else:
            yield (
                f"{lead} does nothing{_reason(scenario, economy, levied, policy)}: nothing more "
                "is paid back with it in any month of the run, on the products of the base year"
            )


def _levied(economy: Economy, refunds: Mapping[str, Instrument]) -> dict[int, list[int]]:
    """Months of the run in which each law takes duty that a refund names."""
    schedule, run = economy.tariff_schedule, economy.scenario.run
    named = {
        number
        for number, law in enumerate(schedule.laws)
        if any(is_named(policy, of) for policy in refunds.values() for of in law.of)
    }
    found: dict[int, list[int]] = {number: [] for number in sorted(named)}
    known: dict[tuple[tuple[int, float], ...], set[int]] = {}
    for month in range(run.start, run.end + 1):
        economy.month = month - run.start
        if not any(schedule.laws[number].instrument.rate_in_force(month) for number in named):
            continue
        state = policy_of_month(economy)
        if state.regime not in known:
            known[state.regime] = _taking(economy, state)
        for number in named & known[state.regime]:
            found[number].append(month)
    return {number: months for number, months in found.items() if months}


def is_named(policy: Instrument, of: str) -> bool:
    """Whether a refund names a duty, whatever the month."""
    return one_name(of) in map(one_name, policy.names_others)


def _taking(economy: Economy, state: PolicyState) -> set[int]:
    """Laws that take duty on the products of the base year, whoever knows or hides what."""
    declarations, cells, shipments = economy.declarations, economy.flow_cells, economy.shipments()
    laws = economy.tariff_schedule.laws
    by_origin = declarations.origin_duties(state.regime).by_law
    on_origin = {
        number: k.ad_valorem(rate[cells], laws[number].instrument.duty(shipments, 1.0))
        for number, rate in by_origin.items()
    }
    on_content = [*declared_duties(declarations, state.regime, shipments, cells)]
    is_known = {one.number: k.over_slots(one.parts) for one in on_content}
    is_unknown = {one.number: one.unknown for one in on_content}
    taking = set()
    for content in (is_known, is_unknown):
        duty: dict[int, Float] = on_origin | content
        due = k.due_of_each([(laws[number].group, each) for number, each in duty.items()])
        taking |= {number for number, each in zip(duty, due, strict=True) if (each > 0).any()}
    own = np.unique(economy.makers.origin)
    bare = state.in_force.bare_by_law
    return taking | {number for number, rate in bare.items() if (rate[own] > 0).any()}


def _paid_back(
    economy: Economy, levied: Mapping[int, list[int]], refunds: Mapping[str, Instrument]
) -> set[Payment]:
    """Payments of some refunds together: each pays what is due by then and not paid yet."""
    laws, run = economy.tariff_schedule.laws, economy.scenario.run
    so_far: dict[tuple[int, int], float] = {}
    found: set[Payment] = set()
    for now in range(run.start, run.end + 1):
        rates = [(p, rate) for p in refunds.values() if (rate := p.rate_in_force(now))]
        for number, months in levied.items() if rates else ():
            named = [
                (policy, of, rate)
                for policy, rate in rates
                for of in laws[number].of
                if is_named(policy, of)
            ]
            for paid in (month for month in months if named and month < now):
                share = max(policy.refund(of, paid, rate) for policy, of, rate in named)
                if share > so_far.get((number, paid), 0.0):
                    so_far[number, paid] = share
                    found.add((number, paid, now))
    return found


def _months_of(economy: Economy, levied: Mapping[int, list[int]], name: str) -> list[int]:
    """Months in which what goes by a name is levied."""
    laws = economy.tariff_schedule.laws
    return sorted(
        month
        for number, months in levied.items()
        if one_name(name) in map(one_name, laws[number].of)
        for month in months
    )


def _parts(
    scenario: Scenario, economy: Economy, levied: Mapping[int, list[int]], policy: Instrument
) -> Iterator[str]:
    """Duties that a refund names beside others, of which nothing is ever taken."""
    for name in policy.names_others:
        if not _months_of(economy, levied, name):
            yield f" pays nothing back of {name} ({_why_not_levied(scenario, name)})"


def _why_not_levied(scenario: Scenario, name: str) -> str:
    if name in scenario.policies:
        return f"{name} levies nothing in the run"
    if not scenario.trade.tariffs_in_force:
        return "trade.tariffs_in_force is no: no row of the tariff calendar is levied"
    rows = [
        row
        for row in scenario.tables().calendar
        if row.in_baseline and one_name(name) in (one_name(row.instrument), one_name(row.id))
    ]
    if any(row.in_2024_base for row in rows):
        return f"{name} is in the duties of 2024, of which nothing is booked by instrument"
    return f"{name} levies nothing in the run"


def _reason(
    scenario: Scenario, economy: Economy, levied: Mapping[int, list[int]], policy: Instrument
) -> str:
    if not any(policy.path.values):
        return f" (its {policy.path_field} is 0)"
    names = policy.names_others
    months = sorted(month for name in names for month in _months_of(economy, levied, name))
    if not months:
        return f" ({'; '.join(dict.fromkeys(_why_not_levied(scenario, n) for n in names))})"
    last = policy.last_month
    if last is not None and last <= months[0]:
        ends, first = format_moment(policy.end or 0, last=True), format_month(months[0])
        return f" (it ends in {ends}, before anything that is levied from {first} on has been paid)"
    since = getattr(policy, "paid_since", None)
    if since is not None and since > months[-1]:
        return f" (nothing of it is levied from {format_month(since)} on)"
    is_paid = bool(_paid_back(economy, levied, {"": policy}))
    return " (other refunds have paid back as much by then)" if is_paid else ""


def _falls(policy: Instrument, paid: set[Payment]) -> Iterator[str]:
    """What the first step of a share below an earlier one does, if anything."""
    path = policy.path
    for i, month in enumerate(path.months):
        highest = max(path.values[:i], default=0.0)
        is_over = policy.ends is not None and month >= policy.ends
        if path.values[i] >= highest or is_over:
            continue
        first = path.months[i - 1] + 1 if path.interpolate == "linear" else month
        until = path.months[i + 1] if i + 1 < len(path.months) else float("inf")
        lead = f".{policy.path_field} falls to {path.values[i]:g} in {format_moment(month)}"
        if any(first <= now < until for _, _, now in paid):
            yield (
                f"{lead}: what has been paid back of earlier duty stays so; the lower share is of "
                "duty levied from then on"
            )
        else:
            yield f"{lead}, which does nothing: {highest:g} has been paid back, and stays so"
        return
