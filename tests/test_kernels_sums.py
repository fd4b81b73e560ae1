"""Sums by group and over slots."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tariffsim.kernels.sums import least_over_slots, over_slots, sum_by

values = arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 5)),
                elements=st.floats(-1e6, 1e6))  # fmt: skip


@given(values)
def test_over_slots(array: np.ndarray) -> None:
    array.setflags(write=False)
    # Five numbers of 1e6 added in another order round to 1e-9.
    np.testing.assert_allclose(over_slots(array), array.sum(axis=1), atol=1e-8)
    assert (least_over_slots(array) == array.min(axis=1)).all()


@given(values, st.integers(1, 7))
def test_sum_by(array: np.ndarray, n_groups: int) -> None:
    flat = array[:, 0]
    group = np.arange(len(flat)) * 31 % n_groups
    found = sum_by(group, flat, n_groups)
    assert found.dtype == np.float64
    expected = [flat[group == g].sum() for g in range(n_groups)]
    # Forty numbers of 1e6 added in another order round to 1e-8.
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_no_rows_are_zero_of_float() -> None:
    empty = sum_by(np.zeros(0, dtype=np.int64), np.zeros(0), 3)
    assert empty.dtype == np.float64
    assert (empty == 0).all()
