"""Between the chip slots of lines (N, K), one a node class, and foundries (F, K)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.typing import Float, Int


def of_suppliers(table: Float, supplier: Int) -> Float:
    """(N, K) what a table of foundries (F, K) says of the supplier of each slot."""
    return np.asarray(table.ravel().take(_place(supplier, table.shape[1])))


def by_supplier(values: Float, supplier: Int, n_foundries: int) -> Float:
    """(F, K) sum of the values (N, K) of the slots that each foundry supplies."""
    n_classes = values.shape[1]
    place = _place(supplier, n_classes).ravel()
    return sum_by(place, values.ravel(), n_foundries * n_classes).reshape(-1, n_classes)


def _place(supplier: Int, n_classes: int) -> Int:
    return np.asarray(supplier * n_classes + np.arange(n_classes))
