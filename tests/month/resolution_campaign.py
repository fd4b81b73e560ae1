"""Campaign: does the number of lines matter, and does a world in which nothing happens stay put?

`lines` runs `component_50` and the baseline at several numbers of lines and prints the level and
the mean effect of each. `drift` runs a constant world with every mechanism on, and the same with a
duty that is lifted again, and prints how far the Chinese share has moved. Points are percentage
points of the Chinese share in what the United States buys, mean of the last twelve months.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import t as student

from tariffsim.calibration import build_economy
from tariffsim.calibration.build import base_totals
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.state.economy import Economy
from tariffsim.state.makers import GLOBAL
from tests.economies import merged, product, run

MARKET = "US"
MONTHS = 72
LINES = {600: 24, 1_200: 24, 4_800: 12, 20_000: 6}
"""Numbers of lines, and seeds of each."""
MOST_ERRORS = 2.5
MOST_POINTS = 0.3
"""By which two numbers of lines may differ: in standard errors, and in points."""
MOST_DRIFT = 0.15
CONSTANT: dict[str, Any] = {
    "supply": {
        "china_capacity_share": 0.3,
        "china_price_discount": 0.2,
        "capacity_growth_factor": 0.0,
        "learning": 0.0,
    },
    "trade": {
        "tariffs_in_force": False,
        "growth_factor": 0.0,
        "chip_content_growth": 0.0,
        "ai_chip_uplift": 0.0,
    },
}
"""Nothing changes by itself; every mechanism reacts as it would."""
LIFTED = product(0.25, assembly_countries=["CN"], end="2026-12")
"""Two years of a duty on products assembled in China."""


def chinese_shares(economy: Economy) -> tuple[float, float, float]:
    """Per cent of chips in what a market orders: by number, by value at base prices, at invoice.

    Few lines buy chips of the finest class, so that some of its orders exceed Chinese capacity for
    a while by chance; the invoice prices of that time are no drift.
    """
    makers, flows = economy.makers, economy.flows
    here = flows.market == economy.constants.codes.markets.index(MARKET)
    maker = flows.maker[here]
    chips = flows.orders[here][:, None] * makers.chips[maker]
    supplier = makers.supplier[maker]
    base, invoice = (
        chips * prices[supplier, makers.slot_class]
        for prices in (economy.foundries.base_price, economy.foundries.price)
    )
    is_chinese = economy.foundries.is_chinese[supplier]
    units, at_base, at_invoice = (
        100 * float(np.sum(each * is_chinese) / np.sum(each)) for each in (chips, base, invoice)
    )
    return units, at_base, at_invoice


def path(scenario: Scenario, months: int, seed: int) -> np.ndarray:
    """(months, 3) shares after each month."""
    return np.array([chinese_shares(economy) for economy in run(scenario, seed, months)])


def last_year(scenario: Scenario, months: int, seed: int) -> np.ndarray:
    """(3,) the mean of the last twelve months."""
    return path(scenario, months, seed)[-12:].mean(axis=0)


def effect(makers: int, months: int, seed: int) -> np.ndarray:
    """(2, 3) level of the baseline and effect of the component tariff."""
    base, law = (
        last_year(replace(load_scenario(name), agents__makers=makers), months, seed)
        for name in ("baseline", "component_50")
    )
    return np.array([base, law - base])


def drift(scenario: Scenario, months: int, seed: int) -> np.ndarray:
    """(2, 3) change since the first month, and within the last two years, of the yearly mean."""
    found = path(scenario, months, seed)
    last = found[-12:].mean(axis=0)
    return np.array([last - found[0], last - found[-24:-12].mean(axis=0)])


def constant_world(makers: int, is_lifted: bool = False) -> Scenario:
    """The world of `drift`, with or without the duty that is lifted."""
    changes = merged({"agents": {"makers": makers}}, CONSTANT, LIFTED if is_lifted else {})
    return Scenario.model_validate(changes)


def interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over seeds (first axis) and half the 95 % interval."""
    n = len(values)
    error = values.std(axis=0, ddof=1) / math.sqrt(n)
    return values.mean(axis=0), error * student.ppf(0.975, n - 1)


