"""The model as Mesa knows it: looking changes nothing, models stay apart, and go away."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
import weakref

import numpy as np
import pytest
from mesa import Agent, DataCollector

from tariffsim.agents import DeviceMaker, Foundry, Importer
from tariffsim.model import TariffModel
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
            maker.cost_stack(maker.classes[0])
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
