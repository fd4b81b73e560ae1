"""Which parameters carry the uncertainty of an effect: shares of its variance in a stored design.

A comparison has too few draws to tell them apart. The design has more, of one scenario for each of
two instruments; `python -m tariffsim.experiments.parameter_shares` runs it again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtri

from tariffsim import __version__
from tariffsim.errors import RunsFailedError
from tariffsim.experiments.ensemble import Settings, outcomes
from tariffsim.experiments.parameter_draws import Draw, draws_of, joint_distribution
from tariffsim.experiments.runs import Failure, replications_of
from tariffsim.experiments.store import code_digest
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.tables import SHIPPED

FILE = SHIPPED / "parameter_shares.json"
SCENARIOS = ("component_50", "whole_product_china")
METRIC, MARKET = "cn_share", "US"
SEEDS = 204
"""Replications of the stored design: 153 draws, as one in four repeats the draw before it."""
MAKERS = 1200
"""Lines of the stored design, which are those of comparisons."""
NAMED = 3


def variance_shares(draws: Sequence[Draw], effects: Sequence[float]) -> dict[str, float]:
    """Share of the variance of an effect that goes with each parameter alone, largest first.

    It is the squared correlation. Parameters that were estimated together share theirs, so that
    shares need not add up to one; chance alone gives one in the number of runs.
    """
    effect, found = np.asarray(effects, float), {}
    for key in draws[0]:
        values = np.array([draw[key] for draw in draws], float)
        if values.std() > 0 and effect.std() > 0:
            found[key] = float(np.corrcoef(values, effect)[0, 1] ** 2)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def made(
    scenarios: Sequence[Scenario], baseline: Scenario, seeds: range, settings: Settings
) -> dict[str, Any]:
    """The design: shares by scenario, and what they were made with.

    Raises:
        RunsFailedError: a run failed.
    """
    named = {one.name: one for one in (baseline, *scenarios)}
    changes: dict[str, dict[int, float]] = {name: {} for name in named}
    for one, outcome in outcomes(
        replications_of(named, seeds, MARKET, is_full=False, is_drawn=True), settings
    ):
        if isinstance(outcome, Failure):
            raise RunsFailedError(str(outcome))
        changes[one.name][one.seed] = outcome.summary[METRIC]
    draws, base = draws_of(seeds), changes.pop(baseline.name)
    return {
        "made_by": "python -m tariffsim.experiments.parameter_shares",
        "tariffsim": __version__,
        "code": code_digest(),
        "data": baseline.tables().digest,
        "draws": joint_distribution().digest,
        "seeds": [seeds.start, seeds.stop - 1],
        "makers": baseline.agents.makers,
        "metric": METRIC,
        "market": MARKET,
        "months": [baseline.run.start, baseline.run.end],
        "scenarios": {
            name: {
                "kind": kind_of(named[name]),
                "shares": variance_shares(
                    [draws[seed] for seed in seeds], [own[seed] - base[seed] for seed in seeds]
                ),
            }
            for name, own in changes.items()
        },
    }


def kind_of(scenario: Scenario) -> str:
    """Kind of the first policy of a scenario; empty without one."""
    return next((policy.kind for policy in scenario.policies.values()), "")


@lru_cache(maxsize=1)
def stored() -> Mapping[str, Any]:
    """The stored design."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def strongest(scenario: Scenario, market: str) -> dict[str, float]:
    """The parameters that carry most of the uncertainty of the change of the Chinese share.

    Those of the stored scenario with a policy of the same kind; none if there is none, or if the
    design is of another market, other months or another distribution of parameters.
    """
    design, kind = stored(), kind_of(scenario)
    run = scenario.run
    own = {"draws": joint_distribution().digest, "market": market, "months": [run.start, run.end]}
    if any(design[name] != value for name, value in own.items()):
        return {}
    for one in design["scenarios"].values():
        if kind and one["kind"] == kind:
            return dict([*one["shares"].items()][:NAMED])
    return {}


def chance_share() -> float:
    """Largest share that chance alone gives to any parameter in 95 of 100 designs like this one."""
    first, last = stored()["seeds"]
    return float(
        float(ndtri(1 - 0.025 / len(joint_distribution().all_keys))) ** 2 / (last + 1 - first)
    )


def main() -> None:
    """Run the design and store it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--makers", type=int, default=MAKERS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=FILE)
    given = parser.parse_args()
    base, *others = (
        replace(load_scenario(name), agents__makers=given.makers)
        for name in ("baseline", *SCENARIOS)
    )
    design = made(others, base, range(given.seeds), Settings(given.jobs))
    given.out.write_text(json.dumps(design, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
