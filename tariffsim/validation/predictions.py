"""Predictions of duty and origins by month, in a file that can be scored once it is known better.

The first line of the file is the SHA-256 of the rest, the second says what made it; then a table
with one line a month, device, origin and quantity: intervals, and each run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from pydantic import BeforeValidator, ValidationInfo, field_validator

from tariffsim import __version__
from tariffsim.errors import DataError, Problem, nearest
from tariffsim.experiments.parameter_draws import Draw, with_draw
from tariffsim.scenario import Scenario, replace
from tariffsim.tables.csv_files import (
    MEGABYTES,
    BadCell,
    Filled,
    Refused,
    RowModel,
    context_of,
    parse_number,
    read_rows,
    read_text,
    without_repeats,
)
from tariffsim.typing import Float, format_month
from tariffsim.validation.crps import crps_ensemble
from tariffsim.validation.hindcast import Months, months_of

KEYS = ("month", "device", "origin", "quantity")
RATE, SHARE, ALL = "duty_rate", "origin_share", "ALL"
"""Duty over imports; and an origin's part of them. `ALL` is all devices, or all origins."""
QUANTILES = {"low_80": 0.1, "low_50": 0.25, "median": 0.5, "high_50": 0.75, "high_80": 0.9}
MOST_RATE = 10.0
"""Of duty over imports, that is believed."""
HASH = "# sha256 "


