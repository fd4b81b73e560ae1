"""What every instrument must keep, found by being registered: a new one is covered by itself."""

from __future__ import annotations

from itertools import permutations
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariffsim.behaviour.front_loading import new_duty_under
from tariffsim.calibration import build_economy
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.shipments import Codes, Shipments
from tariffsim.scenario import Scenario, to_yaml
from tariffsim.state.economy import Economy
from tariffsim.typing import parse_month
from tests.economies import STILL, free_trade, merged, run, scenario

KINDS = sorted(INSTRUMENTS)
START = 2025 * 12
MONTHS = 8
CODES = build_economy(scenario(makers=60), 0).constants.codes


def fields_of(kind: str, strength: Any, **extra: Any) -> dict[str, Any]:
    """The least that makes an instrument: its path, and what has no default."""
    instrument = INSTRUMENTS[kind]
    required = {
        name: example(field.json_schema_extra or {})
        for name, field in instrument.model_fields.items()
        if field.is_required() and name not in ("kind", instrument.path_field)
    }
    return {"kind": kind, instrument.path_field: strength, "start": "2025-01"} | required | extra


def example(schema: Any) -> Any:
    """A value for a field without default, by its unit."""
    codes = {
        "devices": CODES.devices, "origins": CODES.origins, "markets": CODES.markets,
        "foundry_regions": CODES.regions, "node_classes": CODES.classes,
    }  # fmt: skip
    if schema.get("unit") == "names":
        return ["p0"]
    return [codes[schema["table"]][0]] if "table" in schema else 1.0


def variants(kind: str, strength: Any, **extra: Any) -> list[dict[str, Any]]:
    """The instrument as it comes, and with each choice, switch, trigger and scope it has."""
    plain = fields_of(kind, strength, **extra)
    found = [plain]
    for name, field in INSTRUMENTS[kind].model_fields.items():
        if name in plain or name in Instrument.model_fields:
            continue
        schema: Any = field.json_schema_extra or {}
        choices = getattr(field.annotation, "__args__", ())
        if choices[1:] == (...,):
            choices = [[choice] for choice in get_args(choices[0])]
        if schema.get("unit") == "choice":
            found += [plain | {name: choice} for choice in choices if choice != field.default]
        elif isinstance(field.default, bool):
            found.append(plain | {name: not field.default})
        elif schema.get("table") == "foundry_regions":
            found += [plain | {name: ["TW"]}, plain | {name: ["CN", "KR"]}]
        elif schema.get("table") == "node_classes":
            found.append(plain | {name: ["A", "C"]})
        elif isinstance(field.default, float):
            found.append(plain | {name: 0.01})
    return found


def strengths(kind: str) -> list[float]:
    """Two strengths within the bounds."""
    low, high, _ = INSTRUMENTS[kind].bounds()
    return [0.1 * high, 0.2 * low if low < 0 else 0.05 * high]


def made(kind: str, strength: Any, **extra: Any) -> Instrument:
    return INSTRUMENTS[kind].model_validate(fields_of(kind, strength, **extra))


def world(*policies: dict[str, Any], **blocks: Any) -> Scenario:
    named = {f"p{i}": policy for i, policy in enumerate(policies)}
    full = {"compliance": {"behaviour": "full"}}
    return scenario({"policies": named}, full, blocks, makers=150)


def fingerprint(rules: Scenario, months: int = MONTHS) -> list[np.ndarray]:
    """Everything a run of a few months is made of, month by month."""
    kept = []
    for economy in run(rules, 5, months):
        kept += state(economy)
    return kept


def state(economy: Economy) -> list[np.ndarray]:
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    arrays = (
        makers.supplier, makers.next_supplier, flows.origin, flows.next_origin,
        makers.customs_value, flows.price, flows.units, flows.base_duty + flows.new_duty,
        foundries.price, foundries.capacity, foundries.sales, economy.cells.price_index,
        economy.ledger,
    )  # fmt: skip
    return [np.array(a) for a in arrays]


