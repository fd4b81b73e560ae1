"""Cut-offs by origin and share of the chips, and how lines work again after them (MODEL 4.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tariffsim.kernels.inventory import left_after_restart
from tariffsim.policy.chip_cutoff import ChipCutoff
from tariffsim.policy.import_ban import ImportBan
from tariffsim.scenario import load_scenario
from tariffsim.state.economy import Economy
from tests.economies import HELD, NO_STOCKS, STILL, last, run, scenario

EVERYWHERE = ["US", "EU", "JK", "CN", "ROW"]
FAR = {"orders": NO_STOCKS | {"emergency_share": 1.0, "restart_weeks": 0.0}}
"""No stocks, second sources or restart, and nobody leaves a supplier that delivers anything."""


def cut(**fields: Any) -> dict[str, Any]:
    policy = {"kind": "chip_cutoff", "denied": 0.9, "start": "2025-02", "markets": EVERYWHERE}
    return {"policies": {"cut": policy | fields}}


def denied(*changes: dict[str, Any], months: int = 2) -> np.ndarray:
    economy = last(scenario(STILL, FAR, *changes, makers=300), 0, months)
    return np.asarray(economy.makers.most_denied > 0)


def test_all_that_is_asked_for_must_hold() -> None:
    """By packaging and owner: what both find, and nothing else."""
    both = denied(cut(by=["packaging", "owner"]))
    packaging, owner = (denied(cut(by=by)) for by in ("packaging", "owner"))
    np.testing.assert_array_equal(both, packaging & owner)
    assert (packaging & ~owner).any()
    assert (owner & ~packaging).any()
    fab = denied(cut(by=["fab"]))
    np.testing.assert_array_equal(fab, denied(cut()))
    assert (packaging & ~fab).any()
    for rule, alone in (("packaging", packaging), ("owner", owner)):
        np.testing.assert_array_equal(denied(cut(by=["fab", rule])), fab & alone)


def test_a_single_line_has_origins_part_by_part() -> None:
    rules = scenario(STILL, FAR, cut(by="packaging", share=0.9), makers=1)
    for seed in range(3):
        economy = last(rules, seed, 2)
        met = economy.chip_origins.met(("packaging",), ("CN",), 0.9)
        makers = economy.makers
        region = economy.foundries.region[makers.supplier[0]]
        hit = met[0, np.arange(len(region)), region]
        np.testing.assert_array_equal(makers.most_denied[0] > 0, hit & makers.has_slot[0])


def test_a_larger_share_finds_what_a_smaller_finds_and_more() -> None:
    some, more, all_of_them = (denied(cut(share=share)) for share in (0.2, 0.6, 1.0))
    assert not (some & ~more).any()
    assert not (more & ~all_of_them).any()
    assert some.sum() == pytest.approx(0.2 * all_of_them.sum(), rel=0.25)
    assert more.sum() == pytest.approx(0.6 * all_of_them.sum(), rel=0.15)


def test_no_share_is_no_cut_off_to_the_last_bit() -> None:
    plain = last(scenario(makers=150), 0, 6)
    for none in (cut(share=0.0), cut(by="owner", chip_regions=["JP"])):
        zero = {"figures": {"origin_rules": {"JP": {"chinese_if_by_owner": 1.0}}}}
        economy = last(scenario(none, zero, makers=150), 0, 6)
        is_made = plain.makers.is_made  # a row that is not made keeps what was last weighed for it
        np.testing.assert_array_equal(economy.makers.is_made, is_made)
        for column in ("supplier", "stock", "units"):
            ours, others = (getattr(e.makers, column)[is_made] for e in (economy, plain))
            np.testing.assert_array_equal(ours, others)
        np.testing.assert_array_equal(economy.flows.price, plain.flows.price)


def test_an_import_ban_by_owner_reaches_what_chinese_owners_make_abroad() -> None:
    ban = {"kind": "import_ban", "denied": 1.0, "start": "2025-02", "markets": ["US"],
           "chip_regions": ["CN"], "grace_months": 0, "by": "owner"}  # fmt: skip
    economy = last(scenario(STILL, FAR, {"policies": {"ban": ban}}, makers=1200), 0, 2)
    makers = economy.makers
    region = economy.foundries.region[makers.supplier]
    europe = economy.constants.codes.regions.index("EU")
    found = makers.most_denied > 0
    assert (found & (region == europe)).any()
    assert not found[~(makers.weights[:, 0] > 0) & (makers.base_origin != 11)].any()


def test_who_is_hit_looks_elsewhere_and_not_at_what_is_hit_too() -> None:
    """In an emergency a slot takes no supplier whose chips the measure would find as well."""
    rules = scenario(STILL, cut(denied=1.0, by="packaging"), makers=300)
    economy = last(rules, 0, 3)
    makers = economy.makers
    leaves = (makers.most_denied > 0) & (makers.switch_month >= 0) & (makers.line < 300)[:, None]
    line, part = np.nonzero(leaves)
    met = economy.chip_origins.met(("packaging",), ("CN",), 1.0)
    region = economy.foundries.region[makers.next_supplier[line, part]]
    assert len(line) > 20
    hit = met[makers.line[line], part, region]
    assert hit.mean() < 0.05  # those under qualification before the cut-off, which nobody foresaw


@pytest.mark.parametrize("kind", [ChipCutoff, ImportBan])
@pytest.mark.parametrize("by", [[], ["fab", "fab"], ["design"], "assembly", 3])
def test_wrong_rules_are_refused(kind: Any, by: Any) -> None:
    name = {ChipCutoff: "chip_cutoff", ImportBan: "import_ban"}[kind]
    with pytest.raises(ValidationError):
        kind.model_validate({"kind": name, "denied": 1.0, "start": "2025-01", "by": by})


# After a cut-off


@given(st.floats(0, 1), st.floats(0, 60), st.integers(28, 31))
def test_a_line_that_stood_loses_weeks_in_proportion(had: float, weeks: float, days: int) -> None:
    left = float(left_after_restart(np.array(had), weeks, days))
    assert 0 <= left <= 1
    assert left == pytest.approx(1 - min(7 * weeks / days, 1) * (1 - had))
    assert float(left_after_restart(np.array(1.0), weeks, days)) == 1.0


def after(months: int, **orders: Any) -> Iterator[Economy]:
    alone = {"second_source_factor": 0.0, "emergency_share": 1.0, "backlog_share": 0.0}
    held = {"orders": alone | orders}
    law = cut(first_day="2025-03-01", days=61, denied=0.95, node_classes=["D"])
    return run(scenario(STILL, HELD, held, law, makers=200), 0, months)


def test_lines_that_stood_lose_weeks_when_they_start_again() -> None:
    """The month after the cut-off: all have chips, and work for what is left of it."""
    with_restart, without = (
        [(e.makers.chip_coverage.copy(), e.makers.fill_rate.copy()) for e in after(6, **rule)]
        for rule in ({"restart_weeks": 3.0, "resume_months": 1}, {"restart_weeks": 0.0})
    )
    april, may, june = 3, 4, 5
    had = with_restart[april][0]
    stood = had < 0.5
    assert stood.sum() > 10
    assert (with_restart[may][0][stood] > 0.999).all()
    np.testing.assert_allclose(with_restart[may][1], 1 - 21 / 31 * (1 - had), rtol=1e-9)
    assert (with_restart[june][1] > 0.999).all()
    assert (without[may][1] > 0.999).all()
    np.testing.assert_allclose(with_restart[april][0], without[april][0], rtol=0.2, atol=0.05)


def test_nothing_is_restocked_while_deliveries_resume() -> None:
    """Stocks are refilled after so many months, those of other parts at once."""
    for months in (0, 1, 2):
        orders, needs, hit = [], [], []
        for economy in after(9, restart_weeks=0.0, resume_months=months):
            makers = economy.makers
            orders.append(makers.chip_orders.copy())
            needs.append(makers.need.copy())
            hit.append(makers.most_denied > 0)
        slots = hit[3] & (needs[4] > 0) & (makers.supplied_since < 0)
        assert slots.sum() > 50
        last_cut = 3  # April
        for month in range(last_cut + 1, 8):
            more = orders[month][slots] > needs[month][slots] * (1 + 1e-9)
            if month - last_cut <= months:
                assert not more.any()
            elif month - last_cut == months + 1:
                assert more.mean() > 0.9


def test_a_part_month_at_the_end_delivers_that_part_of_the_use() -> None:
    """Orders to restock do not make up for the days before deliveries resume."""
    cover = []
    law = cut(first_day="2025-02-01", days=44, denied=1.0, node_classes=["D"])  # to 16 March
    held = {"orders": {"second_source_factor": 0.0, "emergency_share": 1.0, "stock_factor": 0.1,
                       "restart_weeks": 0.0}}  # fmt: skip
    for economy in run(scenario(STILL, HELD, held, law, makers=400), 0, 4):
        cover.append(economy.makers.chip_coverage.copy())
    kept = (economy.makers.supplied_since < 0).all(axis=1)
    stood = (cover[1] < 0.5) & kept
    assert stood.sum() > 20
    np.testing.assert_allclose(cover[2][stood], 1 - 16 / 31, atol=0.02)


# Scenarios


def test_the_shipped_cut_off_hits_one_part_in_twenty() -> None:
    """Class D parts of cars and auto parts assembled outside China, by units."""
    hits = {}
    for name in ("nexperia_style_cutoff", "nexperia_style_packaging", "nexperia_style_owner"):
        rules = load_scenario(name)
        law = rules.policies["cutoff"]
        found = []
        for seed in range(6):
            economy = next(iter(run(rules, seed, 1)))
            makers, codes = economy.makers, economy.constants.codes
            n = makers.n_lines
            names = np.array(codes.devices)[makers.device[:n]]
            abroad = makers.base_origin[:n] != codes.origins.index("CN")
            cars = np.flatnonzero(np.isin(names, law.devices) & abroad)
            part = np.flatnonzero(makers.slot_class == codes.classes.index("D"))
            met = economy.chip_origins.met(law.origin_rules, law.chip_regions, law.share)
            region = economy.foundries.region[makers.supplier]
            hit = met[cars[:, None], part, region[cars[:, None], part]].mean(axis=1)
            found.append(hit @ makers.units[cars] / makers.units[cars].sum())
        hits[name] = np.mean(found)
    assert hits["nexperia_style_cutoff"] == pytest.approx(0.05, abs=0.006)
    assert hits["nexperia_style_packaging"] > 3 * hits["nexperia_style_cutoff"]
    assert hits["nexperia_style_cutoff"] < hits["nexperia_style_owner"] < 0.075
