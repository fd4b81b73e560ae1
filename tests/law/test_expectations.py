"""What agents expect of duties that may not come, may not last, or never become law (E19)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tariffsim
from tariffsim.behaviour.front_loading import rise_ahead
from tariffsim.calibration import build_economy
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expected_burden import ExpectedBurden
from tariffsim.month import PHASES
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.strength import both, chance_in, chance_of, neither
from tariffsim.scenario import Scenario
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE, PLANT, SHIFT
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.tables import load_tables
from tariffsim.typing import Float
from tests.economies import STILL, last, scenario

LASTING = {"trade": {"expected_persistence": 0.85}}
RISE = {"kind": "component_tariff", "rate": 0.5, "start": "2025-09", "announced": "2025-02"}
BAN = {"kind": "import_ban", "denied": 1.0, "start": "2025-02", "markets": ["US"]}
THREAT = {
    "kind": "product_tariff", "rate": 0.6, "enacted": False, "belief": 0.3,
    "announced": "2025-03", "withdrawn": "2025-06", "assembly_countries": ["CN"],
}  # fmt: skip


def product(rate: Any, **fields: Any) -> dict[str, Any]:
    """A duty on products from the first month of the run on, unless dated otherwise."""
    start = {} if isinstance(rate, dict) else {"start": "2025-01"}
    measure = {"kind": "product_tariff", "rate": rate} | start | fields
    return {field: value for field, value in measure.items() if value is not None}


def under(*changes: dict[str, Any], makers: int = 60, **policies: dict[str, Any]) -> Scenario:
    return scenario(STILL, *changes, {"policies": policies}, makers=makers)


def at(month: int, *changes: dict[str, Any], **policies: dict[str, Any]) -> Economy:
    """The economy in a month of 2025."""
    return last(under(*changes, **policies), 1, month)


def share_with_law(economy: Economy, kind: int, device: int = 0) -> float:
    """How much of a choice's life agents expect to have any law."""
    futures = economy.policy.expected.of_kind(kind)
    return sum(float(f.weight[kind, device]) for f in futures if f.regime)


def rates_expected(economy: Economy, kind: int = DESIGN) -> dict[str, float]:
    """Mean rate of each law over the life of a choice for the first device."""
    found: dict[str, float] = {}
    for future in economy.policy.expected.of_kind(kind):
        for i, rate in future.regime:
            name = economy.tariff_schedule.laws[i].name
            found[name] = found.get(name, 0.0) + float(future.weight[kind, 0]) * rate
    return found


def state(rules: Scenario, months: int) -> dict[str, np.ndarray]:
    """All arrays of agents after so many months."""
    economy, draws = build_economy(rules, 1), Draws(1)
    for _ in range(months):
        for phase in PHASES:
            phase(economy, draws)
    tables = {"flows": economy.flows, "makers": economy.makers, "foundries": economy.foundries}
    return {
        f"{table}.{name}": values
        for table, rows in tables.items()
        for name, values in vars(rows).items()
        if isinstance(values, np.ndarray)
    }


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


# Duties that may not last


def test_a_shift_sees_nine_tenths_of_a_duty_and_a_plant_less() -> None:
    """At 0.85 a year: three dates of a shift weigh alike, four of others by survival, discount."""
    estimated = {"assembly": {"plant_hazard": Scenario().assembly.plant_hazard}}
    economy = at(1, LASTING, estimated, duty=product(0.25))
    rules, devices = economy.scenario, load_tables().devices
    assert rules.assembly.plant_months == 12
    assert share_with_law(economy, SHIFT) == pytest.approx(0.90, abs=0.005)
    dates = np.array([2, 8, 14])
    assert share_with_law(economy, SHIFT) == pytest.approx((0.85 ** (dates / 12)).mean(), rel=1e-12)
    years = np.arange(4)

    def seen(lead: float, hazard: float) -> float:
        weights = ((1 - hazard) ** 12 / (1 + rules.sourcing.discount_rate)) ** years
        return float((0.85 ** (lead / 12 + years) * weights).sum() / weights.sum())

    plant = share_with_law(economy, PLANT)
    assert plant == pytest.approx(seen(12, rules.assembly.plant_hazard), rel=1e-12)
    # what MODEL 4.2 quotes, at the hazards of the estimates and with dates weighing alike
    assert plant == pytest.approx(0.73, abs=0.005)
    assert (0.85 ** (1 + years)).mean() == pytest.approx(0.68, abs=0.005)
    found = [share_with_law(economy, DESIGN, d) for d in range(len(devices.codes))]
    leads, cycles = (
        devices.numbers(name) for name in ("requalification_months", "design_cycle_months")
    )
    designs = [
        seen(lead, rules.sourcing.opening_factor / cycle)
        for lead, cycle in zip(leads, cycles, strict=True)
    ]
    assert found == pytest.approx(designs, rel=1e-12)
    assert [min(found), max(found)] == pytest.approx([0.61, 0.88], abs=0.005)


