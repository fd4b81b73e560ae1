"""What the uncertainty of a comparison with drawn parameters consists of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tariffsim.record.intervals import Interval, drawn_interval, paired_interval
from tariffsim.record.results import Results

FEW_REPEATS = 8
"""Up to so many draws that were run twice, the variance of seeds is off by half or more."""


def is_drawn(results: Results) -> bool:
    """Whether parameters were drawn, so that intervals cover them."""
    return "parameters" in results.provenance


def interval_of(results: Results) -> Callable[[Sequence[float]], Interval]:
    """The interval of paired differences in the order of seeds."""
    if not is_drawn(results):
        return paired_interval
    summary = results.tables["summary"]
    own = summary[summary["scenario"] == results.baseline].sort_values("seed")
    return partial(drawn_interval, draws=own["draw"].tolist())


def sentences(results: Results) -> Iterator[str]:
    """By scenario: parts of the uncertainty of the change of the Chinese share, and its sign.

    None where parameters were fixed, or of a scenario of which the parts are not known.
    """
    if not is_drawn(results):
        return
    table = results.tables["headline"]
    facts = results.provenance["parameters"]
    draws = results.tables["summary"].loc[lambda t: t["scenario"] == results.baseline, "draw"]
    repeats = len(draws) - draws.nunique()
    for row in table[table["metric"] == "cn_share"].to_dict("records"):
        name = str(row["scenario"])
        if name != results.baseline and not math.isnan(row["sign_probability"]):
            strongest = facts["strongest"].get(name, {})
            yield f"{name}: {_parts(row, repeats)}{_named(strongest, facts['chance'])}."


def _parts(row: Mapping[Any, Any], repeats: int) -> str:
    """Standard deviations by seeds and by parameters, and the probability of the sign.

    Both come from so many draws that were repeated with another seed.
    """
    seeds, parameters = row["sd_seeds"], row["sd_parameters"]
    total = seeds**2 + parameters**2
    if math.isnan(seeds):
        text = f"standard deviation {parameters:.2g} pp by seeds and parameters together"
    else:
        parts = [100 * sd**2 / (total or 1.0) for sd in (parameters, seeds)]
        text = (
            f"standard deviation {parameters:.2g} pp by parameters and {seeds:.2g} pp by seeds in "
            f"one run ({parts[0]:.0f} % and {parts[1]:.0f} % of the variance"
            + f", a rough split from {repeats} draw{'s' * (repeats > 1)} run twice"
            * (repeats <= FEW_REPEATS)
            + ")"
        )
    side = "below" if row["difference"] < 0 else "above"
    sure = 100 * row["sign_probability"]
    return f"{text}; the change is {side} zero with a probability of {min(sure, 99.9):.1f} %" + (
        " or more" if sure > 99.9 else ""
    )


def _named(shares: Mapping[str, float], chance: float) -> str:
    """The strongest parameters of a stored design."""
    if not shares:
        return ""
    listed = ", ".join(f"{key} {100 * share:.0f} %" for key, share in shares.items())
    noise = f"; what is below {100 * chance:.0f} % may be chance" * any(
        share < chance for share in shares.values()
    )
    return (
        ". Largest shares of the variance of a run, each by itself, in a stored design of such "
        "policies: "
        f"{listed}{noise}"
    )
