"""Scores in words, as the command, the page and the report print them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from tariffsim.validation.about import COMPUTED
from tariffsim.validation.crps import devices_predicted_better
from tariffsim.validation.scores import by_id, counts, failures

ID_COLUMNS = {
    "id": "Id", "case": "Case", "use": "Use", "rows": "Rows inside", "verdict": "Verdict",
    "informative": "Informative rows inside", "verdict_informative": "Verdict on these",
    "distance": "Distance",
}  # fmt: skip
ROW_COLUMNS = {
    "row": "Row", "quantity": "Quantity", "place": "Place", "period": "Period",
    "data": "Published", "range": "Range", "model": "Model", "nobody": "Nobody reacts",
    "verdict": "Verdict", "note": "Note",
}  # fmt: skip
FORECAST_COLUMNS = {
    "device": "Device", "observed": "Published", "model": "Model", "naive": "Share of 2021",
    "crps_model": "Score of the model", "crps_naive": "Score of the naive rule",
    "better": "Better",
}  # fmt: skip
WORST = 3
READING = (
    "A row passes if the model's figure, the mean over seeds, is inside the published range; an "
    "outcome passes if two thirds of its rows do. Calibrated outcomes may have been fitted, "
    "untouched ones never. Beside each figure stands that of the same run in which nobody reacts: "
    "no switch of suppliers, no split, no shift of orders, no plant. A row that passes in both is "
    "not informative. Distance is how far rows outside are from their ranges, in half-widths of "
    "the range. Figures in brackets hold nine tenths of the seeds."
)


def ids_table(rows: pd.DataFrame) -> list[dict[str, str]]:
    """One line for each outcome, by the keys of `ID_COLUMNS`."""
    return [
        {
            "id": of["id"], "case": of["case"], "use": of["use"],
            "rows": f"{of['inside']} of {of['rows']}", "verdict": verdict(of["passes"]),
            "informative": f"{of['informative_inside']} of {of['informative']}",
            "verdict_informative": verdict(of["passes_informative"]),
            "distance": _distance(of["distance"]),
        }
        for of in by_id(rows).to_dict("records")
    ]  # fmt: skip


def rows_table(rows: pd.DataFrame) -> list[dict[str, str]]:
    """One line for each row, by the keys of `ROW_COLUMNS`."""
    return [
        {
            "row": f"{of['id']}.{of['part']}", "quantity": f"{of['quantity']}, {of['unit']}",
            "place": of["place"], "period": of["period"], "data": _number(of["value"]),
            "range": f"{_number(of['low'])} to {_number(of['high'])}",
            "model": f"{_number(of['model'])} [{_number(of['model_low'])}, "
            f"{_number(of['model_high'])}]",
            "nobody": _number(of["nobody_reacts"]), "verdict": verdict(of["holds"]),
            "note": of["why_not"] or ("" if of["informative"] else "not informative"),
        }
        for of in rows.to_dict("records")
    ]  # fmt: skip


def totals(rows: pd.DataFrame) -> list[str]:
    """How many outcomes pass, calibrated and untouched apart, a sentence each."""
    return [
        f"{use.capitalize()}: {of['passed']} of {of['ids']} outcomes pass; counting informative "
        f"rows alone, {of['passed_informative']} of {of['ids_informative']}."
        for use, of in counts(by_id(rows)).items()
        if of["ids"]
    ]


def worst(rows: pd.DataFrame, most: int | None = None) -> list[Mapping[str, str]]:
    """Outcomes that fail, the farthest first: number, case, distance, and what they touch."""
    return [
        {"id": of["id"], "case": of["case"], "distance": _distance(of["distance"]),
         "touches": of["touches"], "computed": COMPUTED[of["id"]]}
        for of in failures(by_id(rows)).to_dict("records")[:most]
    ]  # fmt: skip


def forecasts_in_short(forecasts: pd.DataFrame) -> str:
    """How often a model that knew nothing after 2021 was better than the share of 2021."""
    better, devices = devices_predicted_better(forecasts)
    return (
        f"Fitted on 2018-2021 and run on, the model predicts China's share in imports from China, "
        f"Vietnam and Mexico in 2022-2024 better than the share of 2021 does in {better} of "
        f"{devices} device groups."
    )


def forecasts_table(forecasts: pd.DataFrame) -> list[dict[str, str]]:
    """Means of the three years by device, by the keys of `FORECAST_COLUMNS`."""
    names = list(FORECAST_COLUMNS)[1:-1]
    means = forecasts.groupby("device", sort=False)[names].mean()
    return [
        {
            "device": str(device), **{name: f"{of[name]:.3f}" for name in names},
            "better": "model" if of["crps_model"] < of["crps_naive"] else "naive rule",
        }
        for device, of in means.iterrows()
    ]  # fmt: skip


def verdict(passes: bool | None) -> str:
    """Pass or fail; a dash where there is nothing to judge."""
    return "–" if passes is None else "pass" if passes else "fail"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}"


def _distance(value: float) -> str:
    return "no figure" if math.isinf(value) else f"{value:.1f}" if value else "–"
