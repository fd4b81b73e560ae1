"""What may be said of a difference, and what may not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.record.intervals import drawn_interval, paired_interval
from tariffsim.record.statements import (
    Estimate,
    Verdict,
    clear_largest,
    effect,
    precise,
    seeds_to_settle,
    summary,
)


def of(difference: float, half: float, n: int = 5) -> Estimate:
    """A difference with a symmetric interval."""
    low, high = difference - half, difference + half
    return Estimate(10.0, difference, low, high, n > 1 and (low > 0 or high < 0), n)


def test_a_significant_change_is_stated_with_its_interval() -> None:
    assert effect(of(-2.3, 0.4), "the share", "pp") == "reduces the share by 2.3 pp (1.9 to 2.7)"
    assert effect(of(0.5, 0.2), "prices", "%") == "raises prices by 0.5 % (0.3 to 0.7)"


def test_a_small_significant_change_is_not_shown_as_zero() -> None:
    assert effect(of(0.004, 0.001), "prices", "%") == "raises prices by 0.004 % (0.003 to 0.005)"


@given(st.floats(-5, 5), st.floats(0.0, 5.0))
def test_no_verb_of_change_without_an_interval_that_excludes_zero(d: float, half: float) -> None:
    found = of(d, half)
    text = effect(found, "the share", "pp")
    assert text.startswith(("raises", "reduces")) == (found.low > 0 or found.high < 0)


def test_what_is_not_known_is_said() -> None:
    assert "no statistically significant effect" in effect(of(1.0, 1.5), "the share", "pp")
    assert "(−0.5 to +2.5 pp)" in effect(of(1.0, 1.5), "the share", "pp")
    assert "single run" in effect(of(1.0, math.nan, n=1), "the share", "pp")
    nothing = Estimate(10.0, 0.0, 0.0, 0.0, False, 5)
    assert effect(nothing, "the share", "pp") == "does not change the share"
    undefined = Estimate(math.nan, math.nan, math.nan, math.nan, False, 5)
    assert undefined.verdict is Verdict.UNDEFINED
    assert "no defined effect" in effect(undefined, "cost per pp", "m USD")


def test_several_scenarios_in_a_sentence() -> None:
    found = {"a": of(-2.3, 0.4), "b": of(1.0, 1.5), "c": of(0.5, 0.2), "d": of(-1.0, 0.5)}
    assert summary("The share", "pp", found) == (
        "The share falls with a by 2.3 pp (−2.7 to −1.9) and with d by 1.0 pp (−1.5 to −0.5) and "
        "rises with c by 0.5 pp (+0.3 to +0.7); it has no statistically significant change with b "
        "(−0.5 to +2.5 pp)."
    )
    assert summary("The share", "pp", {"b": of(1.0, 1.5)}) == (
        "The share has no statistically significant change with b (−0.5 to +2.5 pp)."
    )
    same = Estimate(10.0, 0.0, 0.0, 0.0, False, 5)
    assert summary("The share", "pp", {"e": same}) == "The share does not change with e."
    assert summary("The share", "pp", {"a": of(1.0, math.nan, n=1)}) == ""


def test_the_largest_is_named_only_if_no_other_may_be_larger() -> None:
    sure, near, wide = of(-5.0, 0.5), of(4.0, 0.3), of(1.0, 6.0)
    assert clear_largest({"a": sure, "b": near}) == "a"
    assert clear_largest({"a": sure, "c": wide}) is None  # which may be 7
    assert clear_largest({"a": sure, "b": of(4.6, 0.3)}) is None  # intervals overlap
    assert clear_largest({"a": sure}) is None  # nothing to compare with
    assert clear_largest({"b": of(1.0, 2.0), "c": wide}) is None


@pytest.mark.parametrize("n", [3, 6, 10])
def test_as_many_seeds_as_would_settle_it_with_fixed_parameters(n: int) -> None:
    sample = np.tile([-1.0, 3.0], n)  # mean 1, so that more of the same seeds would do
    interval = paired_interval(sample[: 2 * (n // 2)].tolist())
    found = Estimate(0.0, interval.mean, interval.low, interval.high, False, interval.n)
    needed = seeds_to_settle(found)
    assert needed is not None
    assert needed > n
    spread = float(sample[: 2 * (n // 2)].std(ddof=1))

    def settles(seeds: int) -> bool:
        at = paired_interval((1 + spread * _standard(seeds)).tolist())
        return at.is_significant

    assert settles(needed)
    assert not settles(needed - 1)


def _standard(n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A sample of mean zero and standard deviation one."""
    sample = np.arange(n) - (n - 1) / 2
    return np.asarray(sample / sample.std(ddof=1))


def test_no_number_of_seeds_settles_what_parameters_leave_open() -> None:
    rng = np.random.default_rng(0)
    draws = np.repeat(np.arange(12), 2)
    values = 1.0 + 3.0 * rng.standard_normal(12)[draws] + 0.1 * rng.standard_normal(24)
    interval = drawn_interval(values.tolist(), draws.tolist())
    found = Estimate(
        0.0, interval.mean, interval.low, interval.high, interval.is_significant, interval.n,
        interval.sd_seeds, interval.sd_parameters,
    )  # fmt: skip
    assert not found.is_significant
    assert interval.sd_parameters > 1
    assert seeds_to_settle(found) is None


def test_what_is_settled_needs_no_more_seeds() -> None:
    assert seeds_to_settle(of(2.0, 0.5)) is None


def test_numbers_have_a_true_minus_and_no_minus_before_zero() -> None:
    assert precise(-2.0, 1) == "−2.0"
    assert precise(-0.0, 1) == "0.0"
    assert precise(2.0, 1, sign=True) == "+2.0"