def differ(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return any((a != b).any() for a, b in zip(one, other, strict=True))


@pytest.fixture(scope="module")
def baseline() -> list[np.ndarray]:
    return fingerprint(world())


# Runs


TARIFF = {"kind": "component_tariff", "rate": 0.3, "start": "2025-01"}


@pytest.fixture(scope="module")
def taxed() -> list[np.ndarray]:
    """With a tariff in force, for instruments that answer one."""
    return fingerprint(world(TARIFF))


@pytest.mark.parametrize("kind", KINDS)
def test_it_does_something(kind: str, baseline: list[np.ndarray], taxed: list[np.ndarray]) -> None:
    share_of_all = {"disclosure": 0.9}  # the largest importers know the origin of their chips
    fields = fields_of(kind, share_of_all.get(kind, strengths(kind)[0]))
    alone = differ(fingerprint(world(fields)), baseline)
    assert alone or differ(fingerprint(world(TARIFF, fields)), taxed)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_changes_nothing_to_the_last_bit(
    kind: str, baseline: list[np.ndarray], taxed: list[np.ndarray]
) -> None:
    for fields in variants(kind, 0.0):
        assert not differ(fingerprint(world(fields)), baseline), fields
    assert not differ(fingerprint(world(TARIFF, fields_of(kind, 0.0))), taxed)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_neutral_before_and_after(kind: str, baseline: list[np.ndarray]) -> None:
    strength = strengths(kind)[0]
    later = fields_of(kind, strength, start="2027-01", announced="2026-01")
    assert not differ(fingerprint(world(later)), baseline)
    over = fields_of(kind, strength, start="2020-01", end="2024-12")
    assert not differ(fingerprint(world(over)), baseline)
    unseen = fields_of(kind, strength, start="2025-05", announced="2025-01")
    blind = {"sourcing": {"foresight": "none"}}
    before = fingerprint(world(unseen, **blind), 4)
    assert not differ(before, fingerprint(world(**blind), 4))


def acts(kind: str) -> str:
    """What an instrument acts on: foundries, unmounted chips, or products and markets."""
    instrument, rate = made(kind, strengths(kind)[0]), strengths(kind)[0]
    effects = (
        instrument.price_discount, instrument.capacity_share, instrument.counter_subsidy,
        instrument.capacity_grant, instrument.investment_credit,
    )  # fmt: skip
    if any(effect(rate) for effect in effects):
        return "foundries"
    return "unmounted chips" if instrument.taxes_bare_chips else "products"


NOWHERE: list[dict[str, Any]] = [
    {"markets": []},
    {"assembly_countries": ["CN"], "exempt_assembly_countries": ["CN"]},
]
NO_DEVICE: list[dict[str, Any]] = [
    {"devices": ["smartphone"], "exempt_devices": ["smartphone"]},
    {"devices": []},
]
EMPTY_SCOPES = [
    (kind, scope)
    for kind in KINDS
    for scope in {"foundries": [], "unmounted chips": NOWHERE, "products": NOWHERE + NO_DEVICE}[
        acts(kind)
    ]
]


@pytest.mark.parametrize(("kind", "scope"), EMPTY_SCOPES)
def test_empty_scope_changes_nothing_to_the_last_bit(
    kind: str, scope: dict[str, Any], baseline: list[np.ndarray]
) -> None:
    fields = fields_of(kind, strengths(kind)[0]) | scope
    assert not differ(fingerprint(world(fields)), baseline)


def test_order_does_not_matter() -> None:
    """All instruments together, in three orders; sums in another order differ by rounding."""
    policies = [(f"p{i}", fields_of(kind, strengths(kind)[-1])) for i, kind in enumerate(KINDS)]
    orders = [policies, policies[::-1], policies[1::2] + policies[::2]]
    full = {"compliance": {"behaviour": "full"}}
    one, *others = (
        fingerprint(scenario({"policies": dict(order)}, full, makers=150)) for order in orders
    )
    for other in others:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-3)  # of millions of USD


# Duties of shipments


def sample(rows: int, seed: int = 0, scale: float = 1.0) -> Shipments:
    """Shipments with parts of every region and class, some empty, some from home.

    The customs value is above that of the chips inside, as makers' prices are.
    """
    rng = np.random.default_rng(seed)
    chip_value = scale * rng.uniform(0, 20, (rows, 4)) * (rng.random((rows, 4)) < 0.8)
    arrays = {
        "customs_value": scale * rng.uniform(1, 500, rows) + chip_value.sum(axis=1),
        "crosses_border": rng.random(rows) < 0.8,
        "chip_value": chip_value,
        "chip_count": scale * rng.uniform(0, 30, (rows, 4)),
        "chip_origin": rng.integers(0, len(CODES.regions), (rows, 4)),
        "chip_class": np.arange(4),
    }
    for array in arrays.values():
        array.setflags(write=False)
    return Shipments(CODES, **arrays)


