"""The full month in plain Mesa: one `mesa.Agent` an agent, attributes and loops, no arrays.

The agents are those of the reference implementation (tests/reference), made as Mesa agents and let
act through AgentSets. What a sensible modeller would do for speed is done: instruments are plain
arithmetic, and the duty on a dollar of chips is worked out once a region, not once a foundry.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mesa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tests.reference import Foundry, Importer, Maker, Reference, Slot
from tests.reference.agents import DESIGN, PIN_COMPATIBLE
from tests.reference.customs import Chips, Customs, Product, Rates


class MesaFoundry(Foundry, mesa.Agent):
    """A foundry."""

    def __init__(self, model: mesa.Model, **row: Any) -> None:
        mesa.Agent.__init__(self, model)
        Foundry.__init__(self, **row)


class MesaMaker(Maker, mesa.Agent):
    """A product line."""

    def __init__(self, model: mesa.Model, **row: Any) -> None:
        mesa.Agent.__init__(self, model)
        Maker.__init__(self, **row)

    def chip_costs(self, world: Reference, slot: Slot, trigger: str) -> dict[Foundry, float]:
        """As in the reference, for duties that are in proportion to the value of the chips."""
        kind = PIN_COMPATIBLE if slot.is_pin_compatible else DESIGN
        others = {s: s.supplier for s in self.slots.values() if s is not slot}
        candidates = [
            f
            for f, share in slot.base_shares.items()
            if share > 0 and f.is_candidate(slot.node_class)
        ]
        on_a_dollar: dict[str, float] = dict.fromkeys((f.region for f in candidates), 0.0)
        example = {f.region: f for f in candidates}
        for weight, rates in world.foreseen(kind, self.device):
            without = self.quote(world, others, self.origin, rates, trigger).duty
            for region, f in example.items():
                with_it = self.quote(world, others | {slot: f}, self.origin, rates, trigger).duty
                bill = slot.chips * f.price[slot.node_class]
                on_a_dollar[region] += weight * (with_it - without) / bill
        return {f: f.price[slot.node_class] * (1 + on_a_dollar[f.region]) for f in candidates}


class MesaImporter(Importer, mesa.Agent):
    """An importer."""

    def __init__(self, model: mesa.Model, **row: Any) -> None:
        mesa.Agent.__init__(self, model)
        Importer.__init__(self, **row)


AGENTS = {Foundry: MesaFoundry, Maker: MesaMaker, Importer: MesaImporter}


class PlainCustoms(Customs):
    """Instruments as plain arithmetic: ad valorem duties without thresholds."""

    def product_duties(self, product: Product, rates: Rates, trigger: str = "") -> dict[int, float]:
        """New duty on a product by instrument."""
        due = {}
        for i in self.for_product(product):
            if i not in rates:
                continue
            law: Any = self.instruments[i]
            rate = self.on_product(i, product, rates)
            crosses = self.home[product.origin] != product.market
            if law.kind == "product_tariff":
                due[i] = rate * product.customs_value if crosses else 0.0
            elif law.kind == "component_tariff":
                counts = crosses or law.covers_home_assembly
                due[i] = rate * covered_value(law, product.chips) if counts else 0.0
        return due

    def chip_duties(self, origin: str, chips: Chips, rates: Rates) -> dict[int, float]:
        """New duty by instrument on chips that enter bare."""
        if self.chip_home[chips.region] == self.home[origin]:
            return {}
        return {
            i: self.on_chips(i, origin, chips, rates) * covered_value(self.instruments[i], (chips,))
            for i in self._for_chips(origin)
            if i in rates
        }


def covered_value(law: Any, chips: tuple[Chips, ...]) -> float:
    """Value of the chips an instrument covers."""
    return sum(
        c.value
        for c in chips
        if (law.chip_regions is None or c.region in law.chip_regions)
        and (law.node_classes is None or c.node_class in law.node_classes)
    )


class PlainWorld(Reference):
    """The reference with Mesa's agents, acting through Mesa's AgentSets."""

    def __init__(self, economy: Economy, draws: Draws, model: mesa.Model) -> None:
        self.model = model
        super().__init__(economy, draws)
        self.customs = PlainCustoms(economy)

    def new(self, kind: type, **values: Any) -> Any:
        """Make a Mesa agent."""
        return AGENTS[kind](self.model, **values)

    def each(self, agents: list[Any], action: str) -> None:
        """Let every agent act."""
        if isinstance(agents[0], mesa.Agent):
            self.model.agents_by_type[type(agents[0])].do(action, self)
        else:
            super().each(agents, action)


class PlainMesa(mesa.Model):
    """One run of one scenario, for scenarios without triggers, thresholds or stacking groups."""

    def __init__(self, economy: Economy, draws: Draws) -> None:
        super().__init__(rng=draws.seed)
        self.world = PlainWorld(economy, draws, self)

    def step(self) -> None:
        """One month."""
        self.world.month()
