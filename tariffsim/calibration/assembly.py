"""Where makers have plants, and how near other places were in the base year (MODEL 4.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.calibration.lines import GOLDEN, Lines
from tariffsim.kernels.sums import rank_within, shares
from tariffsim.scenario.blocks import Assembly
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.typing import Bool, Float, Float32, Int, Int16

MOST_PLANTS = 400
"""Beyond which the distribution of the number of plants is cut off."""


def footprints(constants: Constants, sectors: Sequence[str], weight_of_sector: float) -> Float:
    """(D, O) where plants of a device are: its base shares in the data market and its sector's.

    Of all markets together without the data market, or for a device that it does not buy.
    """
    markets = constants.codes.markets
    bought = constants.trade.sum(axis=2)
    if DATA_MARKET in markets:
        here = constants.trade[:, :, markets.index(DATA_MARKET)]
        bought = np.where(here.any(axis=1, keepdims=True), here, bought)
    alike = np.array(sectors)[:, None] == np.array(sectors)
    own, of_sector = (shares(values.T).T for values in (bought, alike @ bought))
    return np.asarray((1 - weight_of_sector) * own + weight_of_sector * of_sector)


def draw_plants(
    footprint: Float, footloose: Float, rules: Assembly, lines: Lines, draws: Draws
) -> Int16:
    """(N, O) plants of lines by country: one where the line is assembled, others of the footloose.

    A maker of device d is footloose with probability `footloose` (D,) and then has one plant more
    than a Poisson number with mean `plants - 1`, each drawn from the footprint (D, O): so that the
    numbers by country are independent and Poisson themselves.
    """
    n, n_origins = len(lines.device), footprint.shape[1]
    is_footloose = draws.uniform("footloose", 0, n) < footloose[lines.device]
    u = draws.uniform("plants", 0, n, n_origins)
    plants: Int16 = np.eye(n_origins, dtype=np.int16)[lines.origin]
    for device in np.unique(lines.device):
        rows = np.flatnonzero(is_footloose & (lines.device == device))
        plants[rows] += more_plants(u[rows], footprint[device], rules.plants)
    return plants


def more_plants(u: Float, footprint: Float, plants: float) -> Int16:
    """(rows, O) plants of footloose makers besides the one at home, from uniforms (rows, O)."""
    more: Int16 = np.zeros(u.shape, dtype=np.int16)
    for origin in np.flatnonzero(footprint):
        more[:, origin] = poisson_quantile(u[:, origin], (plants - 1) * footprint[origin])
    return more


def poisson_quantile(u: Float, mean: float) -> Int:
    """(rows,) the Poisson number at each quantile, from one uniform."""
    steps = np.arange(1, MOST_PLANTS)
    log_chance = np.concatenate([[0.0], np.cumsum(np.log(max(mean, 1e-300) / steps))]) - mean
    with np.errstate(under="ignore"):
        chance = np.exp(log_chance)
    return np.searchsorted(np.cumsum(chance), u, side="right")


def race_times(
    plants: Int16,
    footprint: Float,
    power: float,
    lines: Lines,
    maker: Int,
    market: Int,
    draws: Draws,
) -> Float32:
    """(L, O) race times `e` of each flow: the place with the least `e r` wins.

    The base country has won: it has the least. Other plants of the maker are as near as plants are
    many; all countries without one together are as near as one plant, in proportion to the
    footprint to a power. Infinite where nobody has plants.
    """
    device, origin = lines.device[maker], lines.origin[maker]
    first = np.empty(len(maker))
    order = np.lexsort((maker, -lines.value[maker, market], market, origin, device))
    cell = np.ravel_multi_index(
        (device[order], origin[order], market[order]), (*footprint.shape, lines.value.shape[1])
    )
    start = draws.uniform("race of base countries", 0, footprint.size, lines.value.shape[1])
    u = (start.ravel()[cell] + GOLDEN * rank_within(cell)) % 1.0
    first[order] = -np.log1p(-u)
    waits = np.empty((len(maker), footprint.shape[1]), dtype=np.float32)
    for m in np.unique(market):
        own = market == m
        drawn = draws.exponential_float32(f"race {m}", 0, len(lines.device), footprint.shape[1])
        waits[own] = drawn[maker[own]]
    return race(first, waits, plants[maker], new_places(footprint, power)[device], origin)


def new_places(footprint: Float, power: float) -> Float:
    """(D, O) weights of countries for a new plant, one in all."""
    weight = np.where(footprint > 0, footprint, 0.0)
    weight = np.where(weight > 0, weight**power, 0.0)
    return shares(weight.T).T


def race(first: Float, waits: Float32, plants: Int16, new: Float, origin: Int) -> Float32:
    """(L, O) race times from unit exponentials, `first` (L,) at home and `waits` (L, O) elsewhere.

    `plants` (L, O) and the weights `new` (L, O) of countries without any are what places draw with.
    """
    home = (first / plants.sum(axis=1))[:, None]
    weight = np.where(plants > 0, plants, new)
    with np.errstate(divide="ignore", over="ignore"):
        times: Float32 = (home + waits / weight).astype(np.float32)
    at_home: Bool = np.arange(plants.shape[1]) == origin[:, None]
    times[at_home] = home.astype(np.float32).repeat(plants.shape[1], axis=1)[at_home]
    return times
