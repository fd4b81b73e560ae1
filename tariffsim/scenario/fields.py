"""Every field of a scenario, with its bounds, unit, meaning, source and range of assumptions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.base import Code, Codes, Text
from tariffsim.policy.paths import Date, EndDate, Path
from tariffsim.scenario.nodes import Node, Position, node_at
from tariffsim.tables import Tables, load_tables


def parameter(
    default: Any,
    unit: str,
    description: str,
    low: float | None = None,
    high: float | None = None,
    source: str = "assumption",
    **bounds: Any,
) -> Any:
    """A field with its meaning, unit, source and, where uncertain, the range it is swept over."""
    extra: dict[str, Any] = {"unit": unit, "source": source}
    if low is not None:
        extra |= {"low": low, "high": high}
    if callable(default):  # a dated path: every value is held to the bounds
        extra |= bounds
        return Field(default_factory=default, description=description, json_schema_extra=extra)
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)


class Block(BaseModel):
    """A block of fields: frozen, and refusing what it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Run(Block):
    """Which months are simulated, and how often."""

    start: Date = parameter(
        2025 * 12, "month", "First month simulated; the base year stands before it."
    )
    end: EndDate = parameter(2030 * 12 + 11, "month", "Last month simulated.")
    seeds: int = parameter(20, "runs", "Replications, each with its own draws.", ge=1, le=100_000)
    seed: int = parameter(0, "number", "The first seed; the others follow it.", ge=0, le=2**31)


class Agents(Block):
    """Numbers of agents: resolution, not economics."""

    makers: int = parameter(
        1200, "lines", "Device makers (product lines) in all.", ge=1, le=5_000_000
    )
    importers_min: int = parameter(
        5, "importers", "Fewest importers of one device into one market.", ge=1, le=1000
    )
    importers_max: int = parameter(
        10, "importers", "Most importers of one device into one market.", ge=1, le=1000
    )
    size_pareto: float = parameter(
        1.6, "exponent", "Pareto exponent of the sizes of lines.", 1.2, 2.5, gt=0.5, le=10
    )
    size_limit: float = parameter(
        100.0, "ratio", "Largest line of a cell relative to the least.", gt=1, le=1e6
    )


class Supply(Block):
    """Foundries: capacity, cost, price (MODEL 4.1)."""

    china_capacity_share: Path = parameter(
        lambda: Path(months=(24300, 24371), values=(0.30, 0.40), interpolate="linear"),
        "fraction",
        "China's planned share of foundational capacity.",
        source="S3 S31",
        ge=0.01,
        le=0.95,
    )
    china_price_discount: Path = parameter(
        lambda: Path(months=(24300, 24371), values=(0.20, 0.30), interpolate="linear"),
        "fraction",
        "How much cheaper Chinese chips are, before slack capacity.",
        source="S31",
        ge=0,
        le=0.9,
    )
    discount_cost_share: float = parameter(
        0.40, "fraction", "Part of the discount that is a cost advantage.", 0.2, 0.6, ge=0, le=1
    )
    discount_subsidy_share: float = parameter(
        0.35, "fraction", "Part of the discount that is public money.", 0.15, 0.6, ge=0, le=1
    )
    investment: Literal["planned"] = parameter(
        "planned", "choice", "How capacity outside China grows: as planned."
    )
    capacity_growth_factor: float = parameter(
        1.0, "ratio", "Factor on the growth of capacity outside China.", 0.5, 1.5, ge=0, le=5
    )
    learning: float = parameter(
        0.08,
        "fraction",
        "Fall of unit cost for each doubling of experience.",
        0.03,
        0.20,
        "S29",
        ge=0,
        le=0.5,
    )
    learning_spillover: float = parameter(
        0.33,
        "fraction",
        "Weight of everybody else's output in experience.",
        0,
        0.6,
        "S29",
        ge=0,
        le=1,
    )
    experience_years: float = parameter(
        10.0, "years", "Years of base output already learned from.", 5, 20, ge=0.5, le=100
    )
    utilisation_price_response: float = parameter(
        0.5, "log price per point", "Response of price to utilisation (chi).", 0, 1, ge=0, le=5
    )
    price_adjustment: float = parameter(
        0.15,
        "fraction a month",
        "Speed of posted prices towards their target.",
        0.05,
        0.5,
        ge=0,
        le=1,
    )
    variable_cost_share: float = parameter(
        0.5, "fraction", "Part of foundry cost that varies with output.", 0.3, 0.7, ge=0, le=1
    )


