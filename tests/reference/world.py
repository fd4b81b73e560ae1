"""The world of the reference: copies the base year into objects and runs the month."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from tariffsim.state.constants import AI_MONTHS
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import parse_month
from tests.reference import versions
from tests.reference.agents import (
    DESIGN,
    PIN_COMPATIBLE,
    PLANT,
    SHIFT,
    Flow,
    Foundry,
    Importer,
    Maker,
    Slot,
)
from tests.reference.books import Books
from tests.reference.customs import Customs, Rates
from tests.reference.declarations import Declarations
from tests.reference.delivery import deliver
from tests.reference.industry import Industry

MOST_SHARE = 0.99


class Reference:
    """All agents and the month; starts from an economy in its base year, which it leaves alone."""

    def __init__(self, economy: Economy, draws: Draws) -> None:
        if economy.month != -1:
            raise ValueError("the economy must be in its base year")
        self.scenario, self.draws = economy.scenario, draws
        self.month_number = -1
        self.customs = Customs(economy)
        self.declarations = Declarations(economy, self.customs)
        self._read_figures(economy)
        self.foundries = self.make_foundries(economy)
        self.industries = self.make_industries(economy)
        self._base_shares: dict[tuple[int, int], dict[Foundry, float]] = {}
        self.makers = self.make_makers(economy)
        self.importers, self.flows = self.make_flows(economy)
        self.other_base = {
            k: {f: float(economy.foundries.other_base[i, c]) for i, f in enumerate(self.foundries)}
            for c, k in enumerate(self.classes)
        }
        self.other_mix = {k: _shares(base) for k, base in self.other_base.items()}
        self.shelves: dict[tuple[str, str], list[Flow]] = {}
        self.price_index: dict[tuple[str, str], float] = {}
        for flow in self.flows:
            self.shelves.setdefault((flow.market, flow.maker.device), []).append(flow)
        self._base_orders()
        self.customs.open_counts(self)
        self.bare_duty_paid: dict[tuple[int, int, str], float] = {}

    # Reading the base year

    def _read_figures(self, economy: Economy) -> None:
        figures, codes = economy.constants, economy.constants.codes
        tables = economy.scenario.tables()
        self.n_parts = len(figures.slot_class)
        self.classes, self.markets = codes.classes, codes.markets
        self.origins, self.devices = codes.origins, codes.devices
        by_device = {
            "requalification_months": int, "design_hazard": float,
            "substitution_elasticity": float, "demand_elasticity": float,
        }  # fmt: skip
        for name, kind in by_device.items():
            values = [kind(value) for value in getattr(figures, name)]
            setattr(self, name, dict(zip(codes.devices, values, strict=True)))
        self.unit_value = dict(zip(codes.devices, figures.unit_value.tolist(), strict=True))
        self.chip_price = dict(zip(codes.classes, figures.chip_price.tolist(), strict=True))
        self.cost_factor = dict(zip(codes.origins, figures.cost_factor.tolist(), strict=True))
        covered = figures.covered_import_share.tolist()
        self.covered_share = dict(zip(codes.markets, covered, strict=True))
        self.market_growth = dict(zip(codes.markets, figures.market_growth.tolist(), strict=True))
        self.extra_growth = {
            d: [(parse_month(m), r) for m, r in tables.devices.path(d, "extra_growth_from_")]
            for d in codes.devices
        }
        self.ai_adoption = dict(zip(codes.markets, figures.ai_adoption.tolist(), strict=True))
        self.ai_capable = {
            d for d, able in zip(codes.devices, figures.is_ai_capable, strict=True) if able
        }
        self.region_growth = dict(zip(codes.regions, figures.region_growth.tolist(), strict=True))
        self.base_chips_per_unit = {
            (d, k): value
            for d, row in zip(codes.devices, figures.chips_per_unit.tolist(), strict=True)
            for k, value in zip(codes.classes, row, strict=True)
        }
        sourcing, assembly = self.scenario.sourcing, self.scenario.assembly
        self.pin_compatible_hazard = min(
            1.0, sourcing.pin_compatible_hazard * sourcing.opening_factor
        )
        self.hazard = {(DESIGN, d): h for d, h in self.design_hazard.items()}
        self.lead = {(DESIGN, d): r for d, r in self.requalification_months.items()}
        for d in codes.devices:
            self.hazard[PIN_COMPATIBLE, d] = self.pin_compatible_hazard
            self.lead[PIN_COMPATIBLE, d] = sourcing.pin_compatible_requalification_months
            self.hazard[PLANT, d] = assembly.plant_hazard
            self.lead[PLANT, d] = assembly.plant_months

    def make_foundries(self, economy: Economy) -> list[Foundry]:
        """One object a foundry."""
        table, codes = economy.foundries, economy.constants.codes

        def by_class(name: str, i: int) -> dict[str, float]:
            return dict(zip(codes.classes, getattr(table, name)[i].tolist(), strict=True))

        copied = (
            "base_capacity", "base_utilisation", "base_price", "base_cost", "base_experience",
            "capacity", "utilisation", "posted_price", "price", "experience",
        )  # fmt: skip
        self.scarcity = {(china, k): 1.0 for china in (False, True) for k in self.classes}
        self.order_book = dict.fromkeys(self.scarcity, (0.0, 0.0))
        foundries = []
        for i, name in enumerate(table.name):
            region = codes.regions[table.region[i]]
            foundries.append(
                self.new(
                    Foundry,
                    name=name,
                    region=region,
                    market=self.customs.chip_home[region],
                    is_chinese=bool(table.is_chinese[i]),
                    growth=self.region_growth[region],
                    **{column: by_class(column, i) for column in copied},
                )
            )
        return foundries

    def make_industries(self, economy: Economy) -> list[Industry]:
        """One object a foundry region."""
        figures = economy.constants
        world = dict(zip(self.classes, figures.world_wafers.tolist(), strict=True))
        self.chips_per_wafers = {
            k: sum(f.base_capacity[k] for f in self.foundries) / world[k] for k in self.classes
        }
        self.china_plan: dict[str, float] = {}
        self.plan_gap = dict.fromkeys(self.classes, 0.0)
        industries = [
            Industry(
                region=region,
                market=self.customs.chip_home[region],
                growth=self.region_growth[region],
                is_chinese=bool(figures.is_china[r]),
                lag=int(figures.build_lag[r]),
                capital_cost=float(figures.capital_cost[r]),
                foundries=[f for f in self.foundries if f.region == region],
            )
            for r, region in enumerate(figures.codes.regions)
        ]
        self.each(industries, "start")
        return industries

    def make_makers(self, economy: Economy) -> list[Maker]:
        """One object a version of a line, with one a slot; own versions are not made as yet."""
        table, codes = economy.makers, economy.constants.codes
        makers = []
        self.of_parts = {
            name: self.draws.uniform(name, 0, table.n_lines, self.n_parts).tolist()
            for name in ("packaging", "owner", "cut off")
        }
        rules = self.scenario.tables().origin_rules
        self.chinese_chips = {}
        for region in codes.regions:
            owned, packaged = (
                rules.number(region, f"chinese_if_by_{rule}") for rule in ("owner", "packaging")
            )
            given = "chinese_packaging_if_chinese_owner"
            self.chinese_chips[region] = (
                owned, packaged, rules.number(region, given, missing=packaged),
            )  # fmt: skip
        for i in range(len(table)):
            weights = zip(
                codes.markets, (table.weights[i] * table.is_made[i]).tolist(), strict=True
            )
            of_line = zip(codes.markets, table.line_weights[i].tolist(), strict=True)
            makers.append(
                self.new(
                    Maker,
                    number=i,
                    device=codes.devices[table.device[i]],
                    base_origin=codes.origins[table.base_origin[i]],
                    weights={m: w for m, w in weights if w > 0},
                    line_weights={m: w for m, w in of_line if w > 0},
                    is_made=bool(table.is_made[i]),
                    plants={codes.origins[o] for o in np.flatnonzero(table.plants[i])},
                    china_made=table.china_made[i].tolist(),
                    base_china=float(table.base_china[i]),
                    other_inputs=float(table.other_inputs[i]),
                    customs_value=float(table.customs_value[i]),
                    units=float(table.units[i]),
                    stock_months=float(table.stock_months[i]),
                    slots={
                        p: self._slot(economy, i, p)
                        for p in range(len(table.slot_class))
                        if table.has_slot[i, p]
                    },
                )
            )
        for line, own in zip(makers, table.own_version.tolist(), strict=False):
            if line.is_made and own >= 0:
                line.own, makers[own].line = makers[own], line
        return makers

    @property
    def lines(self) -> list[Maker]:
        """The first version of every line."""
        return [maker for maker in self.makers if maker.line is None]

    def _slot(self, economy: Economy, i: int, p: int) -> Slot:
        table, c = economy.makers, int(economy.makers.slot_class[p])
        month = int(table.switch_month[i, p])
        return Slot(
            node_class=self.classes[c],
            is_pin_compatible=bool(table.is_pin_compatible[i, p]),
            supplier=self.foundries[table.supplier[i, p]],
            waiting=self.foundries[table.next_supplier[i, p]] if month >= 0 else None,
            take_over_month=month,
            base_shares=self._shares_of(economy, int(table.odds_row[i]), c),
            curvature=float(table.curvature[i, p]),
            odds_scale=float(table.odds_scale[i, p]),
            switching=float(table.switching[i, p]),
            log_inertia=math.log(table.inertia[i, p]),
            life_months=int(table.life_months[i, p]),
            line_requalification=float(table.line_requalification[i, p]),
            requalification_per_unit=float(table.requalification_per_unit[i, p]),
            amortised=float(table.amortised[i, p]),
            amortised_until=int(table.amortised_until[i, p]),
            base_chips=float(table.chips[i, p]),
            chips=float(table.chips[i, p]),
            chip_value=float(table.chip_value[i, p]),
            has_second_source=bool(table.has_second_source[i, p]),
            second_source=self.foundries[table.second_source[i, p]],
            supplied_since=int(table.supplied_since[i, p]),
            stock=float(table.stock[i, p]),
            past_need=table.past_need[i, :, p].tolist(),
            origin_rule=self.scenario.trade.origin_rule,
            chinese_chips=self.chinese_chips,
            packaging_draw=self.of_parts["packaging"][i][p],
            owner_draw=self.of_parts["owner"][i][p],
            share_draw=self.of_parts["cut off"][i][p],
        )

    def _shares_of(self, economy: Economy, row: int, c: int) -> dict[Foundry, float]:
        """Base shares of the foundries in lines of one kind, which share them."""
        if (row, c) not in self._base_shares:
            shares = economy.base_shares[row, c].tolist()
            self._base_shares[row, c] = dict(zip(self.foundries, shares, strict=True))
        return self._base_shares[row, c]

    def make_flows(self, economy: Economy) -> tuple[list[Importer], list[Flow]]:
        """One object an importer, and one a line and market."""
        table, codes = economy.flows, economy.constants.codes
        own = economy.importers
        importers = [
            self.new(
                Importer,
                device=codes.devices[own.device[j]],
                market=codes.markets[own.market[j]],
                knows_without_tracing=bool(own.knows_without_tracing[j]),
                evasion_cost=float(own.evasion_cost[j]),
                tracing_rate=float(own.tracing_rate[j]),
                size_rank=float(own.size_rank[j]),
            )
            for j in range(len(own))
        ]
        copied = (
            "base_units", "base_share", "base_landed", "base_price", "orders", "wanted",
            "purchases", "units", "passed_on", "price", "customs_value", "ex_works",
        )  # fmt: skip
        flows = []
        for row in range(len(table)):
            maker, importer = self.makers[table.maker[row]], importers[table.importer[row]]
            values = {column: float(getattr(table, column)[row]) for column in copied}
            race = zip(codes.origins, table.race[row].tolist(), strict=True)
            flow = Flow(
                row,
                maker,
                codes.markets[table.market[row]],
                importer,
                origin=codes.origins[table.origin[row]],
                race={o: e for o, e in race if math.isfinite(e)},
                **values,
            )
            maker.flows.append(flow)
            importer.flows.append(flow)
            flows.append(flow)
        return importers, flows

    def _base_orders(self) -> None:
        """Chips in the devices each market bought in the base year, by class."""
        self.base_chips = {
            (m, k): math.fsum(
                f.base_units * self.base_chips_per_unit[f.maker.device, k]
                for f in self.flows
                if f.market == m
            )
            for m in self.markets
            for k in self.classes
        }

    def new(self, kind: type, **values: Any) -> Any:
        """Make an agent; other frameworks make theirs."""
        return kind(**values)

    def each(self, agents: Iterable[Any], action: str) -> None:
        """Let every agent act, one after the other."""
        for agent in agents:
            getattr(agent, action)(self)

    # The month

    def month(self) -> None:
        """One month, in the order of MODEL 3."""
        self.announce_policy()
        if self.declarations.is_full:
            self.declarations.decide(self)
        self.each(self.foundries, "plan_capacity")
        self.plan_chinese_capacity()
        self.each(self.industries, "build")
        self.each(self.foundries, "compare_size")
        self.each(self.foundries, "post_prices")
        self.each(self.makers, "switch_suppliers")
        self.each(self.lines, "move")
        self.emergency_switch()
        self.open_designs()
        for line in self.lines:
            versions.choose(self, line)
        self.renew_second_sources()
        for line in self.lines:
            versions.unite(self, line)
        self.look_at_places()
        self.each(self.flows, "shift")
        self.each(self.lines, "build")
        self.each(self.makers, "set_price")
        self.each(self.flows, "assess")
        self.each(self.flows, "set_price")
        self.order_units()
        self.each(self.flows, "front_load")
        self.order_chips()
        deliver(self)
        if self.declarations.is_full:
            self.audit_importers()
        self.paid_back = self.customs.paid_back(self.date, self.rates)
        self.each(self.flows, "pay_for_moves")
        self.each(self.importers, "settle")
        self.books = Books(self)
        self.each(self.industries, "invest")

    @property
    def date(self) -> int:
        """The month as a count from year 0."""
        return self.scenario.run.start + self.month_number

    @property
    def years(self) -> float:
        """Years since the start."""
        return self.month_number / 12

    def announce_policy(self) -> None:
        """Instruments in force, and those announced, become known."""
        self.month_number += 1
        self.exchange = {m: self.exchange_factor(m) for m in self.markets}
        self._foreseen: dict[tuple[str, str], list[tuple[float, Rates]]] = {}
        if self.month_number > 0:
            self.customs.count_imports(self)
        self.rates = self.customs.in_force(self.date)
        self.customs.forget()
        laws = [(self.customs.instruments[i], rate) for i, rate in self.rates.items()]
        supply = self.scenario.supply
        discount = supply.china_price_discount.at(self.date)
        discount += sum(law.price_discount(rate) for law, rate in laws)
        self.discount = min(max(discount, 0.0), MOST_SHARE)
        share = supply.china_capacity_share.at(self.date)
        share += sum(law.capacity_share(rate) for law, rate in laws)
        self.losses = [(law, lost) for law, rate in laws if (lost := law.capacity_loss(rate))]
        made_up = sum(law.share_made_up(rate) for law, rate in laws)
        self.share_before, self.china_share = (
            min(max(s, 1 - MOST_SHARE), MOST_SHARE) for s in (share, share + made_up)
        )
        self.offset = min(sum(law.counter_subsidy(rate) for law, rate in laws), 1.0)
        self._award_public_money(laws)
        self.units_factor: dict[tuple[str, str], float] = {}
        self.chips_factor: dict[tuple[str, str, str], float] = {}
        self.preference: dict[tuple[str, str], float] = {}
        for law, rate in laws:
            self._shift_demand_and_taste(law, rate)

    def exchange_factor(self, market: str) -> float:
        """By how much a market's currency makes up for the duty of the month before (MODEL 4.4)."""
        abroad = [
            f
            for f in self.flows
            if f.market == market and self.customs.home[f.maker.base_origin] != market
        ]
        value = {f: f.base_units * self.unit_value[f.maker.device] for f in abroad}
        rise = sum(value[f] * f.new_duty / f.customs_value for f in abroad)
        rise = rise / sum(value.values()) if abroad else 0.0
        offset = self.scenario.trade.currency_offset
        return max(1 - offset * self.covered_share[market] * rise, 0.1)

    def _award_public_money(self, laws: list[Any]) -> None:
        """Grants and credits by region; regions share a budget by their base capacity."""
        self.grants: dict[str, float] = {}
        self.granted_investment: dict[str, float] = {}
        self.credit: dict[str, float] = {}
        size = {i.region: i.wafers(self, "base_capacity") for i in self.industries}
        for law, rate in laws:
            named = [region for region in getattr(law, "regions", None) or () if region in size]
            total = sum(size[region] for region in named)
            for region in named:
                part = size[region] / total if total else 0.0
                for funds, amount in (
                    (self.grants, law.capacity_grant(rate) * part),
                    (self.granted_investment, law.granted_investment(rate) * part),
                    (self.credit, law.investment_credit(rate)),
                ):
                    funds[region] = funds.get(region, 0.0) + amount

    def _shift_demand_and_taste(self, law: Any, rate: float) -> None:
        factors, taste = law.demand_factors(rate), law.preference(rate)
        devices = [d for d in law.devices or self.devices if d not in law.exempt_devices]
        classes = getattr(law, "node_classes", None) or self.classes
        regions = getattr(law, "chip_regions", None) or self.customs.codes.regions
        for market in law.markets:
            for d in devices:
                cell = market, d
                self.units_factor[cell] = self.units_factor.get(cell, 1) * factors.get("units", 1)
                for k in classes:
                    self.chips_factor[market, d, k] = self.chips_factor.get(
                        (market, d, k), 1
                    ) * factors.get("chips", 1)
            for region in regions:
                self.preference[market, region] = self.preference.get((market, region), 0) + taste

    def foreseen(self, kind: str, device: str) -> list[tuple[float, Rates]]:
        """What agents expect over the life of a choice made now: weights and instruments."""
        if (kind, device) not in self._foreseen:
            weights: dict[tuple[tuple[int, float], ...], float] = {}
            for months, weight in self.dates(kind, device):
                foreseen = self.customs.expected(self.date + months, self.date)
                for chance, rates in self.customs.outcomes(foreseen, months, self.date):
                    key = tuple(rates.items())
                    weights[key] = weights.get(key, 0.0) + weight * chance
            total = sum(weights.values())
            self._foreseen[kind, device] = [(w / total, dict(r)) for r, w in weights.items()]
        return self._foreseen[kind, device]

    def dates(self, kind: str, device: str) -> list[tuple[int, float]]:
        """Months from now at which duties are foreseen, and their weights."""
        if kind == SHIFT:
            return [(self.scenario.assembly.shift_months + s, 1.0) for s in (0, 6, 12)]
        hazard, lead = self.hazard[kind, device], self.lead[kind, device]
        interest = self.scenario.sourcing.discount_rate
        return [
            (lead + s, (1 - hazard) ** s * (1 + interest) ** (-s / 12)) for s in (0, 12, 24, 36)
        ]

    def plan_chinese_capacity(self) -> None:
        """China builds so that its share of planned capacity follows its path (MODEL 4.1)."""
        chinese = [f for f in self.foundries if f.is_chinese]
        others = [f for f in self.foundries if not f.is_chinese]
        rivals = {k: sum(f.base_capacity[k] for f in others) for k in self.classes}
        if not chinese or not all(rivals.values()):
            return
        supply = self.scenario.supply
        start = supply.china_capacity_share.at(self.scenario.run.start)
        china = next(i for i in self.industries if i.is_chinese)
        idle = china.base_utilisation - sum(china.utilisations) / 12
        left_out = supply.plan_response * max(0.0, min(1.0, idle / 0.2))
        for k in self.classes:
            planned = sum(f.planned_capacity[k] for f in others)
            base = sum(f.base_capacity[k] for f in chinese)
            start_odds = base / rivals[k] / _odds(start)
            if self.china_share != self.share_before:
                in_all = planned * (1 + start_odds * _odds(self.share_before))
                factor = in_all / (1 + start_odds * _odds(self.china_share)) / planned
                for f in others:
                    f.planned_capacity[k] *= factor
                planned *= factor
            total = planned * start_odds * _odds(self.china_share)
            built = self.china_plan.get(k, base) * (1 - self.plan_gap[k])
            if total >= self.china_plan.get(k, base):
                built += (1 - left_out) * (total - self.china_plan.get(k, base))
                self.plan_gap[k] = 1 - built / total if total else 0.0
            self.china_plan[k] = total
            for f in chinese:
                f.planned_capacity[k] = f.base_capacity[k] / base * total if base else 0.0

    def open_designs(self) -> None:
        """Which designs and slots open, and the noise of the choice: drawn whatever the policy."""
        n, now = len(self.lines), self.month_number
        design = self.draws.uniform("design opens", now, n).tolist()
        alone = self.draws.uniform("drop-in opens", now, n, self.n_parts).tolist()
        opened = []
        for line in self.lines:
            made = [v for v in (line, line.own) if v is not None and v.is_made]
            for version in made:
                version.design_opens = design[line.number] < self.design_hazard[line.device]
            for p, slot in line.slots.items():
                both = [version.slots[p] for version in made]
                opens_itself = line.design_opens
                if slot.is_pin_compatible:
                    opens_itself = alone[line.number][p] < self.pin_compatible_hazard
                for one in both:
                    one.noise, one.opens_itself = {}, opens_itself
                if opens_itself or line.design_opens:
                    opened.append(both)
        drawn = self.draws.exponential("foundry noise", now, len(opened), len(self.foundries))
        for both, row in zip(opened, drawn.tolist(), strict=True):
            for slot in both:
                slot.noise = {f: -math.log(e) for f, e in zip(self.foundries, row, strict=True)}

    def emergency_switch(self) -> None:
        """Makers that are cut off choose at once; noise is keyed by slot (MODEL 4.6)."""
        if not self.customs.restrictions(self.rates):
            return
        drawn = {
            p: self.draws.exponential(
                f"emergency {p}", self.month_number, len(self.lines), len(self.foundries)
            ).tolist()
            for p in range(self.n_parts)
        }
        for maker in self.makers:
            for p, slot in maker.slots.items():
                slot.noise = {
                    f: -math.log(e)
                    for f, e in zip(
                        self.foundries, drawn[p][(maker.line or maker).number], strict=True
                    )
                }
                maker.emergency_switch(self, slot)

    def renew_second_sources(self) -> None:
        """Slots that open draw another second source."""
        opened = []
        for line in self.lines:
            made = [v for v in (line, line.own) if v is not None and v.is_made]
            for p, slot in line.slots.items():
                if slot.has_second_source and slot.noise and slot.opens_itself:
                    opened.append([version.slots[p] for version in made])
        n = len(self.foundries)
        drawn = self.draws.exponential("second source", self.month_number, len(opened), n)
        for both, row in zip(opened, drawn.tolist(), strict=True):
            for slot in both:
                near = {slot.supplier.region, (slot.waiting or slot.supplier).region}
                times = {
                    f: e / slot.base_shares[f]
                    for f, e in zip(self.foundries, row, strict=True)
                    if f.region not in near and slot.base_shares[f] > 0
                }
                slot.second_source = min(times, key=times.__getitem__) if times else slot.supplier

    def look_at_places(self) -> None:
        """Which flows may shift, and which makers may build."""
        rules, n = self.scenario.assembly, len(self.lines)
        shifts = self.draws.uniform("looks for shifts", self.month_number, n, len(self.markets))
        plants = self.draws.uniform("looks for plants", self.month_number, n)
        for line in self.lines:
            line.looks_for_plants = bool(plants[line.number] < rules.plant_hazard)
        for flow in self.flows:
            u = shifts[(flow.maker.line or flow.maker).number, self.markets.index(flow.market)]
            flow.looks_for_shifts = bool(u < rules.shift_hazard)

    def restrictions_on(self, maker: Maker, market: str, slot: Slot, region: str) -> list[int]:
        """Measures that may keep a region's chips for a slot from what is sold in a market."""
        at = maker.device, maker.origin(market), market, slot.node_class
        laws = self.customs.instruments
        found = self.customs.restrictions_on(*at)
        return [i for i in found if slot.is_found(laws[i], region)]

    def delivered_share(self, maker: Maker, market: str, slot: Slot, region: str) -> float:
        """Part of a region's chips for a line's products in a market that no measure keeps back."""
        share = 1.0
        for i in self.restrictions_on(maker, market, slot, region):
            if i in self.rates:
                share *= self.customs.instruments[i].supply_share(self.rates[i], self.date)
        return share

    def content(self, device: str, node_class: str, weights: dict[str, float]) -> float:
        """Chips in a unit over those of the base year: a trend, and shifts by market."""
        growth = (1 + self.scenario.trade.chip_content_growth) ** self.years
        shift = sum(
            w * self.chips_factor.get((m, device, node_class), 1.0) * self.ai_content(m, device)
            for m, w in weights.items()
        )
        return growth * shift

    def ai_content(self, market: str, device: str) -> float:
        """Chips in a unit of a device that comes AI-enabled, relative to the start (MODEL 4.4)."""
        if device not in self.ai_capable:
            return 1.0
        uplift = self.scenario.trade.ai_chip_uplift
        now, then = (
            1 + uplift * self._adoption(market, date)
            for date in (self.date, self.date - self.month_number)
        )
        return now / then

    def _adoption(self, market: str, date: int) -> float:
        path = self.ai_adoption[market]
        if date <= AI_MONTHS[0]:
            return path[0]
        for (m0, a0), (m1, a1) in pairwise(zip(AI_MONTHS, path, strict=True)):
            if date <= m1:
                return a0 + (a1 - a0) * (date - m0) / (m1 - m0)
        return path[-1]

    def order_units(self) -> None:
        """Consumers: CES between lines, isoelastic in the price index; orders close on demand."""
        speed = self.scenario.trade.order_adjustment
        for (market, device), flows in self.shelves.items():
            eps, eta = self.substitution_elasticity[device], self.demand_elasticity[device]
            theta = 1 + self.scenario.trade.nesting * (eps - 1)
            nests: dict[str, list[Flow]] = {}
            for f in flows:
                nests.setdefault(f.maker.base_origin, []).append(f)
            weight = {n: sum(f.base_share for f in inside) for n, inside in nests.items()}
            price = {
                n: sum(
                    f.base_share / weight[n] * (f.price / f.base_price) ** (1 - eps) for f in inside
                )
                ** (1 / (1 - eps))
                for n, inside in nests.items()
            }
            index = sum(weight[n] * price[n] ** (1 - theta) for n in nests) ** (1 / (1 - theta))
            self.price_index[market, device] = index
            growth = (1 + self.market_growth[market]) ** self.years
            growth *= self.grown_apart(device)
            growth *= self.units_factor.get((market, device), 1.0)
            for f in flows:
                desired = f.base_units * (f.price / f.base_price) ** -eps
                desired *= price[f.maker.base_origin] ** (eps - theta)
                desired *= index ** (theta - eta) * growth
                f.orders += speed * (desired - f.orders)

    def grown_apart(self, device: str) -> float:
        """Demand for a device relative to the start, on top of what markets grow (MODEL 4.4)."""
        grown, path = 1.0, self.extra_growth[device]
        for date in range(self.date - self.month_number, self.date):
            rate = path[0][1] if path else 0.0
            for (m0, r0), (m1, r1) in pairwise(path):
                if date >= m1:
                    rate = r1
                elif date > m0:
                    rate = r0 + (r1 - r0) * (date - m0) / (m1 - m0)
            grown *= (1 + self.scenario.trade.growth_factor * rate) ** (1 / 12)
        return grown

    def order_chips(self) -> None:
        """Chips are ordered for the units ordered, and by buyers outside the device groups."""
        for f in self.foundries:
            f.orders, f.booked = (dict.fromkeys(self.classes, 0.0) for _ in range(2))
        self.each(self.makers, "order_chips")
        self.other_orders = {k: self._other_orders(k) for k in self.classes}
        for k, orders in self.other_orders.items():
            for f, chips in orders.items():
                f.orders[k] += chips
                f.booked[k] += chips
        for china, k in self.scarcity:
            bloc = [f for f in self.foundries if f.is_chinese == china]
            self.order_book[china, k] = (
                sum(f.booked[k] for f in bloc), sum(f.capacity[k] for f in bloc)
            )  # fmt: skip

    def _other_orders(self, k: str) -> dict[Foundry, float]:
        buyers, omega = self.scenario.other_buyers, self.scenario.sourcing.size_term
        base = self.other_base[k]
        wanted = _shares(
            {
                f: chips * f.size[k] ** omega * (f.price[k] / f.base_price[k]) ** -buyers.elasticity
                if chips
                else 0.0
                for f, chips in base.items()
            }
        )
        mix = self.other_mix[k]
        for f in mix:
            mix[f] += buyers.adjustment * (wanted[f] - mix[f])
        chips = {m: self.base_chips[m, k] for m in self.markets}
        grown = sum(n * (1 + self.market_growth[m]) ** self.years for m, n in chips.items())
        growth = grown / sum(chips.values())
        growth *= (1 + self.scenario.trade.chip_content_growth) ** self.years
        growth *= self._response_of_others(k)
        return {f: share * sum(base.values()) * growth for f, share in mix.items()}

    def _response_of_others(self, k: str) -> float:
        """What their mean price, over its base and over learning, makes of their demand."""
        now, before = self.other_mix[k], _shares(self.other_base[k])
        learned = sum(share * f.learned[k] for f, share in now.items())
        price = sum(share * f.price[k] for f, share in now.items())
        base_price = sum(share * f.base_price[k] for f, share in before.items())
        if not price or not base_price:
            return 1.0
        elasticity = self.scenario.other_buyers.demand_elasticity
        return (price / base_price / learned) ** -elasticity

    def audit_importers(self) -> None:
        """Customs audits some importers, whatever they did."""
        now, n = self.month_number, len(self.importers)
        audits = self.draws.uniform("audits", now, n).tolist()
        finds = self.draws.uniform("audit finds", now, n).tolist()
        for importer, audit, find in zip(self.importers, audits, finds, strict=True):
            importer.be_audited(self, audit, find)


def _odds(share: float) -> float:
    return share / (1 - share)


def _shares(values: dict[Foundry, float]) -> dict[Foundry, float]:
    total = sum(values.values())
    return {f: v / total if total else 0.0 for f, v in values.items()}
