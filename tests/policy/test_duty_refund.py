"""Duty paid back after a ruling: to those who paid it, once, and no more than they paid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tariffsim import compare
from tariffsim.errors import ScenarioError
from tariffsim.experiments.decompose import changes_between
from tariffsim.experiments.timing import shifted
from tariffsim.scenario import load_scenario, replace
from tariffsim.scenario.checks import remarks
from tariffsim.state.ledger import PAYMENTS, check_accounting_identities
from tariffsim.typing import format_month, parse_month
from tests.economies import COMPLIANT, component, run, scenario

LAW = {
    "kind": "component_tariff", "rate": 0.4, "start": "2025-02", "end": "2025-06",
    "markets": ["US", "EU"], "chip_regions": "all",
}  # fmt: skip
BARE = {
    "kind": "bare_chip_tariff", "rate": 0.2, "start": "2025-02", "end": "2025-06",
    "markets": ["ROW"], "chip_regions": "all",
}  # fmt: skip


def world(*refunds: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    named = {f"refund_{i}": {"kind": "duty_refund", **one} for i, one in enumerate(refunds)}
    return {"policies": {"law": LAW} | more | named}


def refund(share: Any, *names: str, **fields: Any) -> dict[str, Any]:
    return {"share": share, "refunds": list(names or ("law",)), **fields}


def months(rules: Any, n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """(months, M) USD that governments paid back, and (months,) duty of the law by month."""
    row, back, paid = PAYMENTS.index("duty refunds"), [], []
    for economy in run(rules, 1, n):
        check_accounting_identities(economy)
        markets = len(economy.constants.codes.markets)
        back.append(-economy.ledger[row, 4 * markets : 5 * markets])
        number = [law.name for law in economy.tariff_schedule.laws].index("law")
        paid.append(float(economy.policy_duty[number]))
        own = np.bincount(economy.importers.market, economy.importers.refund, markets)
        np.testing.assert_allclose(back[-1], own + economy.maker_refund, rtol=1e-12)
    return np.array(back), np.array(paid)


def plain(*changes: dict[str, Any]) -> Any:
    return scenario(COMPLIANT, *changes, makers=100)


def test_all_that_was_paid_comes_back_in_the_month_of_the_ruling() -> None:
    back, paid = months(plain(world(refund({"2025-08": 1.0}))))
    assert paid[:8] == pytest.approx([0.0, *paid[1:6], 0.0, 0.0])
    assert paid[1:6].min() > 0
    assert back[7].sum() == pytest.approx(paid.sum(), rel=1e-12)
    assert back.sum() == pytest.approx(back[7].sum(), rel=1e-12)


def test_by_instalments_and_by_share() -> None:
    path = {"2025-07": 0.0, "2025-11": 0.8, "interpolate": "linear"}
    back, paid = months(plain(world(refund(path))))
    assert back[6:].sum(axis=1) == pytest.approx(
        [0.0, *[0.2 * paid.sum()] * 4, 0.0], rel=1e-9, abs=1e-3
    )


def test_paid_since() -> None:
    back, paid = months(plain(world(refund({"2025-08": 1.0}, paid_since="2025-04"))))
    assert back.sum() == pytest.approx(paid[3:].sum(), rel=1e-12)


def test_nothing_is_paid_back_twice() -> None:
    """Two rulings on one law: the second pays what the first has left."""
    twice = world(refund({"2025-05": 0.6}), refund({"2025-09": 1.0, "2025-10": 0.3}, "law", "LAW"))
    back, paid = months(plain(twice))
    assert back.sum() == pytest.approx(paid.sum(), rel=1e-9)
    assert back[4].sum() == pytest.approx(0.6 * paid[:4].sum(), rel=1e-9)
    assert (back >= 0).all()


def test_while_the_law_stays_the_duty_of_the_month_before_comes_back() -> None:
    back, paid = months(plain(world(refund({"2025-04": 1.0}))))
    assert back[4].sum() == pytest.approx(paid[3], rel=1e-12)


def test_each_market_pays_back_its_own() -> None:
    back, _ = months(plain(world(refund({"2025-08": 1.0}))))
    (economy,) = run(plain(), 0, 1)
    paying = {m for m, usd in zip(economy.constants.codes.markets, back[7], strict=True) if usd > 0}
    assert paying == {"US", "EU"}


def test_who_paid_is_who_is_paid() -> None:
    own = 0.0
    for economy in run(plain(world(refund({"2025-08": 0.5}))), 1, 8):
        number = [law.name for law in economy.tariff_schedule.laws].index("law")
        each = economy.instrument_duty.get(number, np.zeros(len(economy.flows)))
        paid = each * economy.flows.units
        if economy.month < 7:
            own = own + np.bincount(economy.flows.importer, paid, len(economy.importers))
    np.testing.assert_allclose(economy.importers.refund, 0.5 * own, rtol=1e-9, atol=1e-6)


def test_duty_on_unmounted_chips_goes_back_to_makers() -> None:
    rules = plain(world(refund({"2025-08": 1.0}, "bare"), bare=BARE))
    paid = 0.0
    for economy in run(rules, 1, 8):
        names = [law.name for law in economy.tariff_schedule.laws]
        paid += float(economy.policy_duty[names.index("bare")])
    assert paid > 0
    assert economy.maker_refund.sum() == pytest.approx(paid, rel=1e-12)
    assert not economy.importers.refund.any()


def test_duty_evaded_is_not_paid_back() -> None:
    """What comes back is what was declared and paid."""
    full = {"compliance": {"behaviour": "full", "evasion_cost": 0.2}}
    evaded, rules = 0.0, scenario(full, world(refund({"2025-08": 1.0})), makers=100)
    for economy in run(rules, 1, 7):
        evaded += float(economy.flows.evaded_duty @ economy.flows.units)
    assert evaded > 0
    back, paid = months(rules)
    assert back.sum() == pytest.approx(paid.sum(), rel=1e-12)


def test_it_is_money_alone() -> None:
    """No price, choice or quantity moves; importers have what governments pay."""
    one, other = (
        [*run(scenario(law, makers=100), 1, 8)][-1]
        for law in (world(), world(refund({"2025-08": 1.0})))
    )
    for column in ("price", "units", "new_duty", "passed_on"):
        np.testing.assert_array_equal(getattr(one.flows, column), getattr(other.flows, column))
    assert (one.makers.supplier == other.makers.supplier).all()
    gained = other.importers.profit - one.importers.profit
    np.testing.assert_allclose(gained, other.importers.refund, rtol=1e-6, atol=1.0)
    assert other.importers.refund.sum() > 1e6


def test_steps_of_the_calendar_are_one_instrument(tmp_path: Path) -> None:
    rules = plain(
        {"policies": {"r": {"kind": "duty_refund", **refund({"2025-06": 1.0}, "IEEPA fentanyl")}}}
    )
    paid, names = 0.0, set()
    for economy in run(rules, 1, 6):
        for number, law in enumerate(economy.tariff_schedule.laws):
            if law.name.startswith("IEEPA fentanyl, ") and economy.month < 5:
                paid += float(economy.policy_duty[number])
                names.add(law.name) if economy.policy_duty[number] else None
    assert len(names) > 1
    assert economy.importers.refund.sum() + economy.maker_refund.sum() == pytest.approx(paid)


CALENDAR = """\
date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,scope,source,\
confidence,id
2025-01,,US,CN VN MX,product,Levy,0.001,no,all,yes,,assumption,assumption,
2025-01,,US,CN VN,product,"Levy, on content",0.10,no,all,yes,,assumption,assumption,C1-a
2025-01,,US,MX,product,"Levy, on content",0.10,no,all,yes,,assumption,assumption,C1-b
"""


def with_calendar(folder: Path, *names: str, **more: Any) -> Any:
    """A refund of all that rows of a calendar have taken, by these names."""
    (folder / "cal.csv").write_text(CALENDAR)
    (folder / "own.yaml").write_text("extends: baseline\ndata: {tariff_calendar: cal.csv}\n")
    changes = world(refund({"2025-04": 1.0}, *names), **more)
    return replace(load_scenario(folder / "own.yaml"), agents__makers=100, **changes)


@pytest.mark.parametrize(
    ("name", "begins", "origins"),
    [
        ("Levy", "Levy, 2025", "CN VN MX"),
        ("levy,  on Content", "Levy, on content, 2025", "CN VN MX"),
        ("c1-A", "Levy, on content, 2025", "CN VN"),
    ],
)
def test_one_instrument_or_row_is_paid_back(
    tmp_path: Path, name: str, begins: str, origins: str
) -> None:
    """Not another whose name begins in the same way."""
    paid = 0.0
    for economy in run(with_calendar(tmp_path, name), 1, 4):
        codes = economy.constants.codes
        named = [codes.origins.index(origin) for origin in origins.split()]
        is_from = np.isin(economy.flows.origin, named)
        for number, law in enumerate(economy.tariff_schedule.laws):
            if law.name.startswith(begins) and economy.month < 3:
                each = economy.instrument_duty.get(number, np.zeros(len(economy.flows)))
                paid += float((each * economy.flows.units)[is_from].sum())
    assert paid > 0
    assert economy.importers.refund.sum() == pytest.approx(paid, rel=1e-12)


def test_what_is_paid_back_is_the_name_of_one_duty(tmp_path: Path) -> None:
    for name, said in (
        (
            "Section 232 metals",
            '"Section 232 metals, Annex I-B" or "Section 232 metals, on content"?',
        ),
        ("Section 301 list", "did you mean Section 301 list"),
    ):
        with pytest.raises(ScenarioError, match="names neither a duty") as refused:
            replace(load_scenario("baseline"), **world(refund({"2025-08": 1.0}, name)))
        assert said in str(refused.value)
    levy = {"kind": "product_tariff", "rate": 0.1, "start": "2025-01"}
    with pytest.raises(ScenarioError, match="more than one duty: a policy and an instrument"):
        with_calendar(tmp_path, "LEVY", levy=levy)


def test_markets_that_join_pay_back_by_the_name_of_the_policy() -> None:
    law = LAW | {"joins": {"EU": "2025-04"}}
    taken, back = 0.0, 0.0
    for economy in run(plain(world(refund({"2025-08": 1.0})), {"policies": {"law": law}}), 1, 8):
        names = [law.name for law in economy.tariff_schedule.laws]
        own = [number for number, name in enumerate(names) if name in ("law, US", "law, EU")]
        assert len(own) == 2
        taken += float(sum(economy.policy_duty[number] for number in own))
        back += float(economy.importers.refund.sum())
    assert back == pytest.approx(taken, rel=1e-12)
    assert taken > 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (refund({"2025-08": 1.0}, "low"), "did you mean law"),
        (refund({"2025-08": 1.0}, "war"), "names neither a duty of this scenario"),
        (refund({"2025-08": 1.0}, paid_since="2025-08"), "must be before the refund's first month"),
        (refund({"2025-08": 1.5}), "must be between 0 and 1"),
        (refund({"2025-08": 1.0}, markets=["EU"]), "does not apply"),
        ({"share": {"2025-08": 1.0}}, "refunds"),
        ({"share": {"2025-08": 1.0}, "refunds": []}, "refunds"),
    ],
)  # fmt: skip
def test_refusals(fields: dict[str, Any], said: str) -> None:
    war = {"kind": "price_cut", "points": 0.1, "start": "2025-01"}
    with pytest.raises(ScenarioError) as refused:
        replace(load_scenario("baseline"), **world(fields, war=war))
    assert said in str(refused.value)


def test_timing_moves_the_window_too() -> None:
    rules = replace(
        load_scenario("baseline"), **world(refund({"2025-08": 1.0}, paid_since="2025-03"))
    )
    moved = shifted(rules, parse_month("2026-02")).policies["refund_0"]
    assert format_month(moved.paid_since) == "2026-03"
    assert format_month(moved.first_month) == "2026-08"


@pytest.mark.parametrize("name", ["law", "LAW "])
def test_attribution_takes_a_refund_and_its_duty_as_one_change(name: str) -> None:
    base = load_scenario("baseline")
    war = {"kind": "price_cut", "points": 0.1, "when": "law in force"}
    rules = replace(base, **world(refund({"2025-08": 1.0}, name), other=LAW, war=war))
    names = [change.name for change in changes_between(base, rules)]
    assert names == ["policies.law+war+refund_0", "policies.other"]


def test_revenue_and_welfare_of_a_refund() -> None:
    """Revenue falls by it, importers gain it, and the world as a whole neither."""
    law = component(0.2, end="2025-06")
    base = replace(load_scenario("baseline"), agents__makers=60, run__end="2025-12", **law)
    back = {"kind": "duty_refund", **refund({"2025-09": 1.0}, "component")}
    found = compare(
        [base, replace(base, policies__back=back)], baseline=base, seeds=1, fixed_parameters=True
    )
    end = found.tables["summary"].set_index("scenario")
    first, second = end.index.unique()
    duty = found.tables["policies"].query("policy == 'component' and scenario == @second")
    paid = 1e-9 * duty["policy_duty"].sum()
    assert paid > 0
    fall = end.loc[first, "total_revenue"] - end.loc[second, "total_revenue"]
    assert fall == pytest.approx(paid, rel=1e-9)
    welfare = found.tables["welfare"].query("scenario == @second")
    by_term = 1e-9 * welfare.groupby("term")["value"].sum()
    assert by_term["government"] == pytest.approx(-paid, rel=1e-9)
    assert by_term["importers and makers"] == pytest.approx(paid, rel=1e-9)
    assert by_term[["consumers", "foundries", "match loss"]].abs().max() < 1e-12


def test_a_remark_where_duty_from_before_the_run_is_meant() -> None:
    early = refund({"2025-08": 1.0}, "IEEPA fentanyl", paid_since="2024-11")
    (said,) = remarks(
        replace(load_scenario("baseline"), policies={"back": {"kind": "duty_refund", **early}})
    )
    assert "pays back no duty from before the run starts in 2025-01" in said
