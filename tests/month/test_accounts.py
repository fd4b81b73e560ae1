"""Payments against incomes: whatever is booked twice, or not at all, is noticed in its month."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tariffsim import month
from tariffsim.behaviour import accounts
from tariffsim.errors import ConservationError, NotFiniteError
from tariffsim.month import keep_accounts
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.incomes import net_incomes
from tariffsim.state.ledger import (
    BY_MARKET,
    PAYMENTS,
    WORLD,
    Ledger,
    check_accounting_identities,
    sectors,
)
from tariffsim.tables import load_tables
from tests.economies import CLASSES, REGIONS, each_device, last, run, scenario

MARKETS = load_tables().markets.codes
SECTORS = sectors(MARKETS)
NOT_CHINA = [region for region in REGIONS if region != "CN"]
ON_CHIPS = {"kind": "component_tariff", "markets": list(MARKETS),
            "unknown_origin_rule": "full_value"}  # fmt: skip
FROM_START = {"start": "2025-01"}
BUSY = scenario(
    {
        "policies": {
            "now": {**ON_CHIPS, "rate": 0.3, **FROM_START},
            "later": {**ON_CHIPS, "rate": 0.5, "start": "2025-12", "announced": "2025-01"},
            "unmounted": {
                "kind": "bare_chip_tariff", "rate": 0.2, "markets": list(MARKETS), **FROM_START
            },
            "here": {**ON_CHIPS, "rate": 2.0, "markets": ["US"], **FROM_START},
            "places": {
                "kind": "product_tariff", "assembly_countries": ["CN"], "rate": 1.0,
                "start": "2025-11", "markets": ["US", "EU", "JK"],
            },
            "counter": {"kind": "counter_subsidy", "share": 0.5, **FROM_START},
            "grants": {
                "kind": "capacity_grant", "budget_per_year": 2e10, "regions": REGIONS, **FROM_START
            },
            "credits": {
                "kind": "investment_credit", "credit": 0.3, "regions": REGIONS, **FROM_START
            },
            "back": {
                "kind": "duty_refund", "refunds": ["now", "unmounted"], "share": 0.5,
                "start": "2025-11",
            },
            "shift": {
                "kind": "preference_shift", "log_odds": 1, "chip_regions": NOT_CHINA, **FROM_START
            },
        },
        "compliance": {"evasion_cost": 0.1, "audit_rate": 0.1, "penalty_multiple": 0.5},
        "assembly": {"shift_hazard": 1.0},
        "sourcing": {"opening_factor": 5.0, "version_overhead": 0.005},
        "figures": {
            "devices": each_device(requalification_cost_usd=3000.0),
            # with all parts chosen with the design enough lines split for versions to be seen
            "node_classes": {code: {"commodity_share": 0.0} for code in CLASSES},
        },
        "trade": {"carrying_cost": 0.005, "currency_offset": 0.3},
    },
    makers=300,
)  # fmt: skip
"""A world in whose eleventh month everybody pays for everything that there is to pay for."""


SEEN = 1e-7
"""Of the largest payment: what is larger is tested; the accounts are held to a hundredth of it."""


@pytest.fixture(scope="module")
def busy() -> Economy:
    return last(BUSY, seed=1, months=11)


def booked(economy: Economy, patch: pytest.MonkeyPatch, factors: dict[str, tuple[float, float]]):
    """Keep the accounts with some payments multiplied, on the payer's and the receiver's side."""
    book = Ledger.book

    def wrong(self: Ledger, payment: str, payer: str, paid: Any, to: str, received: Any) -> None:
        by_payer, by_receiver = factors.get(payment, (1.0, 1.0))
        book(self, payment, payer, by_payer * paid, to, by_receiver * received)

    patch.setattr(Ledger, "book", wrong)
    keep_accounts(economy, Draws(1))
    check_accounting_identities(economy)


def test_everybody_pays_for_everything(busy: Economy) -> None:
    """No identity is tested on zeros alone."""
    keep_accounts(busy, Draws(1))
    check_accounting_identities(busy)
    paid = np.abs(busy.ledger) > SEEN * np.abs(busy.ledger).max()
    assert (paid.sum(axis=1) >= 2).all()
    assert (paid[:, : SECTORS.index("rest")].sum(axis=0) >= 2).all()


@pytest.mark.parametrize("payment", PAYMENTS[:-1])
@pytest.mark.parametrize("factors", [(2.0, 1.0), (1.0, 2.0), (0.0, 1.0)], ids=str)
def test_a_payment_booked_wrongly_on_one_side_is_named(
    busy: Economy, payment: str, factors: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConservationError, match=f"payment '{payment}' does not balance in 2025-11"):
        booked(busy, monkeypatch, {payment: factors})


@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("factor", [2.0, 0.0])
def test_a_payment_booked_wrongly_on_both_sides_is_noticed(
    busy: Economy, payment: str, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConservationError, match=r"sector '.*' does not balance in 2025-11"):
        booked(busy, monkeypatch, {payment: (factor, factor)})


@pytest.mark.parametrize("sector", SECTORS[:-1])
def test_each_payment_of_each_sector_counts(busy: Economy, sector: str) -> None:
    """A payment doubled between one sector and another, so that its row still adds up to zero."""
    keep_accounts(busy, Draws(1))
    right, column = busy.ledger, SECTORS.index(sector)
    rows = np.flatnonzero(np.abs(right[:, column]) > SEEN * np.abs(right).max())
    assert len(rows) >= 2
    for row in rows:
        other = int((right[row] * -np.sign(right[row, column])).argmax())
        busy.ledger = right.copy()
        busy.ledger[row, column] += right[row, column]
        busy.ledger[row, other] -= right[row, column]
        with pytest.raises(ConservationError) as error:
            check_accounting_identities(busy)
        named = {f"sector '{SECTORS[place]}'" for place in (column, other)}
        assert error.value.identity in named, PAYMENTS[row]
    busy.ledger = right


@pytest.mark.parametrize("sector", [*BY_MARKET, *WORLD[:-1]])
def test_what_one_sector_earns_another_pays(
    busy: Economy, sector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of the sectors, the rest, gets what all others earn, and pays for exchange."""
    wrong = net_incomes(busy)
    wrong[sector] = 2 * wrong[sector]
    monkeypatch.setattr(month, "net_incomes", lambda economy: wrong)
    keep_accounts(busy, Draws(1))
    with pytest.raises(ConservationError, match=f"sector '{sector}"):
        check_accounting_identities(busy)
    assert abs(busy.ledger[:, -1].sum()) > SEEN * np.abs(busy.ledger).max()


