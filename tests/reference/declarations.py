"""What importers know, declare and hide, one importer and one product at a time (MODEL 4.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from tariffsim.state.economy import Economy
from tests.reference.customs import LEFT_OUT, REAL, Customs, Product, Rates

if TYPE_CHECKING:
    from tests.reference.agents import Importer
    from tests.reference.world import Reference


ROUNDING = 1e-9
"""Of units that are none."""


class Declarations:
    """Duties that depend on what importers declare, and what customs finds out."""

    def __init__(self, economy: Economy, customs: Customs) -> None:
        codes = economy.constants.codes
        self.customs, self.rules = customs, economy.scenario.compliance
        self.is_full = self.rules.behaviour == "full"
        self.answered: dict[tuple[object, ...], tuple[Any, Rates]] = {}
        self.ships = {
            (codes.devices[d], codes.origins[o], codes.markets[m])
            for d, o, m in np.argwhere(economy.constants.trade > 0)
        }

    # Enforcement

    def audits(self, market: str, rates: Rates) -> tuple[float, float, float]:
        """Probability of an audit in a month, of finding what was hidden, and penalty multiple."""
        found = [(self.rules.audit_rate, self.rules.detection, self.rules.penalty_multiple)]
        for i, rate in rates.items():
            if market in self.customs.instruments[i].markets:
                found.append(self.customs.instruments[i].enforcement(rate))
        audits, detection, penalty = zip(*found, strict=True)
        return min(sum(audits) / 12, 1.0), max(detection), max(penalty)

    def exposure(self, market: str, rates: Rates) -> float:
        """Back duty and penalty to be expected for a dollar of duty evaded."""
        question = market, id(rates)
        if question not in self.answered:
            audit, detection, penalty = self.audits(market, rates)
            unseen = (1 - audit * detection) ** self.rules.lookback_months
            self.answered[question] = (1 - unseen) * (1 + penalty), rates
        return self.answered[question][0]

    # Country of assembly

    def origin_duties(self, product: Product, rates: Rates) -> dict[int, float]:
        """Duties by instrument on a product for its country of assembly alone."""
        laws = {i: self.customs.laws[i] for i in self.customs.for_product(product) if i in rates}
        numbers = [i for i, law in laws.items() if law.declares == "origin"]
        if not numbers:
            return {}
        shipment = self.customs.shipment(product)
        return self.customs.highest(
            {
                i: self.customs.ask(i, shipment, self.customs.on_product(i, product, rates))
                for i in numbers
            }
        )

    def false_origin(self, product: Product, rates: Rates) -> tuple[str, float, float]:
        """The country that pays least among those that ship the device; duty, and what it saves.

        Duties are fractions of the customs value.
        """
        cell = product.device, product.origin, product.market
        if (*cell, id(rates)) not in self.answered:
            found = self._false_origin(Product(*cell, 1.0, ()), rates)
            self.answered[*cell, id(rates)] = found, rates
        return self.answered[*cell, id(rates)][0]

    def _false_origin(self, dollar: Product, rates: Rates) -> tuple[str, float, float]:
        true = sum(self.origin_duties(dollar, rates).values())
        if self.customs.home[dollar.origin] == dollar.market:
            return dollar.origin, true, 0.0
        due = {
            o: max(sum(self.origin_duties(dollar.from_(o), rates).values()), 0.0)
            for o in self.customs.codes.origins
            if (dollar.device, o, dollar.market) in self.ships
            and self.customs.home[o] != dollar.market
        }
        least = min(due, key=due.__getitem__)
        return least, true, max(true - due[least], 0.0)

    # Content

    def content(
        self, product: Product, rates: Rates, trigger: str = REAL
    ) -> Iterator[tuple[int, list[tuple[float, float]], float]]:
        """By instrument: duty and value of every part, and the duty if the origin is unknown."""
        shipment = self.customs.shipment(product)
        for i in self.customs.for_product(product):
            law = self.customs.instruments[i]
            if i not in rates or self.customs.laws[i].declares == "origin":
                continue
            if trigger == LEFT_OUT and not self.customs.laws[i].is_separable:
                continue
            rate = self.customs.on_product(i, product, rates)
            known = trigger != REAL or bool(np.all(law.is_triggered(shipment)))
            unknown = trigger != REAL or bool(np.all(law.is_triggered_unknown(shipment)))
            duties = np.asarray(law.part_duties(shipment, rate))
            values = np.asarray(law.part_values(shipment)) * getattr(rates[i], "part", 1.0)
            parts = zip(duties.ravel().tolist(), values.ravel().tolist(), strict=True)
            blind = float(np.asarray(law.unknown_duty(shipment, rate)).reshape(()))
            yield i, [(d * known, v) for d, v in parts], blind * unknown

    # What is borne, and what is declared

    def borne(self, product: Product, rates: Rates, trigger: str, importer: Importer) -> float:
        """What the duties cost the importer, hiding them being the alternative, USD a unit."""
        on_origin, content = self.each_borne(product, rates, trigger, importer)
        return on_origin + sum(self.customs.highest(content).values())

    def each_borne(
        self, product: Product, rates: Rates, trigger: str, importer: Importer
    ) -> tuple[float, dict[int, float]]:
        """The same by the country of assembly, and by instrument whatever else is in its group."""
        exposure, evasion_cost = self.exposure(product.market, rates), importer.evasion_cost
        _, rate, gain = self.false_origin(product, rates)
        rate += min(gain, exposure * gain + evasion_cost) - gain
        content = {}
        for i, parts, blind in self.content(product, rates, trigger):
            bears = sum(d for d, _ in parts)
            if self.customs.laws[i].declares == "content":
                bears = sum(min(d, exposure * d + evasion_cost * v) for d, v in parts)
            content[i] = bears if importer.knows_origin else blind
        return rate * product.customs_value, content

    def declare(
        self, product: Product, rates: Rates, importer: Importer
    ) -> tuple[dict[int, float], float]:
        """Duties declared by instrument, and what is evaded, USD a unit."""
        dear = 1 - self.exposure(product.market, rates)
        country, _, gain = self.false_origin(product, rates)
        evaded, declared = 0.0, product
        if gain * dear > importer.evasion_cost:
            evaded, declared = gain * product.customs_value, product.from_(country)
        origin = self.origin_duties(declared, rates)
        if declared is not product and sum(origin.values()) < 0:
            origin = dict.fromkeys(origin, 0.0)
        due, hidden = {}, {}
        for i, parts, blind in self.content(product, rates):
            due[i], hidden[i] = blind, 0.0
            if importer.knows_origin:
                due[i] = sum(d for d, _ in parts)
            if importer.knows_origin and self.customs.laws[i].declares == "content":
                hidden[i] = sum(d for d, v in parts if d * dear > importer.evasion_cost * v)
        due = self.customs.highest(due)
        evaded += sum(hidden[i] for i in due)
        return origin | {i: duty - hidden[i] for i, duty in due.items()}, evaded

    # Tracing

    def is_time_to_decide(self, date: int, is_first: bool) -> bool:
        """The first month, January, or news of a measure on content or of a duty to declare."""
        laws = [
            (law.instrument, self.customs.believed(law, date), self.customs.believed(law, date - 1))
            for law in self.customs.laws
            if law.instrument.depends_on_knowledge or law.instrument.kind == "disclosure"
        ]
        news = (
            law.rate_in_force(date) != law.rate_in_force(date - 1)
            or (now != before and any(law.path.values))
            for law, now, before in laws
        )
        return is_first or date % 12 == 0 or any(news)

    def decide(self, world: Reference) -> None:
        """Importers who cannot tell trace their chips where it pays, or where they must."""
        if not self.is_time_to_decide(world.date, world.month_number == 0):
            return
        months = self.rules.payback_months
        ahead = {}
        for i, law in enumerate(self.customs.laws):
            path = [
                law.rate_expected(t, world.date, self.customs.foresight)
                for t in range(world.date, world.date + months)
            ]
            if sum(path):
                ahead[i] = sum(path)
        duties = {}
        for importer in world.importers:
            known = unknown = 0.0
            for flow in importer.flows:
                claims = [
                    claim
                    for claim in self.content(flow.maker.product(flow.market), ahead)
                    if self.customs.instruments[claim[0]].depends_on_knowledge
                ]
                due = self.customs.highest({i: sum(d for d, _ in p) for i, p, _ in claims})
                known += sum(due.values()) * flow.units
                due = self.customs.highest({i: blind for i, _, blind in claims})
                unknown += sum(due.values()) * flow.units
            value = sum(f.customs_value * f.units for f in importer.flows)
            duties[importer] = known, unknown, value
        for importer, (known, unknown, value) in duties.items():
            if not importer.is_traced:
                alike = [
                    d for j, d in duties.items()
                    if (j.device, j.market) == (importer.device, importer.market)
                ]  # fmt: skip
                worth = sum(v for *_, v in alike)
                known = value * sum(k for k, *_ in alike) / worth if worth else 0.0
            pays = unknown - known > months * importer.tracing_rate * value
            if not any(f.units > ROUNDING * f.base_units for f in importer.flows):
                pays = importer.is_traced  # has brought in nothing
            importer.will_trace = pays or importer.size_rank < self.obliged(importer, world.rates)
        for importer in world.importers:
            importer.is_traced = importer.will_trace and not importer.knows_without_tracing

    def obliged(self, importer: Importer, rates: Rates) -> float:
        """Part of the market's imports whose importers must trace, the largest first."""
        laws = [(self.customs.instruments[i], rate) for i, rate in rates.items()]
        return max(
            (
                law.tracing_share(rate)
                for law, rate in laws
                if importer.market in law.markets
                and (law.devices is None or importer.device in law.devices)
                and importer.device not in law.exempt_devices
            ),
            default=0.0,
        )