@pytest.mark.parametrize("kind", [DESIGN, PIN_COMPATIBLE, SHIFT, PLANT])
@pytest.mark.parametrize("duty", [0.25, 0.5])
def test_what_may_lapse_is_as_if_it_were_not_there(kind: int, duty: float) -> None:
    economy = at(1, LASTING, duty=product(duty))
    (without, with_it) = sorted(economy.policy.expected.of_kind(kind), key=lambda f: len(f.regime))
    assert without.regime == ()
    assert [rate for _, rate in with_it.regime] == [duty]
    np.testing.assert_allclose(without.weight[kind] + with_it.weight[kind], 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("measure", "lasts"),
    [
        (product(0.25), False),
        (product(0.25, end="2040-12", end_known=False), False),
        (product(0.25, end="2040-12"), True),
        (product({"2025-01": 0.25, "2040-01": 0.0}), True),
        (product({"2025-01": 0.25, "2026-01": 0.4}, all_in=True), False),
        (product(0.25, all_in=True, end="2040-12"), True),
        (product(0.25, enacted=False, start=None, announced="2025-01"), True),
        ({"kind": "retaliatory_tariff", "rate": 0.25, "start": "2025-01"}, False),
        (BAN | {"start": "2025-01"}, True),
    ],
    ids=["open", "end not known", "end known", "path to zero", "all-in", "all-in with an end",
         "threat", "retaliation", "ban"],
)  # fmt: skip
def test_only_duties_without_a_known_end_may_lapse(measure: dict[str, Any], lasts: bool) -> None:
    economy = at(1, LASTING, measure=measure)
    found = economy.policy.expected.of_kind(PLANT)
    assert any(not future.regime for future in found) != lasts


def test_base_duties_and_what_a_ruling_ends_do_not_come_back() -> None:
    """A repeal is no duty that may lapse: with it in force nothing is left to be given up."""
    calendar = {"trade": {"tariffs_in_force": True} | LASTING["trade"]}
    ruling = {"kind": "repeal", "share": 1.0, "start": "2025-01"}
    for policies, raised in (({"ruling": ruling}, False), ({}, True)):
        economy = at(1, calendar, **policies)
        laws, futures = economy.tariff_schedule.laws, economy.policy.expected.futures
        rates = [
            rate
            for future in futures
            for i, rate in future.regime
            if laws[i].raises_duty and laws[i].instrument.markets == ("US",)
        ]
        assert any(rate > 0 for rate in rates) == raised
        assert any(rate < 0 for rate in rates) or raised


def test_nobody_without_foresight_doubts_a_duty() -> None:
    blind = {"sourcing": {"foresight": "none"}}
    economy = at(1, LASTING, blind, duty=product(0.25))
    assert [len(future.regime) for future in economy.policy.expected.futures] == [1]


@settings(max_examples=4, deadline=None)
@given(
    persistence=st.floats(0.5, 1.0), kind=st.sampled_from(["product_tariff", "component_tariff"])
)
def test_a_zero_rate_is_the_baseline_whatever_lasts(persistence: float, kind: str) -> None:
    calendar = {"trade": {"tariffs_in_force": True, "expected_persistence": persistence}}
    nothing = {"kind": kind, "rate": 0.0, "start": "2025-03", "announced": "2025-02"}
    assert_same(
        state(under(calendar, makers=40), 8), state(under(calendar, makers=40, duty=nothing), 8)
    )


# Beliefs