@pytest.mark.parametrize("kind", [k for k in KINDS if made(k, 0.1).duty(sample(9), 0.1).any()])
def test_same_group_counts_once(kind: str) -> None:
    """The same duty twice in one stacking group is the duty once."""
    one = fields_of(kind, strengths(kind)[0], stacking_group="g")
    for a, b in zip(fingerprint(world(one)), fingerprint(world(one, one)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-3)


ALL = [(kind, i) for kind in KINDS for i in range(len(variants(kind, 0.1)))]


def instrument_of(kind: str, variant: int, strength: float) -> Instrument:
    return INSTRUMENTS[kind].model_validate(variants(kind, strength)[variant])


@pytest.mark.parametrize(("kind", "variant"), ALL)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**20), rate=st.floats(1e-6, 5), factor=st.floats(1e-6, 1e6))
def test_duties_are_finite_and_linear(
    kind: str, variant: int, seed: int, rate: float, factor: float
) -> None:
    instrument = instrument_of(kind, variant, 0.1)
    rate = min(rate, instrument.bounds()[1])
    shipments = sample(7, seed)
    duty = np.broadcast_to(instrument.duty(shipments, rate), 7)
    assert np.isfinite(duty).all()
    assert (duty >= 0).all()
    assert (np.asarray(instrument.duty(shipments, 0.0)) == 0).all()
    # linear in the rate
    np.testing.assert_allclose(instrument.duty(shipments, 0.5 * rate), 0.5 * duty, rtol=1e-9)
    # linear in value and count: compiled tables of duties on one dollar and one chip rely on it
    scaled = np.broadcast_to(instrument.duty(sample(7, seed, factor), rate), 7)
    np.testing.assert_allclose(scaled, factor * duty, rtol=1e-9)
    assert np.shape(instrument.is_triggered(shipments)) in ((), (7,))


@pytest.mark.parametrize(("kind", "variant"), ALL)
@given(seed=st.integers(0, 2**20))
@settings(max_examples=25)
def test_separable_duties_are_sums_over_parts(kind: str, variant: int, seed: int) -> None:
    """The duty on a product is that on its value without chips, and on each chip without value."""
    instrument = instrument_of(kind, variant, 0.1)
    if not instrument.is_separable:
        return
    whole = sample(5, seed)
    assert instrument.is_triggered(whole) is True
    none = np.zeros((5, 4))
    bare = Shipments(
        CODES, whole.customs_value, whole.crosses_border, none, none, whole.chip_origin,
        whole.chip_class,
    )  # fmt: skip
    total = instrument.duty(bare, 0.3) + np.zeros(5)
    for part in range(4):
        only = np.arange(4) == part
        alone = Shipments(
            CODES, 0 * whole.customs_value, whole.crosses_border, whole.chip_value * only,
            whole.chip_count * only, whole.chip_origin, whole.chip_class,
        )  # fmt: skip
        total = total + instrument.duty(alone, 0.3)
    np.testing.assert_allclose(instrument.duty(whole, 0.3), total, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("kind", "variant"), ALL)
@given(seed=st.integers(0, 2**20), rate=st.floats(1e-6, 5))
@settings(max_examples=10)
def test_declared_duties_are_sums_over_what_is_declared(
    kind: str, variant: int, seed: int, rate: float
) -> None:
    """Parts sum to the duty, are on a value that can be hidden, and what nobody knows is linear."""
    instrument, shipments = instrument_of(kind, variant, 0.1), sample(6, seed)
    rate = min(rate, instrument.bounds()[1])
    parts = np.asarray(instrument.part_duties(shipments, rate))
    values = np.broadcast_to(instrument.part_values(shipments), parts.shape)
    duty = np.broadcast_to(instrument.duty(shipments, rate), 6)
    np.testing.assert_allclose(np.broadcast_to(parts.sum(axis=-1), 6), duty, rtol=1e-12)
    assert (values >= 0).all()
    unknown = np.broadcast_to(instrument.unknown_duty(shipments, rate), 6)
    assert np.isfinite(unknown).all()
    assert (unknown >= 0).all()
    half = instrument.unknown_duty(sample(6, seed, 0.5), rate / 2)
    np.testing.assert_allclose(np.broadcast_to(half, 6), unknown / 4, rtol=1e-12)
    assert np.shape(instrument.is_triggered_unknown(shipments)) in ((), (6,))