def global_share(makers: int) -> float:
    """Share of the value of all trade in global lines."""
    rules = replace(load_scenario("baseline"), agents__makers=makers)
    economy = build_economy(rules, 0)
    flows, lines = economy.flows, economy.makers
    value = flows.base_units * economy.constants.unit_value[lines.device[flows.maker]]
    return float(value[lines.market[flows.maker] == GLOBAL].sum() / base_totals(economy).sum())


def outcomes(job: Any, seeds: Iterable[int], jobs: int) -> np.ndarray:
    """(seeds, ...) what a job gives for each."""
    if jobs == 1:
        return np.array([job(seed) for seed in seeds])
    with ProcessPoolExecutor(jobs) as pool:
        return np.array(list(pool.map(job, seeds)))


def compare_lines(
    numbers: Sequence[int], seeds: Sequence[int], months: int, jobs: int, first: int = 0
) -> bool:
    """Print a table; whether all agree."""
    print("| lines | seeds | level | SD | effect | SD of it | effect by value | in global lines |")
    print("|---|---|---|---|---|---|---|---|")
    means, errors, shares = [], [], []
    for makers, count in zip(numbers, seeds, strict=True):
        found = outcomes(partial(effect, makers, months), range(first, first + count), jobs)
        mean, half = interval(found)
        spread = found.std(axis=0, ddof=1)
        shares.append(global_share(makers))
        means.append(mean[:, 0])
        errors.append(spread[:, 0] / math.sqrt(count))
        print(
            f"| {makers:,} | {count} | {mean[0, 0]:.2f} ± {half[0, 0]:.2f} | {spread[0, 0]:.2f} | "
            f"{mean[1, 0]:.2f} ± {half[1, 0]:.2f} | {spread[1, 0]:.2f} | "
            f"{mean[1, 2]:.2f} ± {half[1, 2]:.2f} | {100 * shares[-1]:.4f} % |",
            flush=True,
        )
    same = True
    for (one, s_one), (other, s_other) in combinations(zip(means, errors, strict=True), 2):
        gap, error = np.abs(one - other), np.hypot(s_one, s_other)
        same &= bool((gap <= np.minimum(MOST_ERRORS * error, MOST_POINTS)).all())
    return same and bool(np.ptp(shares) < 1e-9)


def stays_put(makers: int, seeds: int, months: int, jobs: int, first: int = 0) -> bool:
    """Print a table; whether the constant world stays, and the other settles."""
    print("| world | seeds | since the start, number | value | at invoice |", end="")
    print(" in the last year, number | value | at invoice |")
    print("|---|---|---|---|---|---|---|---|")
    is_still = True
    for name, is_lifted in (("constant", False), ("25 % on CN, lifted after 24 months", True)):
        job = partial(drift, constant_world(makers, is_lifted), months)
        mean, half = interval(outcomes(job, range(first, first + seeds), jobs))
        cells = [f"{m:+.3f} ± {h:.3f}" for m, h in zip(mean.ravel(), half.ravel(), strict=True)]
        print(f"| {name} | {seeds} | {' | '.join(cells)} |", flush=True)
        judged = slice(1, None) if is_lifted else slice(None)
        is_still &= bool((np.abs(mean) + half)[judged, :2].max() <= MOST_DRIFT)
    return is_still


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("lines", "drift"))
    parser.add_argument("--lines", type=int, nargs="+", help="numbers of lines; of drift the first")
    parser.add_argument("--seeds", type=int, help="of each; default: those of the checks")
    parser.add_argument("--first", type=int, default=0, help="seed to begin with")
    parser.add_argument("--months", type=int, default=MONTHS)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    chosen = parser.parse_args()
    numbers = chosen.lines or list(LINES)
    if chosen.what == "lines":
        seeds = [chosen.seeds or LINES.get(makers, 12) for makers in numbers]
        is_fine = compare_lines(numbers, seeds, chosen.months, chosen.jobs, chosen.first)
    else:
        makers = chosen.lines[0] if chosen.lines else 1_200
        seeds_of_drift = chosen.seeds or 200
        is_fine = stays_put(makers, seeds_of_drift, chosen.months, chosen.jobs, chosen.first)
    sys.exit(not is_fine)


if __name__ == "__main__":
    main()
