"""Policies that respond to others: their dates follow from those of the policies they name.

`when: component_tariff in force for 6 months` names another policy of the scenario, or a kind of
instrument. All policies are known when a scenario is read, so a condition gives dates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tariffsim.policy import Instrument
from tariffsim.policy.fields import condition


class CircularConditionError(ValueError):
    """Policies depend on each other."""


def named(policies: Mapping[str, Instrument], of: str) -> list[str]:
    """Policies that a condition may mean: the one of this name, or all of this kind."""
    return [of] if of in policies else [n for n, p in policies.items() if p.kind == of]


def dated(policies: Mapping[str, Instrument]) -> dict[str, Instrument]:
    """Policies with the dates that follow from their conditions, without those never met.

    Raises:
        CircularConditionError: policies depend on each other.
    """
    found: dict[str, Instrument | None] = {}
    for name in policies:
        _date(name, policies, found, ())
    return {name: found[name] for name in policies if found[name] is not None}  # type: ignore[misc]


def _date(
    name: str,
    policies: Mapping[str, Instrument],
    found: dict[str, Instrument | None],
    waiting: tuple[str, ...],
) -> Instrument | None:
    if name in waiting:
        raise CircularConditionError(" -> ".join((*waiting[waiting.index(name) :], name)))
    if name not in found:
        policy = policies[name]
        if policy.when is None:
            found[name] = policy
        else:
            of, months = condition(policy.when)
            others = (_date(n, policies, found, (*waiting, name)) for n in named(policies, of))
            found[name] = _following(policy, [p for p in others if p is not None], months)
    return found[name]


def _following(policy: Instrument, others: list[Instrument], months: int) -> Instrument | None:
    """The policy from so many months after the others come into force until they lapse."""
    spans = [span for other in others for span in _in_force(other)]
    if not spans:
        return None
    start = min(first for first, _ in spans) + months
    end, lapses = policy.end, [last for _, last in spans if last is not None]
    if len(lapses) == len(spans):
        end = max(lapses) if end is None else min(end, max(lapses))
    if end is not None and end < start:
        return None
    return policy.model_copy(update={"start": start, "end": end})


def _in_force(policy: Instrument) -> Iterator[tuple[int, int | None]]:
    """First and last month in which a policy has a rate; None for a last one that is open."""
    first, last = policy.first_month, max(policy.first_month, *policy.path.months, 0)
    months = range(first, (last if policy.last_month is None else policy.last_month) + 1)
    active = [month for month in months if policy.rate_in_force(month) != 0.0]
    if active:
        is_open = policy.last_month is None and active[-1] == last
        yield active[0], None if is_open else active[-1]