@pytest.mark.parametrize("belief", [0.0, 0.3, 1.0])
def test_a_belief_counts_until_the_duty_is_in_force(belief: float) -> None:
    (before, known, in_force) = (
        rates_expected(at(month, duty=RISE | {"belief": belief})) for month in (1, 3, 9)
    )
    assert before == {}
    assert known.get("duty", 0.0) == pytest.approx(0.5 * belief, rel=1e-12)
    assert in_force == {"duty": pytest.approx(0.5, rel=1e-12)}


@pytest.mark.parametrize("market", ["US", "EU"])
def test_those_who_join_are_believed_each_until_they_do(market: str) -> None:
    joint = RISE | {"markets": ["US", "EU"], "joins": {"EU": "2025-11"}, "belief": 0.4}
    months = {"US": 9, "EU": 11}
    for month in (8, 9, 10, 11):
        found = rates_expected(at(month, duty=joint))[f"duty, {market}"]
        share = 1.0 if month >= months[market] else 0.4
        assert found == pytest.approx(0.5 * share, rel=1e-12)


def test_all_in_steps_are_believed_as_one() -> None:
    steps = {"2025-05": 0.2, "2025-09": 0.3}
    levy = product(steps, start=None, all_in=True, announced="2025-02", belief=0.5)
    (early,) = {*rates_expected(at(3, duty=levy)).values()}
    (late,) = {*rates_expected(at(6, duty=levy)).values()}
    assert early == pytest.approx(0.15, rel=1e-12)
    assert late == pytest.approx(0.30, rel=1e-12)


def test_buying_ahead_counts_belief_times_the_rise() -> None:
    (sure, unsure) = (
        rise_ahead(at(8, duty=product(0.5, start="2025-09", announced="2025-02", belief=belief)))
        for belief in (1.0, 0.3)
    )
    assert sure[1].any()
    np.testing.assert_array_equal(sure[0], unsure[0])
    np.testing.assert_allclose(unsure[1], 0.3 * sure[1], rtol=1e-9)
    lasting = at(8, LASTING, duty=product(0.5, start="2025-09", announced="2025-02"))
    np.testing.assert_array_equal(rise_ahead(lasting)[1], sure[1])


def test_who_would_evade_expects_to() -> None:
    """The burden expected of a duty on content is the belief times that of a certain one."""
    full = {"compliance": {"behaviour": "full"}}
    economy = last(under(full, duty=RISE | {"belief": 0.25}), 1, 8)
    burden, flows = ExpectedBurden.of(economy), economy.flows

    def expected(regime: Regime) -> Float:
        who = burden.beliefs(regime, flows.importer, flows.market)
        return burden.on_product(who, economy.shipments(), economy.flow_cells, regime)

    sure = expected(economy.tariff_schedule.regime([0.5]))
    assert (burden.importers.evasion_cost < 0.5).any()
    assert sure.any()
    np.testing.assert_allclose(expected(economy.regime_ahead(1)), 0.25 * sure, rtol=1e-12)


# Threats, and what is withdrawn


def test_a_threat_counts_at_every_date_and_is_never_law() -> None:
    for month, share in ((2, 0.0), (3, 0.3), (5, 0.3), (6, 0.0)):
        economy = at(month, threat=THREAT)
        for kind in (DESIGN, SHIFT, PLANT):
            found = rates_expected(economy, kind).get("threat", 0.0)
            assert found == pytest.approx(0.6 * share, rel=1e-12)
        assert economy.policy.regime == ()
        assert not economy.policy_duty.any()


def test_importers_buy_ahead_of_a_threat() -> None:
    economy = at(4, threat=THREAT)
    left, saved = rise_ahead(economy)
    at_risk = saved > 0
    assert at_risk.any()
    assert (left[at_risk] == 1).all()
    rate = saved[at_risk] / economy.flows.customs_value[at_risk]
    np.testing.assert_allclose(rate, 0.18, rtol=1e-9)


DROPPED = RISE | {"withdrawn": "2025-06"}


@pytest.mark.parametrize("measure", [THREAT, DROPPED], ids=["threat", "withdrawn"])
def test_what_is_withdrawn_leaves_no_duty_behind(measure: dict[str, Any]) -> None:
    """From the month on nothing is due, expected or bought ahead of."""
    for month in (6, 10):
        economy = at(month, measure=measure)
        assert economy.policy.regime == ()
        assert [future.regime for future in economy.policy.expected.futures] == [()]
        assert economy.regime_ahead(1) == economy.regime_of_today() == ()
        assert not economy.flows.new_duty.any()


