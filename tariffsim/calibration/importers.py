"""Importers in the base year, and what they declare (MODEL 4.5)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.compliance import NEVER_EVADES, tracing_cost_rate
from tariffsim.kernels.sums import sum_by
from tariffsim.law.declarations import Declarations, Enforcement
from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Flows, Importers
from tariffsim.typing import Float, Int


def make_importers(
    scenario: Scenario, constants: Constants, flows: Flows, draws: Draws
) -> Importers:
    """Importers of each (market, device) with flows; each flow is given to one of them."""
    least, most = scenario.agents.importers_min, scenario.agents.importers_max
    n_devices, n_markets = len(constants.codes.devices), len(constants.codes.markets)
    used = np.bincount(flows.cell, minlength=n_devices * n_markets) > 0
    count = least + (draws.uniform("importers", 0, used.size) * (most - least + 1)).astype(np.intp)
    count = np.where(used, count, 0)
    first = np.cumsum(count) - count
    pick = draws.uniform("portfolio", 0, int(flows.maker.max()) + 1, n_markets)
    chosen = (pick[flows.maker, flows.market] * count[flows.cell]).astype(np.intp)
    flows.importer = first[flows.cell] + chosen
    market, device = np.divmod(np.repeat(np.arange(used.size), count), n_devices)
    value = constants.unit_value[device] * sum_by(flows.importer, flows.base_units, len(device))
    size, rank = _sizes(value, market)
    compliance = scenario.compliance
    knows = draws.uniform("importer can tell", 0, len(device)) >= compliance.unknown_origin_share
    is_compliant = compliance.behaviour == "compliant"
    evasion_cost = compliance.evasion_cost * draws.exponential("honesty", 0, len(device))
    return Importers(
        device=device,
        market=market,
        knows_without_tracing=knows | is_compliant,
        is_traced=np.zeros(len(device), dtype=bool),
        evasion_cost=np.full(len(device), NEVER_EVADES) if is_compliant else evasion_cost,
        tracing_rate=tracing_cost_rate(
            size,
            compliance.firm_turnover_usd,
            compliance.tracing_cost_usd,
            compliance.tracing_value_share,
        ),
        size_rank=rank,
        customs_value=value,
        evaded=np.zeros((len(device), compliance.lookback_months)),
        **{name: np.zeros(len(device)) for name in ("duty", "back_duty", "penalty", "profit")},
    )


def _sizes(value: Float, market: Int) -> tuple[Float, Float]:
    """Size over the mean of the market, and the part of its imports that larger importers bring."""
    size, rank = np.ones(len(value)), np.ones(len(value))
    for m in np.unique(market):
        own = np.flatnonzero(market == m)
        own = own[np.argsort(-value[own], kind="stable")]
        share = value[own] / value[own].sum()
        size[own] = share * len(own)
        rank[own] = np.cumsum(share) - share
    return size, rank


def make_declarations(
    scenario: Scenario, schedule: TariffSchedule, constants: Constants
) -> Declarations:
    """What importers declare, and the audits without any programme."""
    compliance = scenario.compliance
    everywhere = np.ones(len(constants.codes.markets))
    enforcement = Enforcement(
        compliance.audit_rate * everywhere,
        compliance.detection * everywhere,
        compliance.penalty_multiple * everywhere,
        compliance.lookback_months,
    )
    return Declarations(schedule, constants.trade.ravel() > 0, enforcement)
