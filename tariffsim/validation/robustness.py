"""Which conclusions survive other assumptions: one table, made by one command.

`python -m tariffsim.validation.robustness` runs every scenario under every variant with the same
seeds and writes `docs/robustness.csv`; `docs/make_robustness_page.py` makes the page of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from tariffsim.errors import RunsFailedError
from tariffsim.experiments.ensemble import run_ensemble
from tariffsim.record.dictionary import metrics
from tariffsim.record.intervals import Interval, paired_interval
from tariffsim.record.results import provenance
from tariffsim.scenario import load_scenario, replace
from tariffsim.tables import load_tables

BASELINE = "baseline"
SEEDS = 6
HOLDS, FAILS, UNCERTAIN = "holds", "fails", "not certain"


@dataclass(frozen=True)
class Variant:
    """Other assumptions than the defaults, in the baseline and in all scenarios."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Conclusion:
    """A metric of the United States, 2030, is lower in one scenario than in another."""

    name: str
    metric: str
    lower: str
    higher: str = BASELINE


def _no_platforms() -> dict[str, Any]:
    devices = load_tables().devices.codes
    return {"figures": {"devices": {code: {"global_platform_share": 0.0} for code in devices}}}


CENTRAL = Variant("central case")
VARIANTS = (
    CENTRAL,
    Variant("nested demand, 0.3", {"trade__nesting": 0.3}),
    Variant("responsive mark-ups, 0.67", {"trade__markup_elasticity": 0.67}),
    Variant("planned investment", {"supply__investment": "planned"}),
    Variant("no foresight", {"sourcing__foresight": "none"}),
    Variant("expected persistence 0.85", {"trade__expected_persistence": 0.85}),
    Variant("expected persistence 0.5", {"trade__expected_persistence": 0.5}),
    Variant("origin by packaging", {"trade__origin_rule": "packaging"}),
    Variant("origin by owner", {"trade__origin_rule": "owner"}),
    Variant("size term 0", {"sourcing__size_term": 0.0}),
    Variant("size term 1", {"sourcing__size_term": 1.0}),
    Variant("platform shares 0", _no_platforms()),
    Variant("no calendar", {"trade__tariffs_in_force": False}),
    Variant("currency offset 0.2", {"trade__currency_offset": 0.2}),
)
COMPONENT, PRODUCT, STOP = "component_50", "whole_product_china", "no_expansion"
LATE, EXEMPT = "component_late", "component_unknown_exempt"
CONCLUSIONS = (
    Conclusion("The component tariff lowers the Chinese share of chips", "cn_share", COMPONENT),
    Conclusion("It lowers it more than the whole-product tariff", "cn_share", COMPONENT, PRODUCT),
    Conclusion("So it does by value", "cn_value_share", COMPONENT, PRODUCT),
    Conclusion("It lowers it more than an end of China's expansion", "cn_share", COMPONENT, STOP),
    Conclusion("The whole-product tariff lowers the Chinese share of chips", "cn_share", PRODUCT),
    Conclusion(
        "The whole-product tariff moves more assembly from China than the component tariff does",
        "cn_assembled_share", PRODUCT, COMPONENT,
    ),
    Conclusion("An end of China's expansion lowers the Chinese share of chips", "cn_share", STOP),
    Conclusion(
        "The component tariff costs consumers less than the whole-product tariff",
        "consumer_surplus_loss", COMPONENT, PRODUCT,
    ),
    Conclusion("So it does with makers' match loss", "buyers_cost", COMPONENT, PRODUCT),
    Conclusion(
        "The component tariff raises less revenue than the whole-product tariff",
        "duty_revenue", COMPONENT, PRODUCT,
    ),
    Conclusion("The component tariff lowers US welfare", "welfare", COMPONENT),
    Conclusion("The whole-product tariff lowers it more", "welfare", PRODUCT, COMPONENT),
    Conclusion(
        "Three years earlier the component tariff gives a lower Chinese share over the run",
        "run_cn_share", COMPONENT, LATE,
    ),
    Conclusion("So it does in the last year", "cn_share", COMPONENT, LATE),
    Conclusion(
        "If importers must prove origin the share is lower than if the unknown is exempt",
        "cn_share", COMPONENT, EXEMPT,
    ),
    Conclusion(
        "The component tariff lowers the Chinese share of the world's chips",
        "world_cn_share", COMPONENT,
    ),
)  # fmt: skip


def verdict(gap: Interval) -> str:
    """Whether a conclusion holds, given how much higher the metric is where it should be."""
    if not gap.is_significant:
        return UNCERTAIN
    return HOLDS if gap.low > 0 else FAILS


def rows_of(
    variant: Variant, seeds: Sequence[int], conclusions: Sequence[Conclusion] = CONCLUSIONS
) -> Iterator[dict[str, Any]]:
    """Run what the conclusions are about under a variant; one row a conclusion.

    Raises:
        RunsFailedError: a run failed.
    """
    names = dict.fromkeys(n for c in conclusions for n in (c.lower, c.higher) if n != BASELINE)
    base, *others = (replace(load_scenario(n), **variant.changes) for n in (BASELINE, *names))
    ran = run_ensemble(dict(zip(names, others, strict=True)), base, seeds)
    if ran.failures:
        raise RunsFailedError("\n".join(map(str, ran.failures)))
    by_seed = ran.table.set_index("scenario")
    for one in conclusions:
        lower, higher = (
            by_seed.loc[[name], one.metric].to_numpy(float) for name in (one.lower, one.higher)
        )
        found = paired_interval((higher - lower).tolist())
        yield {
            "variant": variant.name, "conclusion": one.name, "metric": one.metric,
            "lower": one.lower, "higher": one.higher, "unit": _unit(one.metric),
            "gap": found.mean, "low": found.low, "high": found.high, "n": found.n,
            "verdict": verdict(found),
        }  # fmt: skip


def _unit(metric: str) -> str:
    unit = metrics()[metric].unit
    return "pp" if unit == "%" else unit


def main(words: Sequence[str]) -> int:
    """Make the table."""
    made = argparse.ArgumentParser(prog="python -m tariffsim.validation.robustness")
    made.add_argument("--seeds", type=int, default=SEEDS, help="replications of every run")
    made.add_argument("--out", type=Path, default=Path("docs/robustness.csv"))
    asked = made.parse_args(words)
    rows: list[dict[str, Any]] = []
    for number, variant in enumerate(VARIANTS, start=1):
        print(f"{number} of {len(VARIANTS)}: {variant.name}", file=sys.stderr, flush=True)
        rows += rows_of(variant, range(asked.seeds))
    facts = provenance()["versions"] | {
        "tariffsim": provenance()["tariffsim"],
        "data": load_tables().digest,
        "seeds": f"0 to {asked.seeds - 1}",
    }
    with asked.out.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {name}: {value}\n" for name, value in facts.items())
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.4g", lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
