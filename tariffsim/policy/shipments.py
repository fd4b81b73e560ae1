"""Shipments as an instrument sees them, at customs or in a maker's expectations: a frozen view.

And what was built in the market that levies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tariffsim.typing import Bool, Float, Int

CHINA, OTHER = "CN", "OTHER"


@dataclass(frozen=True)
class Codes:
    """The sets of the model, in the order of the arrays."""

    devices: tuple[str, ...]
    origins: tuple[str, ...]
    markets: tuple[str, ...]
    regions: tuple[str, ...]
    classes: tuple[str, ...]
    home_market: tuple[int, ...]
    """Market of each country of assembly."""
    region_market: tuple[int, ...]
    """Market of each foundry region."""
    chinese_part: tuple[float, ...] | None = None
    """Part of each fab region's chips that the law counts as Chinese; None: by place of the fab,
    so that origins of chips are regions. Else each region is there twice, second as Chinese."""

    @property
    def n_chip_origins(self) -> int:
        """Number of origins that chips may have in law."""
        return len(self.regions) * (1 if self.chinese_part is None else 2)

    def cell(self, device: Any, origin: Any, market: Any) -> Any:
        """Row of (device, origin, market) in tables ravelled over the three."""
        return (device * len(self.origins) + origin) * len(self.markets) + market

    def slot(self, cell: Any, node_class: Any, region: Any) -> Any:
        """Row of a chip in a product of the cell, in tables ravelled over the three."""
        return (cell * len(self.classes) + node_class) * len(self.regions) + region

    def taxed_chip(self, cell: Any, node_class: Any, origin: Any) -> Any:
        """The same in duty tables, by the origin that the chip has in law."""
        return (cell * len(self.classes) + node_class) * self.n_chip_origins + origin

    def cells_by_market(self, device: Any, origin: Any) -> Any:
        """(..., M) cells of products of a device, by the market they are sold in.

        The last axis of `origin` is the market, or 1 where all come from one country.
        """
        import numpy as np

        return np.asarray(self.cell(device, origin, np.arange(len(self.markets))))

    def market_device(self, market: Any, device: Any) -> Any:
        """Row of (market, device) in tables ravelled over both."""
        return market * len(self.devices) + device

    @property
    def n_cells(self) -> int:
        """Number of (device, origin, market) cells."""
        return len(self.devices) * len(self.origins) * len(self.markets)


@dataclass(frozen=True)
class Shipments:
    """Products (or unmounted chips) of one unit each; all arrays broadcast against (rows,).

    Chip arrays have one more axis at the end: the parts of a product, one for each chip slot.
    """

    codes: Codes
    customs_value: Float
    """USD a unit: ex-works price."""
    crosses_border: Bool
    """False for products sold where they were assembled."""
    chip_value: Float
    """USD a unit by part: invoice value of the chips."""
    chip_count: Float
    """Chips a unit by part."""
    chip_origin: Int
    """Origin in law by part: a region, or one that counts as Chinese (`Codes.chinese_part`)."""
    chip_class: Int
    """Node class by part."""
    _masks: dict[Any, Float] = field(default_factory=dict, repr=False, compare=False)

    def chips_from(self, regions: tuple[str, ...] | None, classes: tuple[str, ...] | None) -> Float:
        """One for parts whose chips are of these regions and node classes (None: all), else 0."""
        key = (regions, classes)
        if key not in self._masks:
            counted = _counted(self.codes, regions)
            class_mask = mask(self.codes.classes, classes)
            self._masks[key] = counted[self.chip_origin] * class_mask[self.chip_class]
        return self._masks[key]

    def take(self, rows: Int) -> Shipments:
        """Some of the products; what is alike for all stays so."""
        axes = self.customs_value.ndim

        def some(column: Any, axes: int) -> Any:
            return column[rows] if column.ndim == axes and len(column) > 1 else column

        return Shipments(
            self.codes,
            *(some(column, axes) for column in (self.customs_value, self.crosses_border)),
            *(some(column, axes + 1) for column in (
                self.chip_value, self.chip_count, self.chip_origin, self.chip_class)),
        )  # fmt: skip

    def over_parts(self, values: Float) -> Float:
        """Sum over the parts of each product."""
        import numpy as np

        return np.asarray(np.einsum("...k->...", values))


@dataclass(frozen=True)
class Built:
    """What has been built in the market of a law since its first month in force, net of closures.

    All of it, whoever owns it.
    """

    month: int
    standing: Mapping[str, float]
    """Chips a month of all capacity there, by node class."""
    chips_per_kwpm: Mapping[str, float]
    """Chips from a thousand 300 mm wafers, by node class."""
    chips: Mapping[str, float]
    """Chips a month of capacity that has been built, by node class."""
    capital: float
    """USD of capital cost."""
    newest: float
    """USD of it that were built in the last month."""
    waived: float
    """USD of duty that the law has waived so far."""


def _counted(codes: Codes, regions: tuple[str, ...] | None) -> Float:
    """(origins,) one where a chip counts as of these regions."""
    import numpy as np

    own = mask(codes.regions, regions)
    if codes.chinese_part is None:
        return own
    china = np.array([code == CHINA for code in codes.regions])
    rest = np.where(china, regions is None or OTHER in regions, own)
    chinese = np.full(len(own), float(regions is None or CHINA in regions))
    return np.concatenate([rest, chinese])


def mask(
    codes: tuple[str, ...], chosen: tuple[str, ...] | None, out: tuple[str, ...] = ()
) -> Float:
    """One for codes that are chosen (None: all) and not left out, zero for others."""
    import numpy as np

    is_in = ((chosen is None or code in chosen) and code not in out for code in codes)
    return np.array([*is_in], dtype=float)
