"""What the model says of lines with a version of their own for some markets."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.agents.kinds import DeviceMaker
from tariffsim.cli.explain_maker import _maker
from tariffsim.explain import Explanation, explain_maker
from tariffsim.model import TariffModel
from tariffsim.state.draws import Draws
from tests.economies import COMPLIANT, component, each_device, scenario

CASE = scenario(
    COMPLIANT,
    {"figures": {"devices": each_device(design_cycle_months=4, requalification_months=2)}},
    {"sourcing": {"version_overhead": 0.001}},
    component(0.5),
    makers=700,
)


@pytest.fixture(scope="module")
def model() -> TariffModel:
    found = TariffModel(CASE, seed=0)
    for _ in range(8):
        found.step()
    return found


def explained(model: TariffModel, line: int) -> Explanation:
    return explain_maker(model.economy, Draws(0), line, 0)


def test_a_split_line_is_explained_version_by_version(model: TariffModel) -> None:
    economy = model.economy
    makers, name = economy.makers, economy.foundries.name
    lines = np.flatnonzero(makers.is_split[: makers.n_lines])
    assert len(lines) > 1
    for line in lines[:3].tolist():
        found = explained(model, line)
        common, own = found.versions
        assert own.markets == ("US",)
        assert {*common.markets, *own.markets} == set(found.markets)
        assert sum(found.markets.values()) == pytest.approx(1)
        assert common.share + own.share == pytest.approx(1)
        assert own.share == pytest.approx(found.markets["US"])
        assert found.split is not None
        assert found.split.is_split
        assert found.split.apart == ("US",)
        assert found.split.gain > found.split.overhead > 0
        for version, slots in ((common, found.slots), (own, found.own_slots)):
            supplier = makers.supplier[version.row][makers.has_slot[version.row]]
            assert [slot.supplier for slot in slots] == [name[f] for f in supplier]
        assert found.units == pytest.approx(economy.flows.units[economy.flows.line == line].sum())
        said = _maker(found).replace("\n", " ")
        assert "What is sold in US is a version of its own beside that for" in said
        assert "more than the" in said
        assert found.to_dict()["own_slots"]


def test_lines_that_weighed_versions_and_stayed_one_say_so(model: TariffModel) -> None:
    makers = model.economy.makers
    n = makers.n_lines
    stays = (makers.weighed_month >= 0) & ~makers.is_split & (makers.own_version >= 0)
    stays &= ~makers.is_made[makers.own_version]
    found = explained(model, int(np.flatnonzero(stays[:n])[0]))
    assert len(found.versions) == 1
    assert found.own_slots == ()
    assert found.split is not None
    assert not found.split.is_split
    assert found.split.gain <= found.split.overhead
    assert "no more than the" in _maker(found).replace("\n", " ")
    alone = int(np.flatnonzero(makers.own_version[:n] < 0)[0])
    assert explained(model, alone).split is None


def test_agents_are_lines_whatever_versions_they_have(model: TariffModel) -> None:
    economy = model.economy
    makers, flows = economy.makers, economy.flows
    agents = list(model.agents.select(agent_type=DeviceMaker))
    assert len(agents) == makers.n_lines == 700
    units = np.bincount(flows.line, flows.units, makers.n_lines)
    assert [agent.units for agent in agents] == pytest.approx(units.tolist())
    split = [agent for agent in agents if agent.is_split]
    assert len(split) == makers.is_split.sum() > 1
    for agent in split[:3]:
        (common, first), (own, second) = agent.versions.items()
        assert own == ("US",)
        assert set(agent.countries) == {*common, *own}
        assert first == agent.suppliers
        assert set(first) == set(second)
        assert agent.row in {line.row for line in agent.importers[0].lines}
        china = [
            np.mean([economy.foundries.is_chinese[economy.foundries.name.index(f)]
                     for f in version.values()])
            for version in (first, second)
        ]  # fmt: skip
        assert (agent.china_share > 0) == any(china)
        names = {*first.values(), *second.values()}
        for foundry in model.agents_by_type[type(model.agents[0])]:
            if foundry.name in names:
                assert agent.row in {maker.row for maker in foundry.customers}
    whole = next(agent for agent in agents if not agent.is_split and len(agent.versions) == 1)
    assert list(whole.versions.values()) == [whole.suppliers]
