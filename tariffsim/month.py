"""One month of the model: the order below is its timing assumption (MODEL 3)."""

from __future__ import annotations

from collections.abc import Callable

from tariffsim.behaviour.accounts import keep_accounts
from tariffsim.behaviour.assembly import choose_countries, move_assembly
from tariffsim.behaviour.compliance import audit_importers, trace_origins
from tariffsim.behaviour.delivery import deliver, front_load, order_chips
from tariffsim.behaviour.foundries import add_capacity, invest, post_prices
from tariffsim.behaviour.prices_and_demand import (
    assess_duties,
    order_units,
    price_products,
    set_retail_prices,
)
from tariffsim.behaviour.sourcing import choose_foundries, emergency_switch, switch_suppliers
from tariffsim.law.policy_state import announce_policy
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy

Phase = Callable[[Economy, Draws], None]

PHASES: tuple[Phase, ...] = (
    announce_policy,
    trace_origins,
    add_capacity,
    post_prices,
    switch_suppliers,
    move_assembly,
    emergency_switch,
    choose_foundries,
    choose_countries,
    price_products,
    assess_duties,
    set_retail_prices,
    order_units,
    front_load,
    order_chips,
    deliver,
    audit_importers,
    keep_accounts,
    invest,
)
"""The phases of a month, in order."""
