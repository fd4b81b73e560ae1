"""Refunds of duties paid in earlier months, to those who paid them (MODEL 4.7)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.duty_tables import Law, Regime, TariffSchedule
from tariffsim.policy import Instrument
from tariffsim.state.economy import DutyPaid, Economy


def pay_back(economy: Economy) -> None:
    """What governments pay back this month: up to the share of each month's duty due by now."""
    schedule, codes = economy.tariff_schedule, economy.constants.codes
    in_force = [(schedule.laws[i].instrument, rate) for i, rate in economy.policy.regime]
    to_importers, to_makers = np.zeros(len(economy.importers)), np.zeros(len(codes.markets))
    for paid, so_far in economy.duty_paid.items():
        law = schedule.laws[paid.law]
        share = max((_share(law, paid.month, one, rate) for one, rate in in_force), default=0.0)
        if share > so_far:
            economy.duty_paid[paid] = share
            to_importers = k.total(to_importers, k.refund(share, so_far, paid.by_importer))
            to_makers = k.total(to_makers, k.refund(share, so_far, paid.by_market))
    economy.importers.refund, economy.maker_refund = to_importers, to_makers


def _share(law: Law, paid: int, ruling: Instrument, rate: float) -> float:
    """Share of the duty that a law took in a month which a measure pays back."""
    return max((ruling.refund(name, paid, rate) for name in law.of), default=0.0)


def refundable(schedule: TariffSchedule, regime: Regime, date: int) -> list[int]:
    """Laws in force in a month whose duty any measure of the scenario may refund."""
    rulings = [
        law.instrument
        for law in schedule.laws
        if type(law.instrument).refund is not Instrument.refund
    ]
    return [
        number
        for number, _ in regime
        if any(_share(schedule.laws[number], date, ruling, 1.0) for ruling in rulings)
    ]


def keep_duty_paid(economy: Economy) -> None:
    """The month's duty of the laws that any measure of the scenario may refund."""
    importers, constants = economy.importers, economy.constants
    for number in refundable(economy.tariff_schedule, economy.policy.regime, economy.date):
        flows, n = economy.flows, len(constants.codes.markets)
        each = economy.instrument_duty.get(number, np.zeros(len(flows)))
        bare = economy.policy.in_force.bare_by_law.get(number, np.zeros_like(economy.chips_entered))
        each, bare = k.refundable(each), k.refundable(bare)
        by_origin = k.ad_valorem(bare, economy.chips_entered).sum(axis=(1, 2))
        paid = DutyPaid(
            number,
            economy.date,
            k.sum_by(flows.importer, k.times(each, flows.units), len(importers)),
            k.sum_by(constants.origin_market, by_origin, n),
        )
        economy.duty_paid[paid] = 0.0
