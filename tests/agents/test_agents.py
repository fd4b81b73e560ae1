"""Agents as windows on rows, and populations of them as Mesa's AgentSet."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from mesa import Agent, Model
from mesa.agent import AgentSet

from tariffsim.agents import DeviceMaker, Foundry, Importer, Population
from tariffsim.model import TariffModel
from tests.economies import odds_of_candidates


@pytest.fixture(scope="module")
def model() -> TariffModel:
    """Seven months, to the announcement of a component tariff; tests only look at it."""
    made = TariffModel("component_50", seed=3)
    while made.month < 6:
        made.step()
    return made


@pytest.fixture
def makers(model: TariffModel) -> Population:
    return model.agents_by_type[DeviceMaker]


class PlainMaker(Agent):
    """An ordinary Mesa agent with the same values."""

    def __init__(self, model: Model, device: str, units: float, china_share: float) -> None:
        super().__init__(model)
        self.device, self.units, self.china_share = device, units, china_share


@pytest.fixture
def plain(makers: Population) -> AgentSet:
    """What Mesa itself makes of the same makers."""
    owner = Model(rng=3)
    for values in makers.get(["device", "units", "china_share"]):
        PlainMaker(owner, *values)
    return owner.agents


# Agents


def test_agents_read_their_row(model: TariffModel) -> None:
    economy = model.economy
    foundry = model.agents_by_type[Foundry][7]
    assert isinstance(foundry, Agent)
    assert foundry.name == economy.foundries.name[7]
    assert foundry.region == economy.constants.codes.regions[economy.foundries.region[7]]
    assert foundry.capacity == economy.foundries.capacity[7].sum()
    assert foundry.by_class("price")["C"] == economy.foundries.price[7, 2]
    low, high = economy.foundries.price[7].min(), economy.foundries.price[7].max()
    assert low < foundry.price < high
    importer = model.agents_by_type[Importer][5]
    assert importer.duty == economy.importers.duty[5]
    maker = model.agents_by_type[DeviceMaker][11]
    assert maker.units == economy.makers.units[11]
    assert {type(maker.units), type(maker.device), type(foundry.is_chinese)} == {float, str, bool}


def test_shares_add_up(model: TariffModel, makers: Population) -> None:
    assert model.agents_by_type[Foundry].agg("market_share", sum) == pytest.approx(1.0)
    chips = makers.table("chips", "units", "china_share").prod(axis=1).sum()
    is_cn = model.economy.foundries.is_chinese[model.economy.makers.supplier]
    expected = (model.economy.makers.chips * is_cn).sum(axis=1) @ model.economy.makers.units
    assert chips == pytest.approx(expected)


def test_suppliers_and_customers_agree(model: TariffModel) -> None:
    for foundry in model.agents_by_type[Foundry].select(region=["CN", "TW"]):
        assert all(foundry.name in maker.suppliers.values() for maker in foundry.customers)
    n_slots = sum(len(m.parts) for m in model.agents_by_type[DeviceMaker])
    lines = model.economy.makers
    assert n_slots == lines.has_slot[: lines.n_lines].sum()


def test_lines_and_importers_agree(model: TariffModel) -> None:
    importer = model.agents_by_type[Importer][0]
    assert len(importer.lines)
    assert set(importer.lines.get("device")) == {importer.device}
    assert all(importer in maker.importers for maker in importer.lines)


def test_cost_stack_is_the_choice_of_the_model(model: TariffModel, makers: Population) -> None:
    from tariffsim.kernels.sourcing import draw_choice, with_inertia

    some = makers.select(market="US", china_share=lambda share: share > 0.2)
    stacks = ((maker, maker.parts[-1], maker.cost_stack(maker.parts[-1])) for maker in some)
    maker, name, stack = next(
        of for of in stacks if of[2]["in_place"].equals(of[2]["supplies_now"])
    )
    assert stack["probability"].sum() == pytest.approx(1.0)
    assert (stack["price"] + stack["expected_duty"] + stack["switching_cost"]).to_numpy() == (
        pytest.approx(stack["total"].to_numpy())
    )
    assert stack.index[stack["supplies_now"]].tolist() == [maker.suppliers[name]]
    k = model.economy.constants.part_names.index(name)
    rows, n = (np.array([maker.row]), np.array([k])), 20_000
    weights = odds_of_candidates(model.economy, *rows)
    incumbent = model.economy.makers.supplier[rows]
    weights = with_inertia(weights, incumbent, model.economy.makers.inertia[rows])
    noise = np.random.default_rng(1).standard_exponential((n, weights.shape[1]))
    chosen = np.bincount(draw_choice(weights, noise), minlength=weights.shape[1]) / n
    names = model.economy.foundries.name
    drawn = np.array([chosen[names.index(name)] for name in stack.index])
    assert np.abs(drawn - stack["probability"].to_numpy()).max() < 5 * 0.5 / np.sqrt(n)


def test_component_tariff_shows_in_the_cost_stack(makers: Population) -> None:
    due = []
    for line in makers.select(market="US", origin="VN"):
        if all(buyer.knows_origin for buyer in line.importers):
            stack = line.cost_stack(line.parts[0]).groupby("region")[["expected_duty", "price"]]
            rate = stack.mean()["expected_duty"] / stack.mean()["price"]
            others = rate.drop("CN")  # duties on the product fall on all chips alike
            assert np.ptp(others) < 1e-12
            assert rate["CN"] >= others.max()
            due.append(rate["CN"] - others.max())
    assert max(due) > 0.3  # some evade


def test_switching_cost_rebuilds_inertia(model: TariffModel, makers: Population) -> None:
    maker = makers[40]
    sigma = model.scenario.sourcing.elasticity
    for name, cost in maker.switching_cost.items():
        k = model.economy.constants.part_names.index(name)
        assert (1 + cost) ** sigma == pytest.approx(model.economy.makers.inertia[maker.row, k])


def test_what_is_coming_arrives() -> None:
    model = TariffModel("component_100", seed=1)
    model.step()
    waiting = [m for m in model.agents_by_type[DeviceMaker] if m.coming]
    maker = min(waiting, key=lambda m: min(month for _, month in m.coming.values()))
    node_class, (foundry, month) = min(maker.coming.items(), key=lambda item: item[1][1])
    assert maker.suppliers[node_class] != foundry
    while model.date < month:
        assert maker.suppliers[node_class] != foundry
        model.step()
    assert maker.suppliers[node_class] == foundry


def test_unknown_part_is_refused(makers: Population) -> None:
    with pytest.raises(KeyError, match="has no part 'Z'"):
        makers[0].cost_stack("Z")


def test_no_choice_before_the_first_month() -> None:
    maker = TariffModel().agents_by_type[DeviceMaker][0]
    with pytest.raises(RuntimeError, match="no month has been simulated"):
        maker.cost_stack(maker.parts[0])


def test_two_looks_are_equal(model: TariffModel, makers: Population) -> None:
    assert makers[4] == makers[4]
    assert makers[4] != makers[5]
    assert makers[0] != model.agents_by_type[Foundry][0]
    assert len({makers[4], makers[4], makers[5]}) == 2
    assert makers[4] != TariffModel().agents_by_type[DeviceMaker][4]


def test_state_cannot_be_set(makers: Population) -> None:
    with pytest.raises(AttributeError, match="units cannot be set"):
        makers[0].units = 5.0
    with pytest.raises(AttributeError):
        makers[0].suppliers = {}
    with pytest.raises(AttributeError, match="units cannot be set"):
        makers.set("units", 5.0)


def test_attributes_of_your_own_stay() -> None:
    model = TariffModel()
    model.agents_by_type[DeviceMaker][9].note = "look again"
    assert model.agents_by_type[DeviceMaker][9].note == "look again"
    assert model.agents[29 + 9].note == "look again"
    assert not hasattr(model.agents_by_type[DeviceMaker][8], "note")
    noted = model.agents_by_type[DeviceMaker].get("note", "default", "")
    assert [i for i, note in enumerate(noted) if note] == [9]
    model.agents_by_type[Foundry].set("colour", "red")
    assert set(model.agents_by_type[Foundry].get("colour")) == {"red"}
    again = pickle.loads(pickle.dumps(model))
    assert again.agents_by_type[DeviceMaker][9].note == "look again"
    assert again.agents_by_type[DeviceMaker][9].model is again


def test_agents_cannot_come_and_go(model: TariffModel) -> None:
    with pytest.raises(TypeError, match="number in the scenario"):
        model.agents[0].remove()
    with pytest.raises(TypeError, match="number in the scenario"):
        PlainMaker(model, "drone", 1.0, 0.0)


def test_every_column_has_unit_and_meaning() -> None:
    for kind in (Foundry, DeviceMaker, Importer):
        described = kind.describe()
        assert described.map(bool).all(axis=None)
        assert kind.columns()[described.index[0]].__doc__ is not None


# Populations, compared with Mesa's own


def test_population_is_an_agent_set(makers: Population, plain: AgentSet) -> None:
    assert isinstance(makers, AgentSet)
    assert len(makers) == len(plain) == 1200
    assert [agent.units for agent in makers] == [agent.units for agent in plain]
    assert makers[-1].unique_id == 29 + 1200
    assert [agent.row for agent in makers[10:13]] == [10, 11, 12]
    assert makers[3] in makers
    assert "a word" not in makers
    with pytest.raises(IndexError):
        makers[1200]


def test_get_and_agg(makers: Population, plain: AgentSet) -> None:
    assert makers.get("units") == plain.get("units")
    assert makers.get(["device", "units"]) == plain.get(["device", "units"])
    assert makers.agg("units", max) == plain.agg("units", max)
    assert makers.agg("units", [min, sum]) == pytest.approx(plain.agg("units", [min, sum]))
    assert makers.agg("device", min) == plain.agg("device", min)
    assert makers.agg("units", np.median) == plain.agg("units", np.median)
    assert makers.agg("parts", len) == 1200
    with pytest.raises(AttributeError):
        makers.get("colour")
    with pytest.raises(ValueError, match="handle_missing"):
        makers.get("units", "ignore")
    assert makers.get("colour", "default", 0) == [0] * 1200


def test_select(model: TariffModel, makers: Population, plain: AgentSet) -> None:
    def large(agent: Agent) -> bool:
        return agent.device == "drone" and agent.units > 1000

    rows = [agent.row for agent in makers.select(large)]
    assert rows == [agent.unique_id - 1 for agent in plain.select(large)]
    assert rows == [a.row for a in makers.select(device="drone", units=lambda u: u > 1000)]
    assert len(makers.select(large, at_most=3)) == min(3, len(rows))
    assert len(makers.select(at_most=0.1)) == 120
    assert makers.select(device=["drone", "laptop"]).groupby("device").count().keys() == {
        "drone",
        "laptop",
    }
    assert len(makers.select(device="no such thing")) == 0
    whole = len(model.economy.constants.part_names)
    assert len(makers.select(parts=lambda all_of: [len(p) == whole for p in all_of])) > 0


def test_select_in_place_changes_only_this_population(model: TariffModel) -> None:
    mine = model.agents_by_type[DeviceMaker]
    assert mine.select(device="drone", inplace=True) is mine
    assert len(mine) < 1200 == len(model.agents_by_type[DeviceMaker])


@pytest.mark.parametrize("ascending", [True, False])
def test_sort(makers: Population, plain: AgentSet, ascending: bool) -> None:
    for key in ("units", "china_share", "device"):
        expected = [agent.unique_id - 1 for agent in plain.sort(key, ascending)]
        assert [agent.row for agent in makers.sort(key, ascending)] == expected
    expected = [agent.unique_id - 1 for agent in plain.sort(lambda a: -a.units, ascending)]
    assert [agent.row for agent in makers.sort(lambda a: -a.units, ascending)] == expected


def test_groupby(makers: Population, plain: AgentSet) -> None:
    assert list(makers.groupby("device").count().items()) == list(
        plain.groupby("device").count().items()
    )
    expected = plain.groupby("device").agg("units", sum)
    assert makers.groupby("device").agg("units", sum) == pytest.approx(expected)
    halves = makers.groupby(lambda agent: agent.units > 1e5)
    assert sum(halves.map(len).values()) == 1200
    lists = makers.groupby("device", result_type="list")
    assert isinstance(dict(lists)["drone"], list)
    assert lists.agg("units", sum) == pytest.approx(expected)
    assert makers.groupby("is_requalifying").count().keys() == {False, True}
    assert makers.select(device="no such thing").groupby("device").count() == {}


def test_do_and_map(makers: Population) -> None:
    seen: list[int] = []
    assert makers.do(lambda agent, most: seen.append(agent.row), most=3) is makers
    assert seen == list(range(1200))
    assert makers.map(lambda agent: agent.row) == seen
    foundries = makers.model.agents_by_type[Foundry]
    assert foundries.map("by_class", "price")[0] == foundries[0].by_class("price")
    foundries.do("step")
    seen.clear()
    makers.shuffle_do(lambda agent: seen.append(agent.row))
    assert sorted(seen) == list(range(1200)) != seen


def test_shuffle(makers: Population) -> None:
    shuffled = makers.shuffle()
    assert shuffled.get("units") != makers.get("units")
    assert sorted(shuffled.get("units")) == sorted(makers.get("units"))
    own = copy.copy(makers)
    assert own.shuffle(inplace=True) is own
    assert makers.ids.tolist() == sorted(makers.ids)


def test_set_operations(makers: Population) -> None:
    drones, home = makers.select(device="drone"), makers.select(origin="CN")
    both = drones & home
    assert isinstance(both, Population)
    assert len(drones | home) == len(drones) + len(home) - len(both)
    assert len(drones - home) == len(drones) - len(both)
    assert both == makers.select(device="drone", origin="CN")
    assert both != drones
    assert len(drones - drones) == 0
    first = drones[0]
    drones.discard(first)
    drones.discard(first)
    assert first not in drones
    with pytest.raises(KeyError):
        drones.remove(first)
    drones.add(first)
    drones.add(first)
    assert drones[-1] == first
    with pytest.raises(ValueError, match="different models"):
        drones | TariffModel().agents_by_type[DeviceMaker]


def test_everyone(model: TariffModel) -> None:
    everyone = model.agents
    assert [type(agent) for agent in everyone[28:30]] == [Foundry, DeviceMaker]
    assert everyone.get("unique_id") == list(range(1, len(everyone) + 1))
    assert len(everyone.select(agent_type=Importer).table()) == len(model.economy.importers)
    assert len(everyone.select(agent_type=Agent)) == len(everyone)
    assert sum(everyone.groupby(type).count().values()) == len(everyone)
    mixed = everyone.shuffle().sort("unique_id", ascending=True)
    assert list(mixed) == list(everyone)
    with pytest.raises(TypeError, match="agents_by_type"):
        everyone.table()


def test_table(makers: Population) -> None:
    table = makers.select(device="drone").table("units", "market")
    assert table.columns.tolist() == ["units", "market"]
    assert table.index.tolist() == [agent.unique_id for agent in makers.select(device="drone")]
    assert list(makers.table()) == list(DeviceMaker.columns())
    with pytest.raises(KeyError, match="no column 'unit'"):
        makers.table("unit")


def test_populations_are_copied_and_pickled(makers: Population) -> None:
    for again in (copy.copy(makers), pickle.loads(pickle.dumps(makers)), copy.deepcopy(makers)):
        assert again.get("units") == makers.get("units")
        again.select(device="drone", inplace=True)
        assert len(makers) == 1200
    agent = copy.deepcopy(makers[5])
    assert agent.units == makers[5].units
    assert agent.model is not makers.model


def test_text_of_agents_and_populations(model: TariffModel, makers: Population) -> None:
    assert repr(model.agents_by_type[Foundry][0]) == "Foundry(CN1)"
    assert repr(makers[0]).startswith("DeviceMaker(0, ")
    assert repr(makers) == "Population(1200 x DeviceMaker)"
    assert repr(model.agents).endswith(" x agents)")