def predict(
    scenario: Scenario, start: int, months: int, seeds: Sequence[int],
    draws: Mapping[int, Draw] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Duty rates and origin shares of US imports by month and device, with intervals.

    Args:
        scenario: its run has to have the months; it is run from its own start.
        start: first month predicted.
        months: how many.
        seeds: one run each.
        draws: parameters of each seed; those of the scenario for all if None.
    """
    ends = replace(scenario, run__end=format_month(start + months - 1))
    runs = [months_of(with_draw(ends, draws[seed]) if draws else ends, seed) for seed in seeds]
    table = pd.concat([_of_run(run, start, months) for run in runs], axis=1, keys=seeds)
    table = table.dropna()  # no imports in some run
    members = table.to_numpy()
    found = pd.DataFrame(
        {name: np.quantile(members, q, axis=1) for name, q in QUANTILES.items()}, table.index
    )
    for seed, values in zip(seeds, members.T, strict=True):
        found[f"seed_{seed}"] = values
    return found.reset_index()


def _of_run(run: Months, start: int, months: int) -> pd.Series:
    """(month, device, origin, quantity) figures of one run."""
    rows = slice(start - run.first, start - run.first + months)
    imports, duty = (_with_total(values[rows]) for values in (run.imports, run.duty))
    total = imports.sum(axis=2, keepdims=True)
    with np.errstate(invalid="ignore"):
        rate, share = duty.sum(axis=2, keepdims=True) / total, imports / total
    names = [format_month(start + n) for n in range(months)], (*run.devices, ALL)
    parts = [
        pd.Series(
            values.ravel(), pd.MultiIndex.from_product([*names, origins, [quantity]], names=KEYS)
        )
        for values, origins, quantity in ((rate, [ALL], RATE), (share, run.origins, SHARE))
    ]
    return pd.concat(parts)


def _with_total(values: Float) -> Float:
    """(T, D, O) values with a device more, the sum of all."""
    return np.concatenate([values, values.sum(axis=1, keepdims=True)], axis=1)


def to_text(table: pd.DataFrame, scenario: Scenario, made: date, is_drawn: bool) -> str:
    """The file of a prediction."""
    n = sum(str(column).startswith("seed_") for column in table)
    runs = f"{n} runs of {scenario.name} ({scenario.content_hash})"
    parameters = f"with {'drawn' if is_drawn else 'its own'} parameters"
    head = f"# made {made} by tariffsim {__version__}; {runs} {parameters}\n"
    text = head + table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return f"{HASH}{_digest(text)}\n{text}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def read_prediction(path: Path) -> pd.DataFrame:
    """The table of a file, after it was held against its hash.

    Raises:
        DataError: it cannot be read, or is not what was written.
    """
    try:
        text = read_text(path, MEGABYTES)
    except Refused as error:
        raise DataError([Problem(str(path), message=error.message, hint=error.hint)]) from None
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    if not first.startswith(HASH):
        problem = Problem(str(path), 1, 1, "", f"must begin with {HASH.strip()}",
                          hint="tariffsim predict writes such files")  # fmt: skip
        raise DataError([problem])
    if first.removeprefix(HASH).strip() != _digest(rest):
        problem = Problem(str(path), 1, 1, "sha256", "is not that of the rest of the file",
                          hint="the prediction was changed after it was made")  # fmt: skip
        raise DataError([problem])
    try:
        found = pd.read_csv(StringIO(rest), comment="#", keep_default_na=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError):
        found = pd.DataFrame()
    columns = [*KEYS, *QUANTILES]
    numbers = found.drop(columns=list(KEYS), errors="ignore")
    if not set(columns) <= set(found) or not all(map(is_numeric_dtype, numbers.dtypes)):
        raise DataError([Problem(str(path), 2, 1, "", "is not a table of predictions",
                                 hint="tariffsim predict writes such files")])  # fmt: skip
    return found


@dataclass(frozen=True)
class Predicted:
    """What a prediction has figures of."""

    keys: Collection[tuple[str, ...]]
    """By month, device, origin and quantity."""

    @cached_property
    def values(self) -> Mapping[str, list[str]]:
        """What is there of each of these."""
        columns = zip(*self.keys, strict=True)
        return {name: [*dict.fromkeys(each)] for name, each in zip(KEYS, columns, strict=True)}


class Observed(RowModel):
    """One observed figure of what a prediction has; the context is what it has (`Predicted`)."""

    month: Filled
    device: Filled
    origin: Filled
    quantity: Filled
    value: Annotated[float, BeforeValidator(parse_number)]

    @property
    def key(self) -> tuple[str, ...]:
        """What it is a figure of."""
        return self.month, self.device, self.origin, self.quantity

    @field_validator(*KEYS)
    @classmethod
    def _is_known(cls, text: str, info: ValidationInfo) -> str:
        if text not in (values := context_of(info).values[info.field_name]):
            raise BadCell("is not in the prediction", text, nearest(text, values))
        return text

    @field_validator("value")
    @classmethod
    def _is_possible(cls, value: float, info: ValidationInfo) -> float:
        most = {SHARE: 1.0, RATE: MOST_RATE}.get(info.data.get("quantity", ""), np.inf)
        if not 0 <= value <= most:
            hint = "it is a fraction: 0.3 for 30 %"
            raise BadCell(f"must be from 0 to {most:g}", f"{value:g}", hint)
        return value

    @field_validator("quantity")
    @classmethod
    def _is_predicted(cls, quantity: str, info: ValidationInfo) -> str:
        key = (*(info.data.get(name, "") for name in KEYS[:-1]), quantity)
        if "" not in key and key not in context_of(info).keys:
            raise BadCell("is not in the prediction", " ".join(key))
        return quantity


def score(prediction: pd.DataFrame, observed: Path) -> pd.DataFrame:
    """One line for each observed figure: its score (CRPS), and which intervals it is in.

    Raises:
        DataError: with all problems of the file of observed figures.
    """
    file, problems = str(observed), list[Problem]()
    known = Predicted(dict.fromkeys(prediction[list(KEYS)].itertuples(index=False, name=None)))
    rows = read_rows(observed, file, Observed.columns(), (), problems)
    found: dict[tuple[str, ...], float] = {}
    for row in rows:
        checked = Observed.of(row, problems, known)
        if checked is None:
            continue
        if checked.key in found:
            problems.append(row.place("month").problem("is there twice", " ".join(checked.key)))
        found[checked.key] = checked.value
    if problems:
        raise DataError(without_repeats(problems))
    index = pd.MultiIndex.from_tuples(list(found), names=KEYS)
    table = prediction.set_index(list(KEYS)).loc[index]
    value = np.array(list(found.values()))
    members = table[[name for name in table if str(name).startswith("seed_")]].to_numpy().T
    scored = table[["median"]].assign(value=value, crps=crps_ensemble(members, value))
    for name in ("50", "80"):
        low, high = table[f"low_{name}"], table[f"high_{name}"]
        scored[f"in_{name}"] = (value >= low) & (value <= high)
    return scored.reset_index()


def summary(scored: pd.DataFrame) -> pd.DataFrame:
    """By quantity: figures, mean score, and the share of them in each interval."""
    columns = {"rows": ("crps", "size"), "crps": ("crps", "mean"),
               "in_50": ("in_50", "mean"), "in_80": ("in_80", "mean")}  # fmt: skip
    return scored.groupby("quantity").agg(**columns).reset_index()