class Sourcing(Block):
    """How a maker chooses a foundry (MODEL 4.2)."""

    elasticity: float = parameter(
        4.0,
        "elasticity",
        "Long-run elasticity of substitution between foundries (sigma).",
        2,
        8,
        "S32",
        ge=0,
        le=50,
    )
    size_term: float = parameter(
        1.0, "elasticity", "How far more capacity means more choices (omega).", 0, 1, ge=0, le=2
    )
    assembly_odds: float = parameter(
        3.0,
        "odds",
        "Odds of a Chinese chip in a line assembled in China against elsewhere.",
        1,
        8,
        "S5 S6",
        ge=1,
        le=100,
    )
    opening_factor: float = parameter(
        1.0,
        "ratio",
        "Factor on the rate at which designs and drop-in slots open.",
        0.5,
        2,
        gt=0,
        le=5,
    )
    drop_in_hazard: float = parameter(
        1 / 6,
        "per month",
        "Rate at which a drop-in slot opens by itself.",
        1 / 12,
        1 / 3,
        ge=0,
        le=1,
    )
    drop_in_requalification_months: int = parameter(
        2, "months", "Months until a new drop-in supplier delivers.", ge=1, le=60
    )
    drop_in_cost_share: float = parameter(
        0.05,
        "fraction",
        "Requalification cost of a drop-in part relative to others.",
        0,
        0.2,
        ge=0,
        le=1,
    )
    discount_rate: float = parameter(
        0.08, "per year", "Discount rate of makers (rho).", 0.04, 0.15, ge=0, le=1
    )
    switching_cost_cap: float = parameter(
        1000.0, "ratio", "Largest switching cost relative to a design's chip bill.", ge=0, le=1e6
    )
    foresight: Literal["announced", "none"] = parameter(
        "announced",
        "choice",
        "Whether measures count from their announcement, or only when in force.",
    )


class Assembly(Block):
    """How a maker chooses a country of assembly (MODEL 4.3)."""

    elasticity: float = parameter(
        6.0, "elasticity", "Elasticity between countries of assembly.", 3, 9, ge=0, le=50
    )
    hazard: float = parameter(
        1 / 48,
        "per month",
        "Rate at which a line reconsiders its country.",
        1 / 96,
        1 / 24,
        ge=0,
        le=1,
    )
    relocation_cost: float = parameter(
        0.10, "fraction", "Cost of moving, relative to lifetime value.", 0.05, 0.25, ge=0, le=100
    )
    lead_months: int = parameter(
        12, "months", "Months until a moved line delivers.", 6, 24, ge=1, le=60
    )


class Trade(Block):
    """Prices, duties and pass-through (MODEL 4.4)."""

    tariffs_in_force: bool = parameter(
        True, "yes or no", "Whether the duties of the tariff calendar apply.", source="S12 S13 S34"
    )
    markup: float = parameter(
        0.15, "fraction", "Mark-up of makers on unit cost.", 0.05, 0.3, ge=0, le=5
    )
    border_pass_through: float = parameter(
        0.95,
        "fraction",
        "Part of a new duty that the maker does not rebate.",
        0.86,
        1.0,
        "S18 S19",
        ge=0,
        le=1,
    )
    freight: float = parameter(
        0.03,
        "fraction",
        "Freight and insurance relative to ex-works price.",
        0.02,
        0.06,
        ge=0,
        le=1,
    )
    retail_margin: float = parameter(
        0.40, "fraction", "Retail margin relative to base landed cost.", 0.2, 0.6, ge=0, le=5
    )
    importer_profit: float = parameter(
        0.05, "fraction", "Part of base landed cost that is importers' profit.", 0, 0.1, ge=0, le=5
    )
    pass_through: float = parameter(
        0.90,
        "fraction",
        "Long-run part of a duty passed on to consumers.",
        0.6,
        1.0,
        "S18 S20",
        ge=0,
        le=1,
    )
    pass_through_months: float = parameter(
        18.0, "months", "Time constant of passing on a duty.", 6, 30, "S20", ge=1, le=240
    )
    order_adjustment: float = parameter(
        0.25, "fraction a month", "Speed of orders towards desired orders.", 0.1, 1, gt=0, le=1
    )
    chip_content_growth: float = parameter(
        0.02, "per year", "Growth of chips in a unit.", 0, 0.05, ge=-0.5, le=1
    )
    growth_factor: float = parameter(
        1.0, "ratio", "Factor on the growth of device demand of every market.", 0, 2, ge=0, le=10
    )


class OtherBuyers(Block):
    """Buyers of chips outside the device groups."""

    elasticity: float = parameter(
        2.0, "elasticity", "Elasticity of substitution between foundries.", 1, 4, "S32", ge=0, le=50
    )
    adjustment: float = parameter(
        1 / 24,
        "fraction a month",
        "Speed towards the desired mix of foundries.",
        1 / 48,
        1 / 6,
        gt=0,
        le=1,
    )


