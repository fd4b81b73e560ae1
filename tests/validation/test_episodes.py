"""Episodes of history as runs: on cases whose answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest

from tariffsim.scenario import load_scenario, replace
from tariffsim.tables import load_history
from tariffsim.validation.episodes import Episodes, Run, pass_through, rows_since
from tariffsim.validation.figures import figures
from tariffsim.validation.hindcast import Months

SMALL = {"agents__makers": 200, "run__end": "2025-06", "trade__tariffs_in_force": False}
TARIFF = {
    "kind": "product_tariff", "rate": {"2025-03": 0.2}, "markets": ["US"],
    "assembly_countries": ["CN"],
}  # fmt: skip


def test_what_makers_rebate_is_not_passed_on_at_the_border() -> None:
    without = replace(load_scenario("baseline"), trade__border_pass_through=0.7, **SMALL)
    counted = pass_through([replace(without, policies={"tariff": TARIFF}), without], 0)
    assert counted[:2].tolist() == [[0, 0, 0]] * 2
    duty, fall, retail = counted[2:].T
    # prices of chips, and so of products, hardly move within four months
    np.testing.assert_allclose(1 - fall / duty, 0.7, atol=1e-3)
    months, share = without.trade.pass_through_months, without.trade.pass_through
    first = share / months  # of the duty, in the first month
    assert retail[0] / duty[0] == pytest.approx(first, abs=1e-3)
    assert (np.diff(retail / duty) > 0).all()


def test_without_a_duty_nothing_is_passed_on() -> None:
    scenario = replace(load_scenario("baseline"), **SMALL)
    assert not pass_through([scenario, scenario], 1).any()


def test_rows_since_a_month() -> None:
    assert rows_since("2017-01", "2018-01", "2018-12") == slice(12, 24)


def made_up_run() -> Run:
    """24 months from 2022 and 12 more, in which US chips of class D get cheaper and sell more."""
    codes = SimpleNamespace(regions=("CN", "US"), markets=("CN", "US"), classes=("A", "C", "D"))
    chips = np.zeros((36, 2, 1, 3, 2))
    chips[:, 0, 0, :, 1] = [7.0, 10.0, 100.0]
    chips[24:, 0, 0, :, 1] = [70.0, 10.0, 150.0]
    price = np.ones((36, 3, 2)) * np.array([9.0, 2.0, 0.1])[:, None]
    price[24:, 2] = 0.05
    none = np.zeros((36, 1))
    months = Months(
        2022 * 12, ("x",), ("CN",), none, none, none, none, codes.classes, 0.5, np.zeros((36, 2))
    )
    months.unmounted[:] = [200.0, 3.0]
    record = SimpleNamespace(sourcing=chips, chip_price=price)
    return Run(record, months, SimpleNamespace(codes=codes))  # type: ignore[arg-type]


def test_prices_and_volumes_of_analog_chips_are_indices_over_classes() -> None:
    episodes = Episodes(0)
    vars(episodes)["with_301"] = made_up_run()
    found = figures_of(episodes, "V18")
    before = 2.0 * 10 + 0.1 * 100
    assert found["V18.1"] == pytest.approx((2.0 * 10 + 0.05 * 100) / before - 1)
    assert found["V18.2"] == pytest.approx((2.0 * 10 + 0.1 * 150) / before - 1)


def test_duty_on_semiconductors_is_that_on_unmounted_chips() -> None:
    episodes = Episodes(0)
    vars(episodes)["with_301"] = made_up_run()
    found = figures_of(episodes, "V27", "334413", since=2022)
    assert found == {name: pytest.approx(0.015) for name in ("V27.13", "V27.14", "V27.15")}


def figures_of(episodes: Episodes, id: str, word: str = "", since: int = 0) -> dict[str, float]:
    from tariffsim.validation.figures import FIGURES

    history = load_history()
    return {
        row.name: FIGURES[id](episodes, row, history)
        for row in history.outcomes_of(id)
        if word in row.case and (not since or int(row.period) >= since)
    }


def test_nobody_reacts_where_asked() -> None:
    """A washer whose plants cannot move leaves China by demand alone."""
    with_reaction, without = (
        figures(load_history(), ["V8"], [0], reacts)["V8.2"][0] for reacts in (True, False)
    )
    assert with_reaction < without - 0.3
