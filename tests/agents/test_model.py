"""The model as Mesa knows it: looking changes nothing, models stay apart, and go away."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import subprocess
import sys
import warnings
import weakref

import numpy as np
import pytest
from mesa import Agent, DataCollector, batch_run

from tariffsim.agents import DeviceMaker, Foundry, Importer
from tariffsim.model import REPORTERS, TariffModel
from tariffsim.record.history import History
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import simulate


def units(agent: Agent) -> float | None:
    """An agent reporter: Mesa 3.5 wants every agent to have what a name reports."""
    return agent.units if isinstance(agent, DeviceMaker) else None


@pytest.fixture(scope="module")
def year() -> Scenario:
    """A year of a component tariff that is in force from the start."""
    return replace(load_scenario("component_100"), run__end="2025-12")


def same(left: object, right: object) -> bool:
    """Whether two histories agree to the last bit."""
    if isinstance(left, History):
        return same(vars(left), vars(right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return np.array_equal(left, right) if isinstance(left, np.ndarray) else left == right


def test_model_runs_as_the_simulation(year: Scenario) -> None:
    model = TariffModel(year, seed=5)
    history = model.run_model()
    assert same(history, simulate(year, 5))
    assert not same(history, simulate(year, 6))
    assert (model.date, model.month, model.running) == ("2025-12", 11, False)
    with pytest.raises(RuntimeError, match="the run ended in 2025-12"):
        model.step()


def test_looking_changes_nothing(year: Scenario) -> None:
    model = TariffModel(year, seed=5)
    model.datacollector = DataCollector(
        {"price": lambda m: m.agents_by_type[Foundry].agg("price", np.mean)},
        {"units": units},
    )
    while model.running:
        model.step()
        makers = model.agents_by_type[DeviceMaker].shuffle()
        for maker in makers[:20]:
            maker.cost_stack(maker.parts[0])
            maker.random.random()
        makers.set("seen", model.month)
        model.agents.get("unique_id")
        for kind in model.agent_types:
            model.agents_by_type[kind].table()
    assert same(model.history, simulate(year, 5))


def test_two_models_stay_apart(year: Scenario) -> None:
    one, other = TariffModel(year, seed=1), TariffModel(year, seed=2)
    while one.running:
        one.step()
        one.agents_by_type[Foundry].set("owner", "one")
        other.step()
    assert same(one.history, simulate(year, 1))
    assert same(other.history, simulate(year, 2))
    assert not hasattr(other.agents_by_type[Foundry][0], "owner")


def test_dropped_model_is_freed(year: Scenario) -> None:
    model = TariffModel(year, datacollector=DataCollector({}, {"units": units}))
    model.step()
    model.agents_by_type[DeviceMaker][0].note = "kept by the model"
    model.agents.do(lambda agent: None)
    gone = weakref.ref(model), weakref.ref(model.agents[0].model.economy)
    del model
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_continue_alike(year: Scenario, how: object) -> None:
    assert callable(how)
    model = TariffModel(year, seed=5)
    for _ in range(4):
        model.step()
    model.random.random()
    again = how(model)
    assert again.random.random() == model.random.random()
    assert again.economy is not model.economy
    assert again.agents_by_type[Foundry][0].model is again
    history = again.run_model()
    assert model.month == 3
    assert same(history, model.run_model())
    assert same(history, simulate(year, 5))


def test_data_collector(year: Scenario) -> None:
    collector = DataCollector(
        model_reporters={"date": "date", "makers": lambda m: len(m.agents_by_type[DeviceMaker])},
        agent_reporters={"units": units},
        agenttype_reporters={Importer: {"duty": "duty"}, Foundry: {"price": "price"}},
    )
    model = TariffModel(year, datacollector=collector)
    model.step()
    model.step()
    of_model = collector.get_model_vars_dataframe()
    assert of_model["date"].tolist() == ["2025-01", "2025-02"]
    assert of_model["makers"].tolist() == [1200, 1200]
    of_agents = collector.get_agent_vars_dataframe()
    assert len(of_agents) == 2 * len(model.agents)
    duty = collector.get_agenttype_vars_dataframe(Importer)["duty"]
    n = len(model.economy.importers)
    assert duty.iloc[-n:].tolist() == model.economy.importers.duty.tolist()
    again = copy.deepcopy(model)
    again.step()
    assert len(again.datacollector.get_model_vars_dataframe()) == 3
    assert len(collector.get_model_vars_dataframe()) == 2


@pytest.fixture(scope="module")
def quarter() -> Scenario:
    """Three months of few makers."""
    return replace(load_scenario("baseline"), agents__makers=40, run__end="2025-03")


def small_batch(parameters: dict[str, object], **options: object) -> list[dict[str, object]]:
    return batch_run(TariffModel, parameters, display_progress=False, **options)


def test_a_collector_belongs_to_one_model(quarter: Scenario) -> None:
    """Else a batch reports the first run's numbers for the second."""
    collector = DataCollector({"date": "date"})
    model = TariffModel(quarter, seed=1, datacollector=collector)
    with pytest.raises(ValueError, match="collects for another model: give each model its own"):
        TariffModel(quarter, seed=2, datacollector=collector)
    other = TariffModel(quarter, seed=2)
    with pytest.raises(ValueError, match="collects for another model"):
        other.datacollector = collector
    model.step()
    model.datacollector = collector  # its own
    again = pickle.loads(pickle.dumps(model))
    again.datacollector = again.datacollector
    with pytest.raises(ValueError, match="collects for another model"):
        small_batch({"scenario": [quarter], "seed": [1, 2], "datacollector": [DataCollector({})]})


