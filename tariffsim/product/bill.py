"""Products by their bills of materials: read from files, or typical of a group of devices."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import numpy as np

from tariffsim.calibration.build import require_base_year
from tariffsim.errors import ChoiceError, Problem, ScenarioError, escaped, escaped_path, nearest
from tariffsim.scenario import Scenario
from tariffsim.scenario.nodes import NOT_A_KEY, Node, parse
from tariffsim.tables.load import Tables

KEYS = ("title", "device", "customs_value", "assembled_in", "sold_in", "units_a_year", "chips")
OF_CHIP = ("node_class", "price", "count", "region")
MOST = 1e9
"""No product costs more USD, and none is sold in more units a year."""


@dataclass(frozen=True)
class Chip:
    """One line of a bill of materials: legacy chips of one kind."""

    node_class: str
    price: float
    """USD a chip."""
    count: float
    """Chips in a unit of the product."""
    region: str | None = None
    """Region of the foundry, as the law counts it; None: not known."""

    @property
    def value(self) -> float:
        """USD a unit of the product."""
        return self.price * self.count


@dataclass(frozen=True)
class Product:
    """A product that is assembled in one country and sold in one market."""

    name: str
    title: str
    device: str
    customs_value: float
    """USD a unit."""
    assembled_in: str
    sold_in: str
    units_a_year: float
    chips: tuple[Chip, ...] = field(default=())

    @property
    def chip_value(self) -> float:
        """USD of legacy chips in a unit."""
        return sum(chip.value for chip in self.chips)


def shipped_examples() -> dict[str, Path]:
    """Files of the examples that come with the package, by name."""
    folder = Path(str(resources.files("tariffsim.product").joinpath("examples")))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def read_products(file: str | os.PathLike[str], tables: Tables) -> tuple[Product, ...]:
    """The products of a file, or of a shipped example by its name.

    Args:
        file: YAML with `products`, a mapping of names to products.
        tables: the sets of devices, markets, countries, regions and node classes.

    Raises:
        ScenarioError: what is wrong with the file, all of it, with line and column.
    """
    path = shipped_examples().get(os.fspath(file), Path(file))
    shown = escaped_path(os.fspath(file))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = nearest(os.fspath(file), shipped_examples())
        reason = getattr(error, "strerror", None) or "is not text in UTF-8"
        problem = Problem(shown, 0, 0, "", f"cannot be read: {reason}", "", known)
        raise ScenarioError([problem]) from None
    node, problems = parse(text, shown)
    if node is None:
        raise ScenarioError(problems)
    found = _Reading(tables, problems)
    products = tuple(found.products(node))
    if found.problems:
        raise ScenarioError(found.problems)
    return products


class _Reading:
    """Turns the nodes of a file into products, and notes all that is wrong."""

    def __init__(self, tables: Tables, problems: Sequence[Problem]) -> None:
        self.tables, self.problems = tables, list(problems)

    def products(self, root: Node) -> Iterator[Product]:
        self.known(root, "", ("schema_version", "products"))
        version = root.items.get("schema_version")
        if version is None or version.value != 1:
            self.wrong(version or root, "schema_version", "must be 1")
        listed = root.items.get("products")
        if listed is None or not listed.items:
            self.wrong(listed or root, "products", "must be a mapping of names to products")
            return
        for name, node in listed.items.items():
            key = f"products.{escaped(name)}"
            if not node.items:
                self.wrong(node, key, f"must be a mapping with {', '.join(KEYS)}")
                continue
            self.known(node, key, KEYS)
            yield Product(
                name,
                str(self.of(node, key, "title", name)),
                self.code(node, key, "device", self.tables.devices.codes),
                self.amount(node, key, "customs_value"),
                self.code(node, key, "assembled_in", self.tables.origins.codes),
                self.code(node, key, "sold_in", self.tables.markets.codes, "US"),
                self.amount(node, key, "units_a_year", 1.0),
                tuple(self.chips(node, key)),
            )

    def chips(self, product: Node, key: str) -> Iterator[Chip]:
        lines = product.items.get("chips")
        if lines is None:
            self.wrong(product, f"{key}.chips", "is missing: a list of the legacy chips inside")
            return
        if not isinstance(lines.value, tuple):
            self.wrong(lines, f"{key}.chips", "must be a list")
            return
        for i, node in enumerate(lines.value):
            own = f"{key}.chips[{i}]"
            if not node.items:
                self.wrong(node, own, f"must be a mapping with {', '.join(OF_CHIP)}")
                continue
            self.known(node, own, OF_CHIP)
            region = node.items.get("region")
            yield Chip(
                self.code(node, own, "node_class", self.tables.node_classes.codes),
                self.amount(node, own, "price"),
                self.amount(node, own, "count"),
                None if region is None or region.value is None
                else self.code(node, own, "region", self.tables.foundry_regions.codes),
            )  # fmt: skip

    def known(self, node: Node, key: str, allowed: Sequence[str]) -> None:
        for name, value in node.items.items():
            if name not in allowed:
                full = f"{key}.{escaped(name)}" if key else escaped(name)
                at = value.key_at
                self.problems.append(at.problem(NOT_A_KEY, "", nearest(name, allowed), full))

    def of(self, node: Node, key: str, name: str, default: object = None) -> object:
        """The value of a key, or its default; a problem if there is neither."""
        found = node.items.get(name)
        if found is None or found.value is None:
            if default is None:
                self.wrong(node, f"{key}.{name}", "is missing")
            return default
        return found.value

    def code(
        self, node: Node, key: str, name: str, known: Sequence[str], default: str | None = None
    ) -> str:
        """A code of a set."""
        value = self.of(node, key, name, default)
        if value is not None and value not in known:
            text = escaped(str(value))
            self.wrong(node.items[name], f"{key}.{name}", "is not a known code", text,
                       nearest(str(value), known))  # fmt: skip
        return str(value)

    def amount(self, node: Node, key: str, name: str, default: float | None = None) -> float:
        """A number above zero."""
        value = self.of(node, key, name, default)
        if value is None:
            return 1.0
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 0 < float(str(value)) <= MOST:
            self.wrong(node.items[name], f"{key}.{name}", f"must be above 0, at most {MOST:g}",
                       escaped(str(value)))  # fmt: skip
            return 1.0
        return float(str(value))

    def wrong(self, node: Node, key: str, message: str, given: str = "", hint: str = "") -> None:
        self.problems.append(node.at.problem(message, given, hint, key))


def typical_product(
    scenario: Scenario, device: str, assembled_in: str | None = None, sold_in: str = "US"
) -> Product:
    """The mean product of a group of devices in the base year, with its chips by class and region.

    Args:
        scenario: whose base year it is.
        device: group of devices.
        assembled_in: country; the one from which most are imported if None.
        sold_in: market.

    Raises:
        ChoiceError: there is no such device or market, or nothing is sold from there.
    """
    economy = require_base_year(scenario)
    codes, makers, flows = economy.constants.codes, economy.makers, economy.flows
    for what, code, codes_of in (
        ("device", device, codes.devices), ("market", sold_in, codes.markets)
    ):  # fmt: skip
        if code not in codes_of:
            raise ChoiceError(f"there is no {what} {escaped(code)}; {nearest(code, codes_of)}")
    sold = makers.device[flows.maker] == codes.devices.index(device)
    sold &= flows.market == codes.markets.index(sold_in)
    worth = np.where(sold, flows.units * flows.customs_value, 0.0)
    value = np.bincount(flows.origin, worth, len(codes.origins))
    imported = np.bincount(flows.origin, worth * economy.is_imported, len(codes.origins))
    origin = codes.origins[int(imported.argmax())] if assembled_in is None else assembled_in
    if origin not in codes.origins or not value[codes.origins.index(origin)] > 0:
        shippers = [codes.origins[o] for o in np.flatnonzero(value)]
        raise ChoiceError(
            f"no {device} from {escaped(origin)} is sold in {sold_in}; {nearest(origin, shippers)}"
        )
    rows = np.flatnonzero(sold & (flows.origin == codes.origins.index(origin)))
    weight = flows.units[rows] / flows.units[rows].sum()
    maker = flows.maker[rows]
    counts: dict[tuple[str, str], tuple[float, float]] = {}
    for part, node_class in enumerate(makers.slot_class):
        for r, region in enumerate(codes.regions):
            is_from = economy.foundries.region[makers.supplier[maker, part]] == r
            n = float(weight @ np.where(is_from, makers.chips[maker, part], 0.0))
            cost = float(weight @ np.where(is_from, makers.chip_value[maker, part], 0.0))
            if n > 0:
                of = codes.classes[node_class], region
                before = counts.get(of, (0.0, 0.0))
                counts[of] = before[0] + n, before[1] + cost
    label = scenario.tables().devices.figures[device, "label"].value
    return Product(
        device, f"{label}, mean of the base year", device,
        float(weight @ flows.customs_value[rows]), origin, sold_in,
        12 * float(flows.units[rows].sum()),
        tuple(Chip(of[0], cost / n, n, of[1]) for of, (n, cost) in sorted(counts.items())),
    )  # fmt: skip