def amounts() -> Iterator[tuple[str, str]]:
    """Every local name of the functions that book which holds numbers, by function."""
    others = {"home", "n", "maker", "market", "region", "origin", "book", "at"}
    for function in ast.parse(inspect.getsource(accounts)).body:
        if isinstance(function, ast.FunctionDef):
            for node in function.body:
                names = node.targets if isinstance(node, ast.Assign) else []
                for name in ast.walk(ast.Module(names, [])):
                    is_local = isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
                    if is_local and name.id not in others | TABLES:
                        yield function.name, name.id


TABLES = {"flows", "makers", "importers", "foundries", "constants", "codes", "base", "trade"}


class Doubled(ast.NodeTransformer):
    """Doubles one local name of one function where it is assigned."""

    def __init__(self, function: str, name: str) -> None:
        self.function, self.name = function, name

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if node.name == self.function:
            at = next(
                i for i, one in enumerate(node.body) if isinstance(one, ast.Assign)
                and any(isinstance(n, ast.Name) and n.id == self.name for n in ast.walk(
                    ast.Module(one.targets, [])))
            )  # fmt: skip
            node.body.insert(at + 1, ast.parse(f"{self.name} = 2 * {self.name}").body[0])
        return node


@pytest.mark.parametrize(("function", "name"), [*amounts()], ids=str)
def test_an_amount_doubled_where_it_is_computed_is_noticed(
    busy: Economy, function: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever `accounts` works out, once in all bookings that it enters."""
    tree = Doubled(function, name).visit(ast.parse(inspect.getsource(accounts)))
    scope = dict(vars(accounts))
    exec(compile(ast.fix_missing_locations(tree), accounts.__file__, "exec"), scope)
    for booking in ("book_products", "book_makers", "book_chips"):
        monkeypatch.setattr(accounts, booking, scope[booking])
    keep_accounts(busy, Draws(1))
    with pytest.raises(ConservationError, match=r"payment|sector|duty by"):
        check_accounting_identities(busy)


def test_amounts_are_found() -> None:
    found = set(amounts())
    assert {("book_products", "freight"), ("book_chips", "taken"), ("book_makers", "bare")} <= found
    assert len(found) >= 25


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_overflow_are_not_called_a_mistake_of_the_accounts(
    busy: Economy, value: float
) -> None:
    keep_accounts(busy, Draws(1))
    right = busy.ledger
    busy.ledger = right.copy()
    busy.ledger[0, 0] = value
    with pytest.raises(NotFiniteError, match="payment 'retail sales' became NaN or infinite in"):
        check_accounting_identities(busy)
    busy.ledger = right


def test_accounts_balance_when_nothing_is_delivered_any_more() -> None:
    """What is left of stocks is then less than the rounding of what was needed."""
    cut = {"kind": "chip_cutoff", "denied": 1.0, "start": "2025-02", "chip_regions": "all",
           "markets": list(MARKETS)}  # fmt: skip
    for economy in run(scenario({"policies": {"cut": cut}}, makers=40), seed=0, months=8):
        check_accounting_identities(economy)
    assert economy.flows.units.sum() < 1e-9 * economy.flows.purchases.sum()