class Source(Block):
    """Where figures come from."""

    cite: Text = Field(min_length=1, max_length=2000, description="The citation.")
    quality: Literal["data", "seen", "assumption"] = Field(description="How firm the figures are.")
    keys: Codes = Field(
        default=(), description="Key paths of the values it is the source of, besides policies."
    )


TableName = Literal[
    "devices",
    "foundry_regions",
    "node_classes",
    "markets",
    "origins",
    "origin_rules",
    "us_imports_2024",
    "tariff_calendar",
    "validation_public",
    "sources",
]
FigureTableName = Literal[
    "devices", "foundry_regions", "node_classes", "markets", "origins", "origin_rules"
]
if TYPE_CHECKING:
    AnyInstrument = Instrument
else:
    AnyInstrument = Annotated[Union[tuple(INSTRUMENTS.values())], Field(discriminator="kind")]  # noqa: UP007
PolicyName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Scenario(Block):
    """One scenario: what is assumed, and which policies are in force when."""

    schema_version: Literal[1] = Field(default=1, description="Version of this format.")
    title: Text = Field(default="", max_length=200, description="One line for tables and charts.")
    description: Text = Field(default="", max_length=4000, description="What it is about.")
    run: Run = Field(default_factory=Run, description="Months and seeds.")
    agents: Agents = Field(default_factory=Agents, description="Numbers of agents.")
    supply: Supply = Field(default_factory=Supply, description="Foundries.")
    sourcing: Sourcing = Field(default_factory=Sourcing, description="Choice of foundry.")
    assembly: Assembly = Field(default_factory=Assembly, description="Choice of country.")
    trade: Trade = Field(default_factory=Trade, description="Prices and duties.")
    other_buyers: OtherBuyers = Field(
        default_factory=OtherBuyers, description="Chip buyers outside the device groups."
    )
    data: dict[TableName, Text] = Field(
        default_factory=dict, description="Data tables to replace: paths of CSV files."
    )
    figures: dict[FigureTableName, dict[Code, dict[Code, float]]] = Field(
        default_factory=dict, description="Single figures to replace: table, code, parameter."
    )
    policies: dict[PolicyName, AnyInstrument] = Field(
        default_factory=dict, description="Policy instruments by a name of your choice."
    )
    sources: dict[Code, Source] = Field(default_factory=dict, description="Cited sources.")

    _name: str = PrivateAttr(default="")
    _tree: Node | None = PrivateAttr(default=None)
    _folder: FilePath | None = PrivateAttr(default=None)
    _files: dict[str, FilePath] | None = PrivateAttr(default=None)
    _tables: Tables | None = PrivateAttr(default=None)

    @property
    def name(self) -> str:
        """Name for tables and files: that of the scenario file."""
        return self._name or "scenario"

    def tables(self) -> Tables:
        """The data tables of this scenario: shipped, replaced and with single figures changed."""
        if self._tables is None:
            figures = {str(table): codes for table, codes in self.figures.items()}
            self._tables = load_tables(self.data_files, figures)
        return self._tables

    @property
    def data_files(self) -> Mapping[str, FilePath]:
        """Files that replace data tables, by table."""
        if self._files is not None:
            return self._files
        return {table: FilePath(path) for table, path in self.data.items()}

    @property
    def content_hash(self) -> str:
        """SHA-256 of what a run depends on: all but the words (title, description, sources).

        Replaced tables and figures count by their content, so that files may move.
        """
        words = {"title", "description", "sources", "data", "figures"}
        content = self.model_dump(mode="json", exclude=words)
        for policy in content["policies"].values():
            policy.pop("source")
        content["tables"] = self.tables().digest
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def trail(self, key: str) -> tuple[Position, ...]:
        """Where a value was set, first to last; empty for a default. Keys look like `run.seeds`."""
        node = node_at(self._tree, key.split("."))
        return node.trail if node else ()

    def with_(self, **changes: Any) -> Scenario:
        """The same scenario with changes: `run__seeds=5`, `policies__x__rate=0.3`, or mappings.

        A mapping is merged as in a scenario file; None returns to the default.

        Raises:
            ScenarioError: a change is not valid.
        """
        from tariffsim.scenario.loader import with_changes

        return with_changes(self, changes)

    def to_yaml(self) -> str:
        """The resolved scenario as a file of its own, which loads back to an equal scenario."""
        from tariffsim.scenario.writing import scenario_text

        return scenario_text(self)

    def __eq__(self, other: object) -> bool:
        """Equal values, whatever files they came from."""
        if not isinstance(other, Scenario):
            return NotImplemented
        own, its = dict(self.__dict__), dict(other.__dict__)
        if own.pop("data") or its.pop("data"):
            its.pop("data", None)
            return own == its and self.tables().digest == other.tables().digest
        return own == its

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = dict(state.get("__pydantic_private__") or {}) | {"_tables": None}
        return state | {"__pydantic_private__": private}
