"""Assembly against history: imports that duties moved in 2016-21, and small lasting duties.

Small markets with the model's own choice of places (docs/model.md, 4.3) and its prices and demand
(4.4): one market, makers of one device, a duty on China alone, constant cost. The cases and what
was published are V5, V6, V8 and V10 of `validation_public.csv`; shares of countries are in
`assembly_cases.csv`, as far as they are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tariffsim import kernels as k
from tariffsim.calibration.assembly import more_plants, new_places, race
from tariffsim.calibration.lines import GOLDEN
from tariffsim.calibration.tariff_schedule import SHIFT_MONTHS, SHIFT_WEIGHTS, YEARS
from tariffsim.kernels.duties import horizon_weights
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario.blocks import Assembly, Sourcing, Trade
from tariffsim.tables.csv_files import shipped_rows
from tariffsim.typing import Float, Int, Int16, parse_month

Path = Mapping[str, float]
"""Rates by the month from which they apply."""
LINES = 1500
"""Makers of a device, each with one product in one market."""


@dataclass(frozen=True)
class Moving:
    """How assembly moves: its parameters, and who is footloose."""

    rules: Assembly
    footloose: float
    """Share of makers of the sectors auto, medical and industrial with plants in several places."""
    footloose_consumer: float
    """The same in the sectors consumer, computing and appliance."""
    persistence: float = 1.0
    """Probability that a duty is still there a year later, as makers see it."""


@dataclass(frozen=True)
class Duty:
    """A duty on what is assembled in China, and what is known of it."""

    rate: Path
    known_from: str
    expected: Path | None = None
    """What is expected from then on, where that is not the rate itself."""


@dataclass(frozen=True)
class Market:
    """One device in one market before the duty."""

    imports: Float
    """(O,) shares of countries."""
    footprint: Float
    """(O,) where plants of its makers are."""
    footloose: float
    substitution: float
    demand: float


def imports_from_china(
    market: Market, duty: Duty, moving: Moving, start: str, end: str, seed: int = 0
) -> Float:
    """(T,) value of imports from China by month, relative to the same without the duty.

    Months are those from `start` to `end`. Prices ex works are constant, so that without the duty
    nothing changes.
    """
    rules, trade, rng = moving.rules, Trade(), np.random.default_rng(seed)
    first, last = parse_month(start), parse_month(end)
    lines = _lines(market, rules, rng)
    china, n = lines.china, len(lines.origin)
    here, going, arrives = lines.origin.copy(), lines.origin.copy(), np.full(n, -1)
    building, ready = lines.origin.copy(), np.full(n, -1)
    hurdle = k.moving_factor(rules.shift_cost, rules.elasticity)
    hurdle_of_plant = k.moving_factor(max(rules.plant_cost, rules.shift_cost), rules.elasticity)
    landed = 1 + trade.freight
    base_price = (1 + trade.retail_margin) * landed
    passed_on, orders = np.zeros(n), lines.value.copy()
    found = np.zeros(last - first + 1)
    for month in range(first, last + 1):
        here = np.where(arrives == month, going, here)
        arrives = np.where(arrives == month, -1, arrives)
        done = np.flatnonzero(ready == month)
        lines.plants[done, building[done]] = 1
        ready[done] = -1
        looks, looks_for_plants = rng.random(n), rng.random(n)
        lost = {kind: _factor(duty, month, moving, kind) for kind in ("shift", "plant")}
        rows = np.flatnonzero((looks < rules.shift_hazard) & (arrives < 0))
        factor = np.where(np.arange(lines.race.shape[1]) == china, lost["shift"], 1.0)
        factor = np.broadcast_to(factor, (len(rows), len(factor)))
        best, goes = k.shifts_to(
            lines.race[rows], factor, lines.plants[rows] > 0, here[rows], hurdle
        )
        going[rows[goes]], arrives[rows[goes]] = best[goes], month + rules.shift_months
        rows = np.flatnonzero(
            (looks_for_plants < rules.plant_hazard) & (ready < 0) & (here == china)
        )
        if lost["plant"] > 1:
            factor = np.where(np.arange(lines.race.shape[1]) == china, lost["plant"], 1.0)
            factor = np.broadcast_to(factor, (len(rows), len(factor)))
            best, builds = k.builds_in(
                lines.race[rows], factor, lines.plants[rows] > 0, here[rows], hurdle,
                hurdle_of_plant,
            )  # fmt: skip
            building[rows[builds]], ready[rows[builds]] = best[builds], month + rules.plant_months
        new_duty = np.where(here == china, rate_at(duty.rate, month), 0.0)
        passed_on = k.passed_on_duty(
            passed_on, new_duty, trade.pass_through, trade.pass_through_months
        )
        price = k.retail_price(
            np.full(n, landed), np.full(n, landed), trade.retail_margin, passed_on
        )
        ratio = price / base_price
        power = k.ces_power(ratio, np.full(n, market.substitution))
        one = np.array([market.substitution])
        index = k.ces_price_index(power, lines.value, np.zeros(n, dtype=int), 1, one)
        demand = k.cell_demand(index, one, np.array([market.demand]), np.ones(1))
        desired = k.units_demanded(lines.value, ratio, power, demand[np.zeros(n, dtype=int)])
        orders = k.adjusted_orders(orders, desired, trade.order_adjustment)
        found[month - first] = orders[here == china].sum() / market.imports[china]
    return found


def rate_at(path: Path, month: int) -> float:
    """The rate of a path in a month; zero before its first."""
    given = [rate for date, rate in path.items() if parse_month(date) <= month]
    return given[-1] if given else 0.0


def _factor(duty: Duty, month: int, moving: Moving, kind: str) -> float:
    """`r` at China as expected at the dates of a choice; one before the duty is known."""
    if month < parse_month(duty.known_from):
        return 1.0
    rules = moving.rules
    if kind == "shift":
        dates, weights = rules.shift_months + SHIFT_MONTHS, SHIFT_WEIGHTS
    else:
        dates = rules.plant_months + 12 * YEARS
        hazard = np.array([rules.plant_hazard])
        weights = horizon_weights(hazard, Sourcing().discount_rate, YEARS)[:, 0]
    path = duty.rate if duty.expected is None else duty.expected
    rates = np.array([rate_at(path, month + int(date)) for date in dates])
    mean = float(weights @ (rates * moving.persistence ** (dates / 12)))
    return float(k.landed_factor(np.asarray(1 + mean), np.ones(()), rules.elasticity))


@dataclass(frozen=True)
class _Lines:
    origin: Int
    value: Float
    plants: Int16
    race: Float
    china: int


def _lines(market: Market, rules: Assembly, rng: np.random.Generator) -> _Lines:
    """Makers of a device, as many in each country as it has of imports, at least one."""
    codes = origins()
    count = np.where(market.imports > 0, np.maximum(np.rint(LINES * market.imports), 1), 0)
    origin = np.repeat(np.arange(len(count)), count.astype(int))
    value = (market.imports / np.maximum(count, 1))[origin]
    plants: Int16 = np.eye(len(count), dtype=np.int16)[origin]
    is_footloose = np.flatnonzero(rng.random(len(origin)) < market.footloose)
    u = rng.random((len(origin), len(count)))
    plants[is_footloose] += more_plants(u[is_footloose], market.footprint, rules.plants)
    first = -np.log1p(-((rng.random() + GOLDEN * np.arange(len(origin))) % 1.0))
    waits = rng.standard_exponential((len(origin), len(count)), dtype=np.float32)
    new = new_places(market.footprint[None], rules.new_place_power)[[0] * len(origin)]
    times = race(first, waits, plants, new, origin).astype(float)
    return _Lines(origin, value, plants, times, codes.index(CHINA))


def origins() -> list[str]:
    """Countries of the cases."""
    columns = next(shipped_rows("assembly_cases"))
    return [name for name in columns if name not in ("case", "part", "what", "unit", "source")]


def _shares(case: str, what: str) -> Float:
    """(parts, O) shares of countries, each part in proportion to its total."""
    rows = [
        row for row in shipped_rows("assembly_cases") if (row["case"], row["what"]) == (case, what)
    ]
    return np.array([[float(row[origin]) for origin in origins()] for row in rows])


# The moments.


def elasticities_2018_to_2021(moving: Moving, seed: int = 0) -> list[float]:
    """V5: `ln(imports from China over the same without the duty) / ln 1.25`, 2019, 2020, 2021.

    Six groups of goods by China's share; 0.4 of each as lists 1 and 2, 0.6 as list 3.
    """
    duties = {
        0.4: Duty({"2018-07": 0.25}, "2018-06"),
        0.6: Duty({"2018-10": 0.10, "2019-06": 0.25}, "2018-09"),
    }
    imports, total, without = _shares("V5", "imports"), np.zeros(48), 0.0
    for part, values in enumerate(imports):
        market = _market(values, values, moving.footloose, 3.5, 0.7, 0.0)
        of_china = values[origins().index(CHINA)]
        for weight, duty in duties.items():
            path = imports_from_china(market, duty, moving, "2018-01", "2021-12", seed + part)
            total += weight * of_china * path
            without += weight * of_china
    yearly = total.reshape(4, 12).mean(axis=1)[1:] / without
    return list(np.log(yearly) / np.log(1.25))


def elasticities_of_a_small_duty(moving: Moving, seed: int = 0) -> list[float]:
    """V6: elasticity to a lasting duty of 3 %, mean of months 6 to 18 and of months 90 to 102."""
    values = _shares("V5", "imports")[3]
    market = _market(values, values, moving.footloose, 3.5, 0.7, 0.0)
    duty = Duty({"2018-01": 0.03}, "2018-01")
    path = imports_from_china(market, duty, moving, "2018-01", "2026-12", seed)
    return [float(np.log(path[a : b + 1].mean()) / np.log(1.03)) for a, b in ((6, 18), (90, 102))]


def washers_2016_to_2017(moving: Moving, seed: int = 0) -> list[float]:
    """V8: change of the value of imports from China, 2016 and 2017 over 2015."""
    market = _market(_shares("V8", "imports")[0], _shares("V8", "sector")[0], 1.0, 3.0, 0.7,
                     moving.rules.sector_footprint)  # fmt: skip
    duty = Duty({"2016-07": 0.80, "2017-01": 0.45}, "2016-01", {"2016-07": 0.45})
    path = imports_from_china(market, duty, moving, "2015-01", "2017-12", seed)
    yearly = path.reshape(3, 12).mean(axis=1)
    return list(yearly[1:] / yearly[0] - 1)


def pc_parts_2019(moving: Moving, seed: int = 0) -> list[float]:
    """V10: imports from China over the same without the duty, less one, mean of 2019."""
    market = _market(_shares("V10", "imports")[0], _shares("V10", "sector")[0],
                     moving.footloose_consumer, 4.0, 0.5,
                     moving.rules.sector_footprint)  # fmt: skip
    duty = Duty({"2018-10": 0.10, "2019-06": 0.25}, "2018-09", {"2018-10": 0.25})
    path = imports_from_china(market, duty, moving, "2018-01", "2019-12", seed)
    return [float(path[12:].mean() - 1)]


def _market(
    imports: Float, sector: Float, footloose: float, substitution: float, demand: float, mu: float
) -> Market:
    own, of_sector = imports / imports.sum(), sector / sector.sum()
    footprint = (1 - mu) * own + mu * of_sector
    return Market(own, footprint, footloose, substitution, demand)


MOMENTS: Mapping[str, Callable[[Moving, int], list[float]]] = {
    "V5": elasticities_2018_to_2021,
    "V6": elasticities_of_a_small_duty,
    "V8": washers_2016_to_2017,
    "V10": pc_parts_2019,
}
"""By the number of the row in `validation_public.csv`; parts in its order."""


def assembly_moments(moving: Moving, seed: int = 0) -> dict[tuple[str, int], float]:
    """What the model's assembly gives for each published outcome, by number and part.

    Args:
        moving: the parameters.
        seed: names the draws of makers, their plants and race times.
    """
    return {
        (number, part): float(value)
        for number, moment in MOMENTS.items()
        for part, value in enumerate(moment(moving, seed), 1)
    }
