"""Sums by group and over slots."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tariffsim.kernels.sums import (
    by_class,
    by_foundry,
    by_supplier,
    largest_within,
    least_over_slots,
    of_suppliers,
    over_slots,
    rank_within,
    sum_by,
    sum_runs,
)

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


@given(values, st.integers(1, 7))
def test_rows_in_order_of_their_groups_have_the_same_sums(array: np.ndarray, n: int) -> None:
    """Also where some groups, the last among them, have no rows."""
    group = np.sort(np.arange(len(array)) * 31 % n)
    found = sum_runs(np.ascontiguousarray(array.T), group, n + 2)
    expected = [sum_by(group, np.ascontiguousarray(column), n + 2) for column in array.T]
    np.testing.assert_allclose(found, expected, atol=1e-7)  # as above


def test_no_rows_are_zero_of_float() -> None:
    empty = sum_by(np.zeros(0, dtype=np.intp), np.zeros(0), 3)
    assert empty.dtype == np.float64
    assert (empty == 0).all()


@given(values, st.integers(1, 7))
def test_slots_and_their_suppliers(array: np.ndarray, n_foundries: int) -> None:
    array.setflags(write=False)
    n, n_parts = array.shape
    slot_class = np.arange(n_parts) // 2  # two parts a class
    n_classes = int(slot_class[-1]) + 1
    supplier = np.arange(n * n_parts).reshape(n, n_parts) * 31 % n_foundries
    bought = by_supplier(array, supplier, slot_class, n_foundries)
    price = np.arange(1.0, n_foundries * n_classes + 1).reshape(n_foundries, n_classes)
    paid = of_suppliers(price, supplier, slot_class)
    assert paid[n - 1, -1] == price[supplier[n - 1, -1], -1]
    # What lines pay is what foundries receive: forty numbers of 1e6 at a price of at most 35.
    by_parts = by_class((paid * array).sum(axis=0), slot_class)
    np.testing.assert_allclose(by_parts, (price * bought).sum(axis=0), atol=1e-5)


def test_rows_are_counted_within_their_groups() -> None:
    np.testing.assert_array_equal(rank_within(np.array([0, 0, 2, 2, 2, 5])), [0, 1, 0, 1, 2, 0])
    assert len(rank_within(np.zeros(0, dtype=np.intp))) == 0


def test_largest_of_each_group() -> None:
    group, value = np.array([3, 1, 3, 1, 7]), np.array([2.0, 5.0, 4.0, 5.0, -1.0])
    np.testing.assert_array_equal(largest_within(group, value), [1, 2, 4])
    assert len(largest_within(np.zeros(0, dtype=np.intp), np.zeros(0))) == 0


@given(values, st.integers(1, 7))
def test_each_foundry_has_what_is_at_its_origin(array: np.ndarray, n_foundries: int) -> None:
    """One origin for all rows, or one that depends on the row."""
    n, n_regions = array.shape
    origin = np.arange(n * n_foundries).reshape(n, n_foundries) * 31 % n_regions
    assert (by_foundry(array, origin[0]) == array[:, origin[0]]).all()
    found = by_foundry(array, origin)
    for row in range(n):
        assert (found[row] == array[row][origin[row]]).all()
