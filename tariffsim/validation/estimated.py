"""The parameters that are calibrated: keys, ranges, and a scenario with other values of them.

The file `estimates.csv` holds their values with standard errors; the command is
`python -m tariffsim.validation.calibrate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tariffsim.experiments.assembly_moments import Moving
from tariffsim.scenario import Scenario, catalogue, load_scenario
from tariffsim.scenario.loader import with_changes
from tariffsim.tables import load_tables
from tariffsim.typing import Float

FOOTLOOSE_CONSUMER, FOOTLOOSE_OTHER = "footloose_share.consumer", "footloose_share.other"
CIRCUITS, DISCRETES = "commodity_share.circuits", "commodity_share.discretes"
SMALL_PARTS = "parts.discretes"
CONSUMER_SECTORS = ("consumer", "computing", "appliance")
IN_BLOCKS = (
    "sourcing.elasticity", "sourcing.opening_factor", "assembly.plants", "assembly.elasticity",
    "assembly.shift_hazard", "assembly.shift_cost", "assembly.plant_hazard", "assembly.plant_cost",
    "trade.expected_persistence", "compliance.unknown_origin_share",
)  # fmt: skip


@dataclass(frozen=True)
class Estimated:
    """A parameter that is calibrated, within its plausible range."""

    key: str
    """A key of scenarios, or a name for figures that move together."""
    default: float
    low: float
    high: float
    is_whole: bool = False
    figures: tuple[tuple[str, float, float], ...] = ()
    """Keys of figures that it sets, and what each is at its low and its high end."""

    def value(self, position: float) -> float:
        """The value at a position from 0 (low) to 1 (high)."""
        value = self.low + (self.high - self.low) * position
        return float(np.rint(value)) if self.is_whole else value

    @property
    def position(self) -> float:
        """Where the default lies between the ends."""
        return (self.default - self.low) / (self.high - self.low)

    def changes(self, value: float) -> dict[str, float]:
        """Values by key of a scenario that the parameter's value stands for."""
        if not self.figures:
            return {self.key: value}
        at = (value - self.low) / (self.high - self.low)
        found = {key: low + (high - low) * at for key, low, high in self.figures}
        return {key: round(each) if self.is_whole else each for key, each in found.items()}

    def parts(self) -> Iterator[tuple[str, float, float]]:
        """Keys with their ranges; figures of one range that move together are one key.

        It names their codes with plus signs between, `figures.TABLE.CODE+CODE.COLUMN`.
        """
        if not self.figures:
            yield self.key, self.low, self.high
        ranges: dict[tuple[float, float], list[str]] = {}
        for key, low, high in self.figures:
            ranges.setdefault((low, high), []).append(key)
        for (low, high), keys in ranges.items():
            start, table, _, column = keys[0].split(".")
            codes = "+".join(key.split(".")[2] for key in keys)
            yield f"{start}.{table}.{codes}.{column}", low, high


@cache
def estimated_parameters() -> tuple[Estimated, ...]:
    """All that are calibrated, in order."""
    blocks, tables = catalogue.blocks(), load_tables()
    found = []
    for key in IN_BLOCKS:
        given = blocks[key]
        assert given.low is not None
        assert given.high is not None
        found.append(Estimated(key, float(given.default), given.low, given.high))
    sectors = dict(zip(tables.devices.codes, tables.devices.texts("sector"), strict=True))
    groups = {
        (FOOTLOOSE_CONSUMER, "devices", "footloose_share"):
            [d for d in sectors if sectors[d] in CONSUMER_SECTORS],
        (FOOTLOOSE_OTHER, "devices", "footloose_share"):
            [d for d in sectors if sectors[d] not in CONSUMER_SECTORS],
        (CIRCUITS, "node_classes", "commodity_share"): ["A", "B", "C"],
        (DISCRETES, "node_classes", "commodity_share"): ["D"],
        (SMALL_PARTS, "node_classes", "parts"): ["D"],
    }  # fmt: skip
    for (name, table, column), codes in groups.items():
        figures = [getattr(tables, table).figures[code, column] for code in codes]
        keys = [f"figures.{table}.{code}.{column}" for code in codes]
        ends = [(key, f.low, f.high) for key, f in zip(keys, figures, strict=True)]
        now, low, high = (float(np.mean([getattr(f, of) for f in figures]))
                          for of in ("value", "low", "high"))  # fmt: skip
        found.append(Estimated(name, now, low, high, column == "parts", tuple(ends)))
    return tuple(found)


def with_estimates(scenario: Scenario, values: Mapping[str, float]) -> Scenario:
    """The scenario with other values of calibrated parameters, by name."""
    changes: dict[str, Any] = {}
    for parameter in estimated_parameters():
        if parameter.key in values:
            changes |= parameter.changes(values[parameter.key])
    return with_changes(scenario, changes, "estimates")


def moving(values: Mapping[str, float]) -> Moving:
    """How assembly moves at values of calibrated parameters."""
    rules = load_scenario("baseline").assembly.model_copy(
        update={key.partition(".")[2]: value for key, value in values.items()
                if key.startswith("assembly.")}
    )  # fmt: skip
    return Moving(
        rules, values[FOOTLOOSE_OTHER], values[FOOTLOOSE_CONSUMER],
        values["trade.expected_persistence"],
    )  # fmt: skip


def values_at(positions: Float) -> dict[str, float]:
    """Values by name at positions from 0 to 1."""
    parameters = estimated_parameters()
    return {p.key: p.value(float(x)) for p, x in zip(parameters, positions, strict=True)}


def default_positions() -> Float:
    """Where the defaults lie in their ranges."""
    return np.array([parameter.position for parameter in estimated_parameters()])
