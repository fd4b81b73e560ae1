"""One month of the model: the order below is its timing assumption (MODEL 3)."""

from __future__ import annotations

from collections.abc import Callable

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.phases.accounts import keep_accounts
from tariffsim.phases.assembly import choose_countries, move_assembly
from tariffsim.phases.declarations import audit_importers, trace_origins
from tariffsim.phases.delivery import deliver
from tariffsim.phases.emergency import requalify_at_once
from tariffsim.phases.investment import invest
from tariffsim.phases.orders import order_chips
from tariffsim.phases.policy import announce_policy
from tariffsim.phases.sourcing import choose_foundries, take_over
from tariffsim.phases.stockpile import buy_ahead
from tariffsim.phases.supply import add_capacity, post_prices
from tariffsim.phases.trade import (
    assess_duties,
    order_units,
    price_products,
    set_retail_prices,
)

Phase = Callable[[Economy, Draws], None]

PHASES: tuple[Phase, ...] = (
    announce_policy,
    trace_origins,
    add_capacity,
    post_prices,
    take_over,
    move_assembly,
    requalify_at_once,
    choose_foundries,
    choose_countries,
    price_products,
    assess_duties,
    set_retail_prices,
    order_units,
    buy_ahead,
    order_chips,
    deliver,
    audit_importers,
    keep_accounts,
    invest,
)
"""The phases of a month, in order."""
