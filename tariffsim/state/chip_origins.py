"""Where the chips of a part are from in law: by fab, by packaging, by owner (MODEL 4.4, 4.6).

Letters in shapes as in `economy`. A table has one row, for all lines and parts, where the region of
the foundry alone decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from tariffsim.policy.shipments import CHINA, OTHER, Codes, mask
from tariffsim.typing import Bool, Float, Int, Int8


@dataclass(frozen=True, eq=False)
class ChipOrigins:
    """What the law counts as the origin of chips, by the region of the foundry that makes them."""

    codes: Codes
    of_duties: Int8
    """(N, P, R) origins as duty tables have them: a region, or after these one that counts as
    Chinese."""
    regions: dict[str, Int8]
    """(N, P, R) region by `fab`, `packaging` and `owner`; R where there is no such region."""
    hit: Float
    """(N, P) uniform below which a measure on a share of the chips finds them."""
    _met: dict[object, Bool] = field(default_factory=dict, repr=False)

    def in_duties(self, line: Int, part: Int, region: Int) -> Int:
        """Rows of the duty tables of chips from a region; the arguments broadcast together.

        Where the region alone decides, it is returned as it is.
        """
        if by_region_alone(self.of_duties):
            return region
        return self.of_duties[line, part, region].astype(np.intp)

    def met(self, by: Sequence[str], regions: tuple[str, ...] | None, share: float) -> Bool:
        """(N, P, R) chips that a measure finds: of these regions by all of `by`, and in its share.

        (1, 1, R) where the region of the foundry alone decides.
        """
        key = tuple(by), regions, share
        if key not in self._met:
            elsewhere = regions is None or OTHER in regions
            chosen = np.append(mask(self.codes.regions, regions), elsewhere) > 0
            found = reduce(np.logical_and, (chosen[self.regions[one]] for one in by))
            if share < 1.0:
                found = found & (self.hit < share)[:, :, None]
            self._met[key] = found
        return self._met[key]


def places(table: Bool | Int8, line: Int, part: Int, region: Int) -> Bool | Int8:
    """Entries of a table (N, P, R), or (1, 1, R); the arguments broadcast together."""
    return table[0, 0][region] if by_region_alone(table) else table[line, part, region]


def by_region_alone(table: Bool | Int8) -> bool:
    """Whether a table is (1, 1, R); one line has several parts."""
    return table.shape[:2] == (1, 1)


def regions_in_law(
    codes: Codes, chinese: dict[str, Float], packaged_if_owned: Float, draws: dict[str, Float]
) -> dict[str, Int8]:
    """(N, P, R) region by packaging and by owner of the chips of each region's foundries.

    Args:
        codes: the sets of the model.
        chinese: (R,) share of a region's chips that is packaged in China, or has a Chinese owner.
        packaged_if_owned: (R,) share of those with a Chinese owner that is packaged in China.
        draws: (N, P) uniforms for both.
    """
    owned = draws["owner"][:, :, None] < chinese["owner"]
    rest = 1.0 - chinese["owner"]
    of_owned = chinese["owner"] * packaged_if_owned
    of_others = np.clip((chinese["packaging"] - of_owned) / np.where(rest > 0, rest, 1.0), 0.0, 1.0)
    packaged = draws["packaging"][:, :, None] < np.where(owned, packaged_if_owned, of_others)
    return {"packaging": _region(codes, packaged), "owner": _region(codes, owned)}


def _region(codes: Codes, is_chinese: Bool) -> Int8:
    """(N, P, R) China, or the region itself; of China's the rest is of other countries."""
    own, china = np.arange(len(codes.regions), dtype=np.int8), codes.regions.index(CHINA)
    own[china] = codes.regions.index(OTHER) if OTHER in codes.regions else len(own)
    return np.where(is_chinese, np.int8(china), own)