@pytest.mark.parametrize(("kind", "variant"), ALL)
def test_triggers_need_chips_they_cover(kind: str, variant: int) -> None:
    instrument = instrument_of(kind, variant, 0.1)
    if instrument.is_separable:
        return
    shipments = sample(400)
    covered = np.broadcast_to(instrument.covers(shipments), (400, 4))
    has = (covered & (shipments.chip_count > 0)).any(axis=1)
    pulled = np.broadcast_to(instrument.is_triggered(shipments), 400)
    assert not (pulled & ~has).any()
    assert pulled.any()
    assert not pulled.all()


@pytest.mark.parametrize("kind", KINDS)
def test_other_effects_are_neutral_at_zero(kind: str) -> None:
    instrument = made(kind, 0.0)
    assert instrument.price_discount(0.0) == 0
    assert instrument.capacity_share(0.0) == 0
    assert instrument.preference(0.0) == 0
    assert instrument.capacity_grant(0.0) == 0
    assert instrument.granted_investment(0.0) == 0
    assert instrument.investment_credit(0.0) == 0
    assert instrument.tracing_share(0.0) == 0
    assert instrument.refund("p0", START, 0.0) == 0
    assert instrument.enforcement(0.0) == (0, 0, 0)
    assert all(factor == 1 for factor in instrument.demand_factors(0.0).values())
    assert instrument.supply_share(0.0, START) == 1
    assert instrument.candidate_share(0.0) == 1
    assert set(instrument.demand_factors(0.1)) <= {"units", "chips"}
    for strength in strengths(kind):
        assert all(factor > 0 for factor in instrument.demand_factors(strength).values())
        shares = instrument.supply_share(strength, START + 24), instrument.candidate_share(strength)
        assert all(0 <= share <= 1 for share in shares)
        assert instrument.restricts_supply == (min(shares) < 1 and strength > 0)


# Dates


@given(
    st.sampled_from(KINDS), st.integers(-30, 60), st.integers(0, 60), st.integers(0, 40),
    st.integers(-40, 100), st.integers(-40, 100), st.booleans(),
)  # fmt: skip
def test_dates(
    kind: str, start: int, length: int, notice: int, month: int, now: int, end_known: bool
) -> None:
    first, strength = START + start, strengths(kind)[0]
    instrument = made(
        kind, strength, start=first, end=first + length, announced=first - notice,
        end_known=end_known,
    )  # fmt: skip
    at, today = START + month, START + now
    in_force = first <= at <= first + length
    assert instrument.rate_in_force(at) == (strength if in_force else 0.0)
    expected = instrument.rate_expected(at, today, "announced")
    assert expected in (0.0, strength)
    if today < first - notice:
        assert expected == 0
    elif at <= first + length or end_known or today > first + length:
        assert expected == instrument.rate_in_force(at)
    else:
        assert expected == strength  # nobody knows that it ends
    assert instrument.rate_expected(at, today, "none") == instrument.rate_in_force(today)


@pytest.mark.parametrize("end_known", [True, False])
def test_nobody_counts_the_days_of_a_cutoff_whose_end_is_not_known(end_known: bool) -> None:
    """Ten days of April are the last: until then they may be any."""
    cut = made("chip_cutoff", 1.0, first_day="2025-03-01", days=41, end_known=end_known)
    first = parse_month("2025-03")
    later = [cut.rate_expected(first + n, first, "announced") for n in range(4)]
    assert later == ([1.0, 1 / 3, 0.0, 0.0] if end_known else [1.0] * 4)
    assert cut.rate_expected(first + 3, first + 2, "announced") == 0.0
    assert cut.last_month == first + 1


# Expectations


HELD: dict[str, Any] = merged(
    STILL,
    {
        "sourcing": {"opening_factor": 1e-9},
        "trade": {"order_adjustment": 1e-9, "front_loading_months": 0.0},
        "orders": {"stock_factor": 0.0},
    },
)
"""A constant world in which nothing reacts, and importers know and are honest."""


