"""What the model gives for each row of published outcomes: one entry an id, in `FIGURES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tariffsim.tables import History, OutcomeRow
from tariffsim.validation.chip_moments import MARKET
from tariffsim.validation.episodes import PHONES_AND_LAPTOPS, STUDY_YEAR, Episodes, rows_since
from tariffsim.validation.hindcast import CHINA
from tariffsim.validation.trade_outcomes import TradeOutcomes, period

Figure = Callable[[Episodes, OutcomeRow, History], float | tuple[float, float]]
"""A number, or the two whose ratio it is."""
UNMOUNTED_CHIPS = "NAICS 334413"


def figures(
    history: History, ids: Sequence[str], seeds: Sequence[int], reacts: bool
) -> dict[str, list[float]]:
    """The model's figures by row and seed; NaN where a run has none.

    Rows of ids without an entry in `FIGURES` are left out.
    """
    found: dict[str, list[float | tuple[float, float]]] = {}
    rows = [row for row in history.outcomes if row.is_scored and row.id in FIGURES]
    for seed in seeds:
        episodes = Episodes(seed, reacts)
        for row in rows:
            if row.id in ids:
                with np.errstate(divide="ignore", invalid="ignore"):
                    value = FIGURES[row.id](episodes, row, history)
                found.setdefault(row.name, []).append(value)
    return {name: _by_seed(values) for name, values in found.items()}


def _by_seed(values: Sequence[float | tuple[float, float]]) -> list[float]:
    """One number for each seed, whose mean is the figure.

    A ratio is that of the means over seeds, as single ratios have no mean where the second number
    may be near zero; a seed's number is that plus what the seed adds to it, to first order.
    """
    numbers = np.array(values, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if numbers.ndim == 2:
            top, bottom = numbers.T
            ratio = top.mean() / bottom.mean()
            numbers = ratio + (top - ratio * bottom) / bottom.mean()
    return [float(value) for value in np.where(np.isfinite(numbers), numbers, np.nan)]


def _of_trade(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    return TradeOutcomes(history, episodes.with_301.months).figure(row)


def _duty_of_product(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    if UNMOUNTED_CHIPS not in row.case:
        return _of_trade(episodes, row, history)
    months = episodes.with_301.months
    value, duty = months.unmounted[months.rows(*period(row.period))].sum(axis=0)
    return float(duty / value)


def _of_assembly(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    return float(episodes.assembly[row.id][row.part - 1])


def _of_semiconductors(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    """V4: unmounted Chinese chips of all classes, and what US foundries sold, by value."""
    year, values = period(row.period), []
    for run in (episodes.with_301, episodes.without_301):
        if CHINA in row.place:
            trade = TradeOutcomes(history, run.months)
            values.append(trade.chip_value(run.months.classes, year))
        else:
            revenue = run.record.foundries["revenue"][run.months.rows(*year)]
            values.append(float(revenue[:, run.foundries_of(MARKET)].sum()))
    return values[0] / values[1] - 1


def _of_pass_through(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    """V9: USD of price to USD of duty."""
    if row.period.startswith("after"):
        duty, _, rise = episodes.shelf[-1]
        return float(rise / duty)
    if row.period == "2018":
        counted = episodes.border_2018[rows_since("2017-01", *period(row.period))]
    else:
        first, _, last = row.period.partition(" to ")
        counted = episodes.border_2025[rows_since("2025-01", first, last or first)]
    duty, fall, _ = counted.sum(axis=0)
    return float(1 - fall / duty)


def _of_study(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    """V15: change of the mean price index, or of units sold, of the year."""
    device = PHONES_AND_LAPTOPS["laptops" in row.quantity]
    column = "price_index" if "price" in row.quantity else "sold_units"
    now, before = (run.in_market(column, device, *STUDY_YEAR) for run in episodes.study)
    return now / before - 1


def _of_analog(episodes: Episodes, row: OutcomeRow, history: History) -> float:
    return episodes.analog[row.part - 1]


FIGURES: Mapping[str, Figure] = {
    **dict.fromkeys(("V1", "V2", "V19", "V21", "V22", "V24", "V25", "V26"), _of_trade),
    **dict.fromkeys(("V5", "V6", "V8", "V10"), _of_assembly),
    "V4": _of_semiconductors,
    "V9": _of_pass_through,
    "V11": lambda episodes, row, history: episodes.shortage,
    "V13": lambda episodes, row, history: episodes.survey[row.part - 1],
    "V14": lambda episodes, row, history: episodes.evasion,
    "V15": _of_study,
    "V16": lambda episodes, row, history: episodes.chip_tariffs,
    "V18": _of_analog,
    "V27": _duty_of_product,
}
"""By number of the outcome. A scored outcome that is not here counts as failed."""
