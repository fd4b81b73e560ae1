"""The books of a month: who paid whom, by kind of payment, sector and market (MODEL 4.7)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference.agents import Flow
    from tests.reference.world import Reference


class Books:
    """Entries by (payment, sector); what a sector pays is negative."""

    def __init__(self, world: Reference) -> None:
        self.entries: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.duty_by_instrument: defaultdict[int, float] = defaultdict(float)
        self._products(world)
        self._makers(world)
        self._foundries(world)
        for china in (False, True):
            self._overflow(world, china)
        self._net_income()

    def pay(self, payment: str, payer: str, receiver: str, amount: float) -> None:
        """One payment, on both sides."""
        self.entries[payment, payer] -= amount
        self.entries[payment, receiver] += amount

    def _products(self, world: Reference) -> None:
        trade = world.scenario.trade
        for flow in world.flows:
            m, units = flow.market, flow.units
            home = world.customs.home[flow.origin]
            importers, makers = f"importers {m}", f"device makers {home}"
            value = flow.customs_value * units
            asked = flow.ex_works * units
            distribution = trade.retail_margin - trade.importer_profit
            distribution *= flow.base_landed * flow.sold
            carrying = trade.carrying_cost * flow.customs_value * flow.stock
            duty = (flow.base_duty + flow.new_duty) * units
            given_back = (1 - trade.border_pass_through) * flow.new_duty * units
            self.pay("retail sales", f"consumers {m}", importers, flow.price * flow.sold)
            self.pay("retail distribution", importers, "other suppliers", distribution)
            self.pay("ex-works sales", importers, makers, asked)
            self.pay("exchange", makers, importers, asked - value)
            self.pay("duty rebates", makers, importers, given_back)
            self.pay("freight", importers, "other suppliers", trade.freight * value)
            self.pay("carrying of stocks", importers, "other suppliers", carrying)
            self.pay("duties on products", importers, f"government {m}", duty)
            self.pay("compliance", importers, "other suppliers", flow.compliance_cost * units)
            for i, new_duty in flow.new_duties.items():
                self.duty_by_instrument[i] += new_duty * units

        for importer in world.importers:
            parties = f"importers {importer.market}", f"government {importer.market}"
            self.pay("back duties", *parties, importer.back_duty)
            self.pay("penalties", *parties, importer.penalty)
            self.pay("duty refunds", *reversed(parties), importer.refund)
        for (i, month, market), duty in world.bare_duty_paid.items():
            more = world.paid_back.get((i, month), 0.0)
            parties = f"government {market}", f"device makers {market}"
            self.pay("duty refunds", *parties, more * duty)

    def _makers(self, world: Reference) -> None:
        for maker in world.makers:
            for flow in maker.flows:
                self._made(world, flow)
            for slot in maker.slots.values():
                units_worth = slot.sent / slot.chips
                second = slot.second_source
                for flow in maker.flows:
                    share = maker.share_of(flow)
                    payer = f"device makers {world.customs.home[flow.origin]}"
                    bill = share * slot.chip_value * units_worth
                    self.pay("chips for devices", payer, f"foundries {slot.supplier.market}", bill)
                    bill = share * slot.from_second * second.price[slot.node_class]
                    self.pay("chips for devices", payer, f"foundries {second.market}", bill)
                treasury, foundries = (
                    f"{s} {slot.supplier.market}" for s in ("government", "foundries")
                )
                self.pay("counter-subsidies", treasury, foundries, slot.offset * units_worth)

    def _made(self, world: Reference, flow: Flow) -> None:
        """What making the units of one flow costs, where they are made."""
        maker, units, home = flow.maker, flow.units, world.customs.home[flow.origin]
        makers = f"device makers {home}"
        inputs = maker.other_inputs * flow.cost_ratio(world)
        switching = maker.switching(world)
        self.pay("other inputs", makers, "other suppliers", inputs * units)
        standby, carrying = maker.upkeep_now(world)
        self.pay("exchange", "rest", makers, (1 - flow.exchange) * inputs * units)
        self.pay("standby of second sources", makers, "other suppliers", standby * units)
        self.pay("carrying of stocks", makers, "other suppliers", carrying * units)
        self.pay("switching of suppliers", makers, "other suppliers", switching * units)
        versions = maker.overhead(world) * units
        self.pay("versions of products", makers, "other suppliers", versions)
        self.pay("relocation", makers, "other suppliers", flow.relocation)
        bare = flow.bare_duty * units
        self.pay("duties on unmounted chips", makers, f"government {home}", bare)
        for chips in maker.chips_inside():
            due = world.customs.chip_duties(flow.origin, chips, world.rates)
            for i, duty in due.items():
                self.duty_by_instrument[i] += duty * units
                key = i, world.date, home
                taken = max(duty, 0.0) * units
                world.bare_duty_paid[key] = world.bare_duty_paid.get(key, 0.0) + taken

    def _foundries(self, world: Reference) -> None:
        v = world.scenario.supply.variable_cost_share
        for f in world.foundries:
            foundries, treasury = f"foundries {f.market}", f"government {f.market}"
            for k in world.classes:
                others = world.other_orders[k][f] * world.fill_rate[f.is_chinese, k] * f.price[k]
                self.pay("chips for other buyers", "other chip buyers", foundries, others)
                capacity = f.base_utilisation[k] * f.capacity[k]
                cost = f.unit_cost[k] * (v * f.output[k] + (1 - v) * capacity)
                f.revenue[k], f.cost[k] = f.price[k] * f.sales[k], cost
                self.pay("foundry costs", foundries, "other suppliers", cost)
                self.pay("subsidies", treasury, foundries, f.subsidy[k] * f.output[k])

        for i in world.industries:
            now = world.month_number
            treasury, foundries = f"government {i.market}", f"foundries {i.market}"
            self.pay("capacity grants", treasury, foundries, i.grants_due[now])
            self.pay("investment credits", treasury, foundries, i.credits_due[now])

    def _overflow(self, world: Reference, china: bool) -> None:
        """Foundries pass on what they were paid for chips that others of the bloc made."""
        bloc = [f for f in world.foundries if f.is_chinese == china]
        for k in world.classes:
            given = {f: f.price[k] * max(f.sales[k] - f.output[k], 0.0) for f in bloc}
            made = {f: max(f.output[k] - f.sales[k], 0.0) for f in bloc}
            if not sum(made.values()):
                continue
            for f in bloc:
                part = made[f] / sum(made.values())
                row = "overflow between foundries", f"foundries {f.market}"
                settled = part * sum(given.values()) - given[f]
                f.revenue[k] += settled
                self.entries[row] += settled

    def _net_income(self) -> None:
        left: defaultdict[str, float] = defaultdict(float)
        for (_, sector), amount in self.entries.items():
            left[sector] += amount
        for sector, amount in left.items():
            if sector != "rest":
                self.pay("net income", sector, "rest", amount)
