"""Sentences on what the uncertainty of a comparison consists of."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tariffsim.record.results import Results
from tariffsim.record.uncertainty import sentences

STRONGEST = {"tariff": {"sourcing.elasticity": 0.344, "trade.markup": 0.1}}


def results(is_drawn: bool = True, repeats: int = 20, **row: Any) -> Results:
    """A comparison of one scenario whose change of the Chinese share is known.

    So many of its draws were run with two seeds.
    """
    numbers = {"difference": -5.0, "sd_seeds": 0.5, "sd_parameters": 1.5, "sign_probability": 0.98}
    rows = [
        {"scenario": name, "metric": metric, **numbers, **row}
        for name in ("baseline", "tariff")
        for metric in ("cn_share", "welfare")
    ]
    facts = {"parameters": {"strongest": STRONGEST, "chance": 0.2}} if is_drawn else {}
    named = {"baseline": "", "tariff": ""}
    summary = pd.DataFrame({"scenario": "baseline", "draw": [*range(repeats), *range(repeats)]})
    tables = {"headline": pd.DataFrame(rows), "summary": summary}
    return Results(tables, named, named, "US", facts)


def test_both_parts_the_sign_and_the_strongest_parameters_are_named() -> None:
    assert list(sentences(results())) == [
        "tariff: standard deviation 1.5 pp by parameters and 0.5 pp by seeds in one run (90 % and "
        "10 % of the variance); the change is below zero with a probability of 98.0 %. Largest "
        "shares of the variance of a run, each by itself, in a stored design of such policies: "
        "sourcing.elasticity 34 %, trade.markup 10 %; what is below 20 % may be chance."
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sd_seeds": float("nan")}, "1.5 pp by seeds and parameters together"),
        ({"difference": 2.0}, "the change is above zero with a probability of 98.0 %"),
        ({"sign_probability": 0.9999}, "with a probability of 99.9 % or more"),
        ({"sd_seeds": 0.0, "sd_parameters": 0.0}, "(0 % and 0 % of the variance)"),
        ({"repeats": 2}, "(90 % and 10 % of the variance, a rough split from 2 draws run twice)"),
    ],
)
def test_what_is_not_known_or_certain_is_said_so(given: dict[str, Any], words: str) -> None:
    (sentence,) = sentences(results(**given))
    assert words in sentence


def test_fixed_parameters_and_single_runs_have_no_such_sentence() -> None:
    assert not list(sentences(results(is_drawn=False)))
    assert not list(sentences(results(sign_probability=float("nan"))))
