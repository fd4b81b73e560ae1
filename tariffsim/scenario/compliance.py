"""Block of a scenario on what importers know, declare and hide (MODEL 4.5)."""

from __future__ import annotations

from typing import Literal

from tariffsim.scenario.blocks import Block, parameter


class Compliance(Block):
    """Visibility, tracing, declarations, audits (MODEL 4.5)."""

    behaviour: Literal["full", "compliant"] = parameter(
        "full",
        "choice",
        "Whether importers may be ignorant or dishonest; `compliant`: all know and declare.",
    )
    unknown_origin_share: float = parameter(
        0.44,
        "fraction",
        "Part of the importers that cannot tell where their chips come from.",
        0.2,
        0.6,
        "S23",
        ge=0,
        le=1,
    )
    tracing_cost_usd: float = parameter(
        550_000.0,
        "USD a year",
        "What tracing chips costs a firm of the reference turnover.",
        200_000,
        1_000_000,
        "S30",
        ge=0,
        le=1e12,
    )
    firm_turnover_usd: float = parameter(
        150e6, "USD a year", "Mean turnover of an importing firm.", 50e6, 500e6, gt=0, le=1e15
    )
    tracing_value_share: float = parameter(
        0.0005, "fraction", "Cost of tracing that moves with customs value.", 0, 0.002, ge=0, le=1
    )
    payback_months: int = parameter(
        36, "months", "Months over which tracing must pay.", 12, 60, ge=1, le=240
    )
    evasion_cost: float = parameter(
        1.34,
        "fraction of value",
        "Mean of what a false declaration goes against the grain, over the value hidden.",
        1.05,
        2.05,
        "S24",
        ge=0,
        le=1e9,
    )
    audit_rate: float = parameter(
        0.01, "per year", "Audits of an importer.", 0.002, 0.05, "S30", ge=0, le=12
    )
    detection: float = parameter(
        0.6, "fraction", "Part of the audits that find what was hidden.", 0.3, 0.9, ge=0, le=1
    )
    lookback_months: int = parameter(
        12, "months", "Months that an audit looks back.", 6, 60, ge=1, le=120
    )
    penalty_multiple: float = parameter(
        3.0, "ratio", "Penalty over the duty evaded, which is due as well.", 1, 4, ge=0, le=1000
    )