def test_a_batch_with_seeds_reports_each_run(quarter: Scenario) -> None:
    parameters = {"scenario": [quarter], "seed": [1, 2], "datacollector": [one_collector]}
    rows = small_batch(parameters, data_collection_period=1)
    for seed in (1, 2):
        model = TariffModel(quarter, seed=seed)
        model.run_model()
        expected = model.datacollector.model_vars["duty_paid"]
        assert [row["duty_paid"] for row in rows if row["seed"] == seed] == expected
    assert len({row["duty_paid"] for row in rows}) == len(rows) == 6


def one_collector() -> DataCollector:
    return DataCollector(REPORTERS)


def test_a_plain_batch_runs(quarter: Scenario) -> None:
    (row,) = small_batch({"scenario": [quarter]})
    assert REPORTERS.keys() <= row.keys()
    assert row["date"] == "2025-03"
    assert 0 < row["chips_from_china"] < 1
    again = TariffModel(quarter, seed=row["seed"])
    again.run_model()
    assert row["duty_paid"] == again.datacollector.model_vars["duty_paid"][-1]
    with pytest.raises(TypeError, match="not tuple; in a batch give a list, even of one"):
        small_batch({"scenario": quarter})


def test_iterations_of_a_batch_have_seeds_of_their_own(quarter: Scenario) -> None:
    """Mesa 3.3 gives the runs of `iterations` no seed, Mesa 3.5 gives None to each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of `iterations`, in Mesa 3.5
        rows = small_batch({"scenario": [quarter]}, iterations=3)
    for what in ("seed", "duty_paid"):
        assert len({row[what] for row in rows}) == len(rows) == 3
    assert TariffModel(quarter, seed=None, rng=None).seed != TariffModel(quarter).seed


def test_seeds_under_either_name(quarter: Scenario) -> None:
    assert TariffModel(quarter, rng=7).seed == TariffModel(quarter, seed=np.int64(7)).seed == 7
    assert "seed" not in inspect.signature(TariffModel).parameters  # Mesa 3.5 would write over it
    with pytest.raises(ValueError, match="not both"):
        TariffModel(quarter, seed=1, rng=1)
    for wrong in (1.5, True, -1, np.random.default_rng(1), "1"):
        with pytest.raises(TypeError, match="seed must be a whole number"):
            TariffModel(quarter, seed=wrong)


def test_scenario_of_a_model(year: Scenario) -> None:
    model = TariffModel(year)
    assert model.scenario is year
    with pytest.raises(AttributeError, match="keeps its scenario"):
        model.scenario = year
    assert TariffModel().scenario == load_scenario("baseline")
    with pytest.raises(RuntimeError, match="no month has been simulated"):
        _ = model.history


def test_names_of_mesa_stay_free(year: Scenario) -> None:
    model = TariffModel(year, seed=7)
    with pytest.raises(AttributeError):
        model.agents = []
    assert model.agent_types == [Foundry, DeviceMaker, Importer]
    assert isinstance(model.rng, np.random.Generator)
    n = len(model.agents)
    model.remove_all_agents()
    assert len(model.agents) == n


def test_economics_runs_without_mesa() -> None:
    code = "import sys, tariffsim.simulation; print(sorted({'mesa'} & set(sys.modules)))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
