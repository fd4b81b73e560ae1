"""What is said of a priced product: findings, remarks, and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from tariffsim.policy.shipments import CHINA
from tariffsim.product.pricing import Priced, break_even_share

LEAST = 0.005
"""USD that two decimals do not show."""


def findings(found: Sequence[Priced]) -> Iterator[str]:
    """What each scenario adds to the duty that the first of them has on the product."""
    base, *others = found
    if not others:
        yield f"{base.product.title}: {_usd(base.due.total)} a unit is due in {base.month}."
    for one in others:
        cases = [a - b for a, b in zip(one.due.cases, base.due.cases, strict=True)]
        low, high = min(cases), max(cases)
        if max(abs(low), abs(high)) < LEAST:
            yield f"{one.scenario} does not change the duty."
        elif high - low < LEAST:
            yield f"{one.scenario} {_change(low, one)}."
        else:
            yield (
                f"{one.scenario} {_change(low, one)} if no chip of unknown origin is liable; "
                f"it {_change(high, one)} if all are."
            )


def _change(amount: float, one: Priced) -> str:
    """A change of the duty on a unit, as part of the value and by year."""
    more, product = abs(amount), one.product
    if more < LEAST:
        return "adds nothing"
    return (
        f"{'adds' if amount > 0 else 'takes off'} {_usd(more)} a unit "
        f"({100 * more / product.customs_value:.2g} % of its value, "
        f"{_usd(more * product.units_a_year, 0)} a year)"
    )


def remarks(found: Sequence[Priced]) -> Iterator[str]:
    """By month, unknown origin, evasion, break-even."""
    for one in found:
        if len(one.steps) > 1:
            steps = ", ".join(f"{_usd(step.due.total)} from {step.month}" for step in one.steps)
            yield f"{one.scenario}, duty over time: {steps}."
    for one in found[1:]:
        extra = one.due.unknown_origin - one.due.total
        if abs(extra) >= LEAST:
            yield (
                f"{one.scenario}: an importer that does not know the origin of the chips owes "
                f"{_usd(abs(extra))} a unit {'more' if extra > 0 else 'less'} than one that does."
            )
        if isfinite(one.evasion_rate) and one.marginal_content > 0:
            yield (
                f"{one.scenario}: the median importer of such products would evade a duty on what "
                f"it declares above {100 * one.evasion_rate:.0f} %; a dollar evaded is expected to "
                f"cost {one.back_duty:.2f} USD of back duty and penalty."
            )
        yield from _elsewhere(one)
    for whole in found[1:]:
        for content in found[1:]:
            share = break_even_share(whole, content)
            if share is not None:
                chips = whole.product.chips
                own = sum(chip.value for chip in chips if chip.region == CHINA)
                least = "at least " if any(chip.region is None for chip in chips) else ""
                yield (
                    f"{content.scenario} costs less than {whole.scenario} as long as Chinese chips "
                    f"are less than {100 * share:.0f} % of the value of the product; they are "
                    f"{least}{100 * own / whole.product.customs_value:.2g} %."
                )


def _elsewhere(one: Priced) -> Iterator[str]:
    """What buying the Chinese chips elsewhere saves, where a duty is on them."""
    told = [
        f"class {a.chip.node_class} {'saves' if a.saving > 0 else 'costs'} {_usd(abs(a.saving))} "
        f"({_usd(a.duty)} less duty, {_usd(a.premium)} more for the chips)"
        for a in one.alternatives
        if abs(a.duty) > 0
    ]
    if told:
        rates = {f"{100 * a.break_even_rate:.0f} %" for a in one.alternatives}
        yield (
            f"{one.scenario}: to buy elsewhere a unit's Chinese chips of {'; of '.join(told)}. By "
            f"price alone it pays from a duty of {', '.join(sorted(rates))} on them; makers also "
            "weigh what prices do not show (explain --maker)."
        )


def audit_of(found: Sequence[Priced]) -> Iterator[str]:
    """Law by law, what the duty consists of."""
    for one in found:
        yield f"{one.scenario}, {one.month}: {_usd(one.due.total)} a unit is the sum of"
        for line in one.audit:
            yield f"  {line}"
        if not one.audit:
            yield "  nothing: no duty is due"
    if any(one.due.low < one.due.high for one in found):
        yield (
            "Chips whose region is not given count as not Chinese, but for the range and the duty "
            "on unknown origin; the range is over regions, all such chips from one of them."
        )
    yield (
        "Landed cost: customs value, freight and duty. Retail price: landed cost before new duty, "
        "the retail margin in dollars of today, and the part of the new duty that is passed on in "
        "the long run."
    )


def _usd(amount: float, decimals: int = 2) -> str:
    return f"{amount:,.{decimals}f} USD"
