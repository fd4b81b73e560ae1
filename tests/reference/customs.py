"""Customs: asks every instrument about one product, or one chip, at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tariffsim.policy import Instrument, Strength
from tariffsim.policy.shipments import Built, Shipments
from tariffsim.state.economy import Economy

Rates = Mapping[int, float]
"""Strength of the instruments that are not zero, by their number."""
Bill = tuple[float, dict[int, float]]
"""Duty on a unit: what is added up whatever else is due, and by instrument."""

DUTIES = {
    "product_tariff", "component_tariff", "bare_chip_tariff", "retaliatory_tariff",
    "rest_of_value_tariff", "tariff_rate_quota",
}  # fmt: skip
"""Kinds of instruments that are duties."""
REAL, PULLED, LEFT_OUT = "real", "pulled", "left out"
"""How triggered instruments are counted: as the law says, as if pulled anyway, or not at all."""


@dataclass(frozen=True)
class Chips:
    """The chips of one node class in one unit of a product."""

    node_class: str
    region: str
    count: float
    value: float
    counts_as: str = ""
    """Region that the law counts them as; where they are made if left out."""

    def __hash__(self) -> int:
        return self.hashed

    @cached_property
    def hashed(self) -> int:
        """Worked out once: the same chips are asked about many times."""
        return hash((self.node_class, self.region, self.count, self.value, self.counts_as))


@dataclass(frozen=True)
class Product:
    """One unit of a product, real or hypothetical, as customs sees it."""

    device: str
    origin: str
    market: str
    customs_value: float
    chips: tuple[Chips, ...]

    def from_(self, origin: str) -> Product:
        """The same with another country of assembly on its papers."""
        return replace(self, origin=origin)


class Customs:
    """The instruments of a scenario and the duties of the base year."""

    def __init__(self, economy: Economy) -> None:
        tariffs, codes = economy.tariff_schedule, economy.constants.codes
        self.codes = codes
        self.foresight = economy.scenario.sourcing.foresight
        self.persistence = economy.scenario.trade.expected_persistence
        self.laws = tariffs.laws
        self.instruments = [law.instrument for law in tariffs.laws]
        self.names = [law.of for law in tariffs.laws]
        self.class_number = {name: k for k, name in enumerate(codes.classes)}
        self.groups = [law.group for law in tariffs.laws]
        self.start = economy.scenario.run.start
        self.shares_paid_back: dict[tuple[int, int], float] = {}
        homes = [codes.markets[m] for m in codes.home_market]
        chip_homes = [codes.markets[m] for m in codes.region_market]
        self.home = dict(zip(codes.origins, homes, strict=True))
        self.chip_home = dict(zip(codes.regions, chip_homes, strict=True))
        self.base_rate = {
            (device, origin, market): float(tariffs.base_product[codes.cell(d, o, m), 0])
            for d, device in enumerate(codes.devices)
            for o, origin in enumerate(codes.origins)
            for m, market in enumerate(codes.markets)
        }
        self.base_bare_rate = {
            (origin, node_class, region): float(tariffs.base_bare[o, k, r])
            for o, origin in enumerate(codes.origins)
            for k, node_class in enumerate(codes.classes)
            for r, region in enumerate(codes.regions)
        }
        self.to_date: dict[int, float] = {}
        self.past_year: dict[int, list[float]] = {}
        self.waived: dict[int, float] = {}
        self.relief: dict[int, float] = {}
        self.expected_relief: dict[int, float] = {}
        self.capital: dict[int, float] = {}
        self.capacity_before: dict[int, dict[str, dict[str, float]]] = {}
        self.answered: dict[tuple[str, int], tuple[dict[Chips, float], Rates]] = {}
        self.found: dict[tuple[object, ...], tuple[float, Rates]] = {}
        self.foreseen: dict[tuple[int, int], dict[int, float]] = {}
        self._on_products: dict[tuple[str, str, str], list[int]] = {}
        self._restricting: dict[tuple[str, ...], list[int]] = {}
        self._avoiding: dict[tuple[str, ...], list[int]] = {}
        self._on_chips: dict[str, list[int]] = {}
        self._chip_origins: dict[tuple[str, str], int] = {}

    # Rates

    def in_force(self, date: int) -> dict[int, float]:
        """Instruments in force in a month, given the imports of the year."""
        rates = [i.rate_in_force(date) for i in self.instruments]
        for i, months in self.past_year.items():
            given = self.instruments[i].rate_given(rates[i], self.to_date[i], months[-1])
            rates[i] = (1 - self.relief[i]) * given
        return _not_zero(rates)

    def forget(self) -> None:
        """A new month: what was asked in the last has other answers now."""
        self.answered.clear()
        self.found.clear()
        self.foreseen.clear()

    def expected(self, date: int, now: int) -> dict[int, float]:
        """Instruments that agents expect now to be in force in a month, times their belief."""
        if (date, now) not in self.foreseen:
            self.foreseen[date, now] = self._foreseen_now(date, now)
        return self.foreseen[date, now]

    def _foreseen_now(self, date: int, now: int) -> dict[int, float]:
        rates: list[float] = []
        for i, law in enumerate(self.laws):
            belief, rate = self.believed(law, now), self.if_enacted(law, date, now)
            part = getattr(rate, "part", 1.0)
            if i in self.past_year:
                imports = sum(self.past_year[i]) * self.share_of_year(law, date, now)
                rate = self.instruments[i].rate_given(rate, 0.0, imports)
                rate, part = (1 - self.expected_relief[i]) * rate, 1.0
            rates.append(Strength(belief * rate, belief * part))
        return _not_zero(rates)

    def if_enacted(self, law: Any, date: int, now: int) -> float:
        """Rate of a law in a month if it is enacted, as far as agents know its end."""
        if self.foresight == "none":
            return law.instrument.rate_in_force(now)
        return law.instrument.rate_if_enacted(date, now, law.knows_end(now))

    def believed(self, law: Any, now: int) -> float:
        """Probability that agents give to a measure: none before they know of it."""
        one = law.instrument
        if self.foresight == "none":
            return 1.0
        if law.is_calendar:
            return one.chance_in(now)
        if now < int(one.starts if one.announced is None else one.announced):
            return 0.0
        if one.withdrawn is not None and now >= int(one.withdrawn):
            return 0.0
        return 1.0 if one.enacted and now >= int(one.starts) else one.belief

    def outcomes(self, rates: Rates, months: int, now: int) -> list[tuple[float, Rates]]:
        """The law foreseen so many months from now, and what is left if duties do not last."""
        if self.persistence == 1 or self.foresight == "none":
            return [(1.0, rates)]
        lasts = self.persistence ** (months / 12)
        rest = {i: rate for i, rate in rates.items() if not self._may_lapse(i, rate, now)}
        return [(lasts, rates), (1 - lasts, rest)] if rest != rates else [(1.0, rates)]

    def _may_lapse(self, number: int, rate: float, now: int) -> bool:
        """Whether an instrument raises a duty, is more than a threat, and has no known end."""
        law, one = self.laws[number], self.instruments[number]
        if rate <= 0 or one.kind not in DUTIES or not one.enacted:
            return False
        if law.lapse_known_from is not None:
            return bool(now < law.lapse_known_from)
        if one.path.values[-1] == 0:
            return False
        return one.last_month is None or not (one.end_known or now > one.last_month)

    def today(self, now: int) -> dict[int, float]:
        """Instruments in force this month; in full where they began within it as a surprise."""
        rates = dict(self.expected(now, now))
        for i in list(rates):
            law = self.instruments[i]
            if not law.is_law:
                del rates[i]
            elif self.laws[i].is_calendar and self.believed(self.laws[i], now) < 1:
                rates[i] = law.rate_in_force(now)
            elif law.known_from == int(law.starts) == now:
                rates[i] = rates[i] / getattr(rates[i], "part", 1.0)
        return rates

    def share_of_year(self, law: Any, date: int, now: int) -> float:
        """Share of the months of a date's year in which a law is in force, as agents see it now."""
        if self.foresight == "none" or not law.instrument.enacted:
            return 1.0
        first = date - date % 12
        rates = [
            law.instrument.rate_in_force(month)
            if month < self.start
            else self.if_enacted(law, month, now)
            for month in range(first, first + 12)
        ]
        return sum(rate != 0 for rate in rates) / 12

    def open_counts(self, world: Any) -> None:
        """Before the first month every month of the year was like the base year's."""
        start = self.start
        for i, law in enumerate(self.instruments):
            if law.has_memory:
                monthly = self.counted(i, world)
                earlier = range(start - start % 12, start)
                self.past_year[i] = [monthly] * 12
                self.to_date[i] = monthly * sum(law.rate_in_force(m) != 0 for m in earlier)
                self.waived[i] = self.relief[i] = self.expected_relief[i] = 0.0
                self.capital[i] = 0.0
                self.capacity_before[i] = {f.name: dict(f.capacity) for f in world.foundries}

    def count_imports(self, world: Any) -> None:
        """Last month's imports join those of the year."""
        for i, months in self.past_year.items():
            newest = self.counted(i, world)
            months[:] = [*months[1:], newest]
            rate = self.instruments[i].rate_in_force(world.date - 1)
            if rate != 0:
                self.to_date[i] += newest
            if world.date % 12 == 0:
                self.to_date[i] = 0.0
            self.waived[i] += self.relief[i] * rate * newest
            if world.date <= self.instruments[i].first_month:
                self.capacity_before[i] = {f.name: dict(f.capacity) for f in world.foundries}
            self.set_relief(i, world)

    def set_relief(self, number: int, world: Any) -> None:
        """Share of a duty waived for the capacity built in its market, now and as expected."""
        law, before = self.instruments[number], self.capacity_before[number]
        chips, capital = dict.fromkeys(world.classes, 0.0), 0.0
        standing = dict.fromkeys(world.classes, 0.0)
        for industry in world.industries:
            if industry.market in law.markets:
                wafers = 0.0
                for f in industry.foundries:
                    for k in world.classes:
                        added = f.capacity[k] - before[f.name][k]
                        chips[k] += added
                        standing[k] += f.capacity[k]
                        wafers += added / world.chips_per_wafers[k]
                capital += industry.capital_cost * max(wafers, 0.0)
        newest, self.capital[number] = max(capital - self.capital[number], 0.0), capital
        chips = {k: max(n, 0.0) for k, n in chips.items()}
        each = standing, world.chips_per_wafers, chips
        built = Built(world.date, *each, capital, newest, self.waived[number])
        asked = law.rate_in_force(world.date), sum(self.past_year[number]) / 12, built
        self.relief[number] = law.relief(*asked)
        self.expected_relief[number] = law.expected_relief(*asked)

    def counted(self, number: int, world: Any) -> float:
        """What was imported in a month and counts towards an instrument."""
        if self.instruments[number].taxes_bare_chips:
            return self.chips_counted(number, world)
        total = 0.0
        for flow in world.flows:
            product = flow.maker.product(flow.market)
            if number in self.for_product(product):
                each = self.instruments[number].counted(self.shipment(product))
                total += float(np.asarray(each).reshape(())) * flow.units
        return total

    def chips_counted(self, number: int, world: Any) -> float:
        """The same of chips that entered unmounted."""
        total = 0.0
        for flow in world.flows:
            home = self.home[flow.origin]
            is_covered = number in self._for_chips(flow.origin)
            for chips in flow.maker.chips_inside():
                if is_covered and self.chip_home[chips.region] != home:
                    bare = self.shipment(Product("", flow.origin, home, 0.0, (chips,)), bare=True)
                    each = self.instruments[number].counted(bare)
                    total += float(np.asarray(each).reshape(())) * flow.units
        return total

    # Refunds

    def paid_back(self, date: int, rates: Rates) -> dict[tuple[int, int], float]:
        """By instrument and month: the share of the duty paid then that is paid back now."""
        now = {}
        for i, names in enumerate(self.names):
            for month in range(self.start, date):
                shares = [
                    self.instruments[j].refund(name, month, rate)
                    for j, rate in rates.items()
                    for name in names
                ]
                more = max(shares, default=0.0) - self.shares_paid_back.get((i, month), 0.0)
                if more > 0:
                    now[i, month] = more
        for key, more in now.items():
            self.shares_paid_back[key] = self.shares_paid_back.get(key, 0.0) + more
        return now

    # Chips that are kept back

    def restrictions(self, rates: Rates) -> list[int]:
        """Measures in force that keep chips back."""
        return [i for i in rates if self.instruments[i].restricts_supply]

    def restrictions_on(self, device: str, origin: str, market: str, node_class: str) -> list[int]:
        """Measures that may keep chips from lines of a device."""
        key = device, origin, market, node_class
        if key not in self._restricting:
            self._restricting[key] = [
                i
                for i, law in enumerate(self.instruments)
                if law.restricts_supply
                and (
                    market in law.markets
                    or (law.meets_home_assembly and self.home[origin] in law.markets)
                )
                and _chosen(origin, law.assembly_countries, law.exempt_assembly_countries)
                and _chosen(device, law.devices, law.exempt_devices)
                and _chosen(node_class, law.node_classes, ())
            ]
        return self._restricting[key]

    def avoiding(self, device: str, market: str, region: str) -> list[int]:
        """Bans of a market's public buyers on a device with chips of a region."""
        key = device, market, region
        if key not in self._avoiding:
            self._avoiding[key] = [
                i
                for i, law in enumerate(self.instruments)
                if law.avoids_chips
                and market in law.markets
                and _chosen(device, law.devices, law.exempt_devices)
                and _chosen(region, law.chip_regions, ())
            ]
        return self._avoiding[key]

    # Duties, USD a unit

    def product_duties(
        self, product: Product, rates: Rates, trigger: str = REAL
    ) -> dict[int, float]:
        """New duty on a product by instrument: in each stacking group only the highest."""
        return self.highest(self.each_duty(product, rates, trigger))

    def added(self, with_it: Bill, without: Bill) -> float:
        """What a chip adds to a bill; where the bases of a group differ, the highest by chip."""
        (fixed, due), (fixed_without, due_without) = with_it, without
        more = {i: duty - due_without.get(i, 0.0) for i, duty in due.items()}
        by_chip = {i: duty for i, duty in more.items() if self.laws[i].is_compared}
        by_product = self.highest({i: duty for i, duty in due.items() if i not in by_chip})
        added = sum(more[i] for i in by_product) + sum(self.highest(by_chip).values())
        return fixed - fixed_without + added

    def each_duty(self, product: Product, rates: Rates, trigger: str = REAL) -> dict[int, float]:
        """New duty on a product by instrument, whatever else is in its stacking group."""
        numbers = [i for i in self.for_product(product) if i in rates]
        if not numbers:
            return {}
        shipment, due = self.shipment(product), {}
        for i in numbers:
            if self._counts(i, shipment, trigger):
                due[i] = self.ask(i, shipment, self.on_product(i, product, rates))
        return due

    def base_duty(self, product: Product) -> float:
        """Duty of the base year on a product."""
        cell = product.device, product.origin, product.market
        return self.base_rate[cell] * product.customs_value

    def chip_duties(self, origin: str, chips: Chips, rates: Rates) -> dict[int, float]:
        """New duty by instrument on chips that enter bare where a product is assembled."""
        numbers = [i for i in self._for_chips(origin) if i in rates]
        if not numbers or self.chip_home[chips.region] == self.home[origin]:
            return {}
        bare = self.shipment(Product("", origin, self.home[origin], 0.0, (chips,)), bare=True)
        return self.highest(
            {i: self.ask(i, bare, self.on_chips(i, origin, chips, rates)) for i in numbers}
        )

    def base_chip_duty(self, origin: str, chips: Chips) -> float:
        """Duty of the base year on chips that enter bare."""
        return self.base_bare_rate[origin, chips.node_class, chips.region] * chips.value

    def chip_duty(self, origin: str, chips: Sequence[Chips], rates: Rates) -> float:
        """All duty on chips that enter bare; the same question is asked once a month."""
        known, _ = self.answered.setdefault((origin, id(rates)), ({}, rates))
        for c in chips:
            if c not in known:
                due = sum(self.chip_duties(origin, c, rates).values())
                known[c] = self.base_chip_duty(origin, c) + due
        return sum([known[c] for c in chips])

    def reaches(self, number: int, device: str, market: str) -> bool:
        """Whether an instrument applies to a device sold in a market, assembled anywhere."""
        law = self.instruments[number]
        return (
            market in law.markets
            and _chosen(device, law.devices, law.exempt_devices)
            and any(number in self._in_scope(device, o, market) for o in self.codes.origins)
        )

    def triggering_chips(self, maker: Any, rates: Rates) -> set[tuple[str, str]]:
        """(class, region) of chips that can pull a trigger of an instrument a line may meet."""
        numbers = {
            i
            for market in maker.weights
            for i in self._in_scope(maker.device, maker.origin(market), market)
            if i in rates and not self.laws[i].is_separable
        }
        return {
            (k, r)
            for k in self.codes.classes
            for r in self.codes.regions
            if any(self._covers(self.instruments[i], k, r) for i in numbers)
        }

    # What the instruments are shown

    def ask(self, number: int, shipment: Shipments, rate: float) -> float:
        """The instrument's own answer about a shipment of one unit."""
        return float(np.asarray(self.instruments[number].duty(shipment, rate)).reshape(()))

    def on_product(self, number: int, product: Product, rates: Rates) -> float:
        """Rate on a product: on the part of trade covered, less an ordinary duty it includes."""
        question = number, product.device, product.origin, product.market, id(rates)
        answer = self.found.get(question)
        if answer is None:
            answer = self.found[question] = self.on_cell(number, question[1:4], rates), rates
        return answer[0]

    def on_cell(self, number: int, cell: tuple[str, str, str], rates: Rates) -> float:
        """The same for all products of a device from a country in a market.

        What rows of the calendar take away is cut in proportion where nothing is left to take.
        """
        device, origin, market = cell
        codes = self.codes
        at = codes.cell(codes.devices.index(device), codes.origins.index(origin),
                        codes.markets.index(market))  # fmt: skip

        def on(i: int) -> float:
            law, rate = self.laws[i], rates[i]
            from_table = law.is_calendar or getattr(law.instrument, "all_in", False)
            part = float(law.scope[at]) if from_table else law.instrument.coverage
            return rate * part

        others = [on(i) for i in self._in_scope(*cell) if i in rates and self.laws[i].is_calendar]
        return self._cut(number, on(number), self.base_rate[cell], others)

    def on_chips(self, number: int, origin: str, chips: Chips, rates: Rates) -> float:
        """Rate on chips that enter bare, as for products."""
        codes = self.codes
        o, r = codes.origins.index(origin), self.chip_origin(chips)
        at = codes.classes.index(chips.node_class) * codes.n_chip_origins + r
        shipment = self.shipment(Product("", origin, self.home[origin], 0.0, (chips,)), bare=True)

        def on(i: int) -> float:
            law = self.laws[i]
            part = float(law.scope[o, at]) if law.is_calendar else law.instrument.coverage
            return rates[i] * part

        calendar = [i for i in self._for_chips(origin) if i in rates and self.laws[i].is_calendar]
        others = (
            [self.ask(i, shipment, on(i)) / chips.value for i in calendar] if chips.value else []
        )
        base = self.base_bare_rate[origin, chips.node_class, chips.region]
        return self._cut(number, on(number), base, others)

    def _cut(self, number: int, rate: float, base: float, calendar: list[float]) -> float:
        if rate >= 0 or not self.laws[number].is_calendar:
            return rate
        added = base + sum(other for other in calendar if other > 0)
        taken = -sum(other for other in calendar if other < 0)
        return rate * min(1.0, max(added, 0.0) / taken) if taken else rate

    def _counts(self, number: int, shipment: Shipments, trigger: str) -> bool:
        if self.laws[number].is_separable or trigger == PULLED:
            return True
        is_due = self.instruments[number].is_triggered(shipment)
        return trigger == REAL and bool(np.all(is_due))

    def _covers(self, instrument: Instrument, node_class: str, region: str) -> bool:
        chip = Chips(node_class, region, 1.0, 1.0)
        product = Product("", self.codes.origins[0], self.codes.markets[0], 1.0, (chip,))
        return bool(np.any(instrument.covers(self.shipment(product))))

    def shipment(self, product: Product, bare: bool = False) -> Shipments:
        """One unit as instruments see it."""
        codes, chips = self.codes, product.chips
        return Shipments(
            codes,
            np.asarray(product.customs_value),
            np.asarray(bare or self.home[product.origin] != product.market),
            np.array([c.value for c in chips]),
            np.array([c.count for c in chips]),
            np.array([self.chip_origin(c) for c in chips], dtype=np.intp),
            np.array([self.class_number[c.node_class] for c in chips], dtype=np.intp),
        )

    def chip_origin(self, chips: Chips) -> int:
        """Origin of chips as instruments see it: its region, or after these one that is Chinese."""
        seen = chips.region, chips.counts_as or chips.region
        if seen not in self._chip_origins:
            regions = self.codes.regions
            is_split = self.codes.n_chip_origins > len(regions)
            more = len(regions) if is_split and seen[1] == "CN" else 0
            self._chip_origins[seen] = regions.index(chips.region) + more
        return self._chip_origins[seen]

    def for_product(self, product: Product) -> list[int]:
        """Instruments with the product in their scope."""
        return self._in_scope(product.device, product.origin, product.market)

    def _in_scope(self, device: str, origin: str, market: str) -> list[int]:
        cell = device, origin, market
        if cell not in self._on_products:
            self._on_products[cell] = [
                i
                for i, law in enumerate(self.instruments)
                if not law.taxes_bare_chips
                and market in law.markets
                and _chosen(origin, law.assembly_countries, law.exempt_assembly_countries)
                and _chosen(device, law.devices, law.exempt_devices)
            ]
        return self._on_products[cell]

    def _for_chips(self, origin: str) -> list[int]:
        if origin not in self._on_chips:
            self._on_chips[origin] = [
                i
                for i, law in enumerate(self.instruments)
                if law.taxes_bare_chips
                and self.home[origin] in law.markets
                and _chosen(origin, law.assembly_countries, law.exempt_assembly_countries)
            ]
        return self._on_chips[origin]

    def highest(self, due: dict[int, float]) -> dict[int, float]:
        """Duties without those that are not the highest of their stacking group."""
        winner: dict[str, int] = {}
        for i, duty in due.items():
            group = self.groups[i]
            if group is not None and (group not in winner or duty > due[winner[group]]):
                winner[group] = i
        return {
            i: duty for i, duty in due.items() if self.groups[i] is None or i in winner.values()
        }


def _chosen(code: str, names: tuple[str, ...] | None, exempt: tuple[str, ...]) -> bool:
    return (names is None or code in names) and code not in exempt


def _not_zero(rates: Iterable[float]) -> dict[int, float]:
    return {i: rate for i, rate in enumerate(rates) if rate != 0.0}