@pytest.mark.parametrize("measure", [THREAT, DROPPED], ids=["threat", "withdrawn"])
def test_what_nobody_believes_is_nothing(measure: dict[str, Any]) -> None:
    assert_same(state(under(makers=40), 9), state(under(makers=40, m=measure | {"belief": 0.0}), 9))


def test_a_threatened_ban_makes_suppliers_less_wanted() -> None:
    threat = BAN | {"enacted": False, "start": None, "announced": "2025-01", "belief": 0.3}
    economy = at(1, ban=threat)
    limits, codes = economy.policy.limits, economy.constants.codes
    assert limits.supply is None
    cell = codes.cell(0, 0, codes.markets.index("US"))
    assert limits.expected is not None
    expected = limits.expected.by_region[DESIGN, cell, 0]
    assert expected[codes.regions.index("US")] == pytest.approx(0.7, rel=1e-12)
    assert expected[codes.regions.index("TW")] == 1.0


def test_the_duty_command_says_that_a_threat_is_no_law() -> None:
    rules = under(threat=THREAT)
    found = tariffsim.duty(rules, "laptop", "CN", "US", "2025-04")
    (row,) = (row for row in found.product if "threat" in row.law)
    assert row.law == "threat: a threat, never law (belief 0.3)"
    assert (row.rate, row.due) == (0.6, 0.0)
    later = tariffsim.duty(rules, "laptop", "CN", "US", "2025-06")
    assert found.total == later.total
    assert not any("threat" in row.law for row in later.product)
    elsewhere = tariffsim.duty(rules, "laptop", "VN", "US", "2025-04")
    assert not any("threat" in row.law for row in elsewhere.product)


# The instruments themselves


MONTH = 12 * 2025


@given(
    belief=st.floats(0, 1),
    notice=st.integers(0, 24),
    gone=st.none() | st.integers(0, 24),
    now=st.integers(-12, 60),
    ahead=st.integers(0, 36),
)
def test_expected_is_belief_times_what_it_would_be(
    belief: float, notice: int, gone: int | None, now: int, ahead: int
) -> None:
    """By hand: nothing unknown, belief until it starts or is withdrawn, then all or nothing."""
    start, today = MONTH, MONTH + now
    withdrawn = None if gone is None else start - min(gone, notice)
    measure: Instrument = INSTRUMENTS["product_tariff"].model_validate(
        {"kind": "product_tariff", "rate": 0.4, "start": start, "announced": start - notice,
         "belief": belief, "withdrawn": withdrawn}
    )  # fmt: skip
    expected = measure.rate_expected(today + ahead, today, "announced")
    chance = belief
    if today < start - notice or (withdrawn is not None and today >= withdrawn):
        chance = 0.0
    elif today >= start:
        chance = 1.0
    due = 0.4 if today + ahead >= start else 0.0
    assert expected == pytest.approx(chance * due, abs=1e-15)
    in_force = measure.rate_in_force(today)
    assert in_force == (0.4 if now >= 0 and withdrawn is None else 0.0)
    assert measure.rate_expected(today + ahead, today, "none") == in_force


CHANCES = st.lists(st.tuples(st.integers(0, 20), st.floats(0, 1)), max_size=4).map(
    lambda steps: tuple(sorted(dict(steps).items()))
)


@given(one=CHANCES, other=CHANCES, month=st.integers(-2, 24))
def test_chances_multiply_and_add_up(one: Any, other: Any, month: int) -> None:
    a, b = chance_in(one, month), chance_in(other, month)
    assert chance_in(both(one, other), month) == pytest.approx(a * b, abs=1e-15)
    assert chance_in(neither(one), month) == pytest.approx(1 - a, abs=1e-15)


def test_what_is_known_and_starts_at_once_is_certain() -> None:
    assert chance_of(5, 0.3, 5.5, None) == ((5, 1.0),)


def test_a_condition_on_what_never_comes_is_never_met() -> None:
    answer = {"kind": "retaliatory_tariff", "rate": 0.3, "when": "threat in force"}
    assert "answer" not in under(threat=THREAT, answer=answer).dated_policies
    real = RISE | {"withdrawn": None}
    assert "answer" in under(threat=real, answer=answer).dated_policies
