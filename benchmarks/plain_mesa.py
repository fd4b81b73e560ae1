"""The full month in plain Mesa: one `mesa.Agent` an agent, attributes and loops, no arrays.

The agents are those of the reference implementation (tests/reference), made as Mesa agents and let
act through AgentSets. What a sensible modeller would do for speed is done: the duty on a dollar of
chips is worked out once a region, not once a foundry.
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
from tests.reference.agents import DESIGN, PIN_COMPATIBLE, ahead, chips_at


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

    def chip_costs(
        self, world: Reference, slot: Slot, trigger: str, months: int
    ) -> dict[Foundry, float]:
        """As in the reference, for duties that are in proportion to the value of the chips."""
        kind = PIN_COMPATIBLE if slot.is_pin_compatible else DESIGN
        others = {s: s.supplier for s in self.slots.values() if s is not slot}
        futures = world.foreseen(kind, self.device)
        price = self.net_price(world, futures, ahead(world, months))
        inside = chips_at(price)
        prices = {
            f: price(f, slot)
            for f, share in slot.base_shares.items()
            if share > 0 and f.is_candidate(slot.node_class)
        }
        on_a_dollar: dict[str, float] = dict.fromkeys((f.region for f in prices), 0.0)
        example = {f.region: f for f in prices}
        for weight, rates in futures:
            for market, share in self.weights.items():
                without = self.bill(world, others, market, rates, trigger, inside)
                for region, f in example.items():
                    with_it = self.bill(world, others | {slot: f}, market, rates, trigger, inside)
                    more = world.customs.added(with_it, without)
                    on_a_dollar[region] += weight * share * more / (slot.chips * prices[f])
        return {f: p * (1 + on_a_dollar[f.region]) for f, p in prices.items()}


class MesaImporter(Importer, mesa.Agent):
    """An importer."""

    def __init__(self, model: mesa.Model, **row: Any) -> None:
        mesa.Agent.__init__(self, model)
        Importer.__init__(self, **row)


AGENTS = {Foundry: MesaFoundry, Maker: MesaMaker, Importer: MesaImporter}


class PlainWorld(Reference):
    """The reference with Mesa's agents, acting through Mesa's AgentSets."""

    def __init__(self, economy: Economy, draws: Draws, model: mesa.Model) -> None:
        self.model = model
        super().__init__(economy, draws)

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
    """One run of one scenario, for scenarios without triggers or thresholds."""

    def __init__(self, economy: Economy, draws: Draws) -> None:
        super().__init__(rng=draws.seed)
        self.world = PlainWorld(economy, draws, self)

    def step(self) -> None:
        """One month."""
        self.world.month()