def assert_what_is_expected_is_charged(fields: dict[str, Any]) -> None:
    """Mean duty over twelve months, as agents expect it in the first and as customs charges it."""
    expected = charged = 0.0
    for economy in run(scenario(HELD, {"policies": {"p": fields}}, makers=150), 2, 12):
        flows = economy.flows
        charged += float(flows.new_duty @ flows.base_units) + bare_duty(economy, 0)
        if economy.month == 0:
            for months in range(12):
                new = new_duty_under(economy, economy.regime_ahead(months))
                expected += float(new @ flows.base_units) + bare_duty(economy, months)
    assert expected == pytest.approx(charged, rel=1e-6, abs=1e-3), fields


def bare_duty(economy: Economy, months: int) -> float:
    """USD on unmounted chips that enter a month, under the regime expected then."""
    tables = economy.tariff_schedule.tables(economy.regime_ahead(months))
    return float(sum((rate * economy.chips_entered).sum() for rate in tables.bare_by_law.values()))


@pytest.mark.parametrize("kind", KINDS)
def test_mean_duty_expected_over_a_year_is_the_mean_charged(kind: str) -> None:
    fields = fields_of(kind, strengths(kind)[0])
    assert_what_is_expected_is_charged(fields)
    sizes = [name for name, value in fields.items() if value == 1.0 and name != "kind"]
    for name in sizes if made(kind, 0.1).has_memory else []:
        for size in (1e5, 2e8, 1e12):  # used up at once, within the year, and never
            assert_what_is_expected_is_charged(fields | {name: size})


def test_the_contract_fails_where_makers_expect_what_nobody_pays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quota = fields_of("tariff_rate_quota", 0.5, quota=1e12, in_quota_rate=0.05)
    assert_what_is_expected_is_charged(quota)
    real = INSTRUMENTS["tariff_rate_quota"].rate_given

    def forgets(self: Any, rate: float, imports_to_date: float, imports: float) -> float:
        """What makers ask about, a whole year, is answered with the rate above the quota."""
        is_a_year = imports > annual / 2
        return rate if is_a_year else real(self, rate, imports_to_date, imports)

    (economy,) = run(scenario(HELD, {"policies": {"p": quota}}, makers=150), 2, 1)
    annual = economy.imports.annual[0]
    monkeypatch.setattr(INSTRUMENTS["tariff_rate_quota"], "rate_given", forgets)
    with pytest.raises(AssertionError):  # a law of its own, as what is expected is kept by law
        assert_what_is_expected_is_charged(quota | {"quota": 2e12})


# Documentation and files


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_unit_and_a_sentence(kind: str) -> None:
    instrument = INSTRUMENTS[kind]
    assert instrument.__doc__
    assert instrument.path_field in instrument.model_fields
    for name, field in instrument.model_fields.items():
        if name == "kind":
            continue
        schema: Any = field.json_schema_extra
        assert schema["unit"], name
        assert field.description, name
        assert field.description[0].isupper(), name
        assert field.description.endswith("."), name


@pytest.mark.parametrize("kind", KINDS)
def test_yaml_round_trip(kind: str, tmp_path: Any) -> None:
    from tariffsim.scenario import load_scenario

    dated = {"2025-01": strengths(kind)[0], "2026-07": strengths(kind)[1]}
    policies = {
        f"p{i}": fields | {"start": "2025-03", "end": "2028-12", "announced": "2024-06"}
        for i, fields in enumerate(variants(kind, dated), start=1)
    } | {"p0": TARIFF}
    rules = Scenario.model_validate({"policies": policies})
    file = tmp_path / "round.yaml"
    file.write_text(to_yaml(rules))
    again = load_scenario(file)
    assert again.policies == rules.policies
    assert again.content_hash == rules.content_hash


def test_kinds_name_their_files() -> None:
    for kind, instrument in INSTRUMENTS.items():
        assert instrument.__module__ == f"tariffsim.policy.{kind}"
    assert list(permutations(KINDS, 1))  # there are instruments


def test_zero_duty_world_has_no_duties() -> None:
    """The world of other tests without base duties really is without."""
    rules = scenario({"trade": {"tariffs_in_force": False}}, free_trade(), makers=60)
    economy = build_economy(rules, 0)
    assert not economy.tariff_schedule.base_product.any()
    assert not economy.tariff_schedule.base_bare.any()
    assert isinstance(economy.constants.codes, Codes)
