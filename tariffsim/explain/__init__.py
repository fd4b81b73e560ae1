"""Why an agent does what it does: one line of one run, in one month."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tariffsim.errors import ChoiceError
from tariffsim.explain.place import PlaceChoice, explain_places
from tariffsim.explain.slot import SlotChoice, explain_slot, in_short
from tariffsim.explain.version import SplitChoice, Version, explain_split, versions_of_line
from tariffsim.kernels.compliance import evasion_threshold
from tariffsim.scenario import Scenario, ScenarioLike, as_scenario
from tariffsim.simulation import Simulation
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import format_month, parse_month


@dataclass(frozen=True)
class Importer:
    """An importer as makers know it."""

    knows_origin: bool
    """Whether it knows where the chips in its products come from."""
    evasion_threshold: float
    """Rate of a duty, on a chip or a product, above which evasion is cheaper than paying; fraction
    of the value concealed, infinite if it never is."""


@dataclass(frozen=True)
class RateToDate:
    """A law whose rate depends on the imports of the year, in its own unit."""

    name: str
    unit: str
    imports_to_date: float
    """Covered imports since January, or since it is in force."""
    statutory: float
    """Rate of the path, such as the one above a quota."""
    now: float
    """Mean rate of the month."""
    expected: float
    """Mean rate of a year with the imports of the last twelve months: what makers expect."""

    def __str__(self) -> str:
        """The same in a sentence."""
        return (
            f"{self.name}: {self.imports_to_date:,.0f} {self.unit} imported this year before the "
            f"month; rate {100 * self.now:.1f} % now, {100 * self.expected:.1f} % expected over a "
            f"year, {100 * self.statutory:.1f} % by statute"
        )


@dataclass(frozen=True)
class Explanation:
    """A device maker after a month of a run: what it is, and the choice at each of its slots."""

    scenario: str
    title: str
    seed: int
    month: str
    maker: int
    device: str
    device_label: str
    base_origin: str
    """Country of assembly in the base year."""
    markets: dict[str, float]
    """Share of its units by market, in the base year."""
    importers: dict[str, Importer]
    """Its importers, by market."""
    units: float
    """Units delivered in the month."""
    elasticity: float
    """Between foundries, at an open design."""
    kinds: dict[str, str]
    """Kind of instrument of every duty of the tables."""
    slots: tuple[SlotChoice, ...]
    """One for each part with chips."""
    places: tuple[PlaceChoice, ...]
    """One for each market: where what is sold there is assembled."""
    versions: tuple[Version, ...]
    """What it sells: one version for all its markets, or a common one and one of their own."""
    own_slots: tuple[SlotChoice, ...] = ()
    """The slots of the own version, if there is one; `slots` are then those of the common one."""
    split: SplitChoice | None = None
    """What it last weighed; None if it sells in one market, or in none that is in focus."""
    rates_to_date: tuple[RateToDate, ...] = ()
    """Laws in force whose rate depends on the imports of the year."""

    def slot(self, part: str) -> SlotChoice:
        """The slot of one part, by its name or, for the first of a class, by the class.

        Raises:
            ChoiceError: the line has no such part.
        """
        for slot in self.slots:
            if part in (slot.part, slot.node_class):
                return slot
        known = ", ".join(slot.part for slot in self.slots)
        raise ChoiceError(f"maker {self.maker} has no part {part}, only {known}")

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values, ready for JSON; tables are lists of rows."""
        plain = asdict(self)
        slots, own_slots = plain.pop("slots"), plain.pop("own_slots")
        for place in plain["places"]:
            place["candidates"] = place["candidates"].reset_index().to_dict("records")
        for slot in (*slots, *own_slots):
            candidates = slot.pop("candidates").reset_index().to_dict("records")
            duties = slot.pop("duties").to_dict("records")
            rows = zip(candidates, duties, strict=True)
            slot["candidates"] = [row | {"duties": own} for row, own in rows]
        return plain | {"slots": slots, "own_slots": own_slots}


def explain_choice(
    scenario: ScenarioLike,
    maker: int | np.integer[Any],
    month: str | int | None = None,
    seed: int | None = None,
) -> Explanation:
    """Run a scenario to a month and say why one device maker buys the chips it buys.

    Args:
        scenario: what is assumed, as an object, a file or the name of a shipped scenario.
        maker: number of the device maker, from 0.
        month: the month explained, such as "2028-06"; the last of the run if None.
        seed: which replication; the first of the scenario if None.

    Raises:
        ScenarioError: the scenario is refused.
        ChoiceError: there is no such maker or month.
    """
    scenario = as_scenario(scenario)
    maker = maker.item() if isinstance(maker, np.integer) else maker
    run, seed = scenario.run, scenario.run.seed if seed is None else seed
    wanted = run.end if month is None else month_of_run(month, scenario)
    simulation = Simulation(scenario, seed)
    n_makers = simulation.economy.makers.n_lines
    if isinstance(maker, bool) or not isinstance(maker, int) or not 0 <= maker < n_makers:
        raise ChoiceError(f"there is no maker {maker}: makers are numbered 0 to {n_makers - 1}")
    while simulation.economy.month < wanted - run.start:
        simulation.step()
    return explain_maker(simulation.economy, simulation.draws, maker, seed)


def explain_maker(economy: Economy, draws: Draws, maker: int, seed: int) -> Explanation:
    """One line after the month that an economy has seen."""
    makers, codes, scenario = economy.makers, economy.constants.codes, economy.scenario
    device = codes.devices[makers.device[maker]]
    label = scenario.tables().devices.figures[device, "label"].value
    weights = zip(codes.markets, makers.line_weights[maker], strict=True)
    versions = versions_of_line(economy, maker)

    def slots_of(row: int) -> tuple[SlotChoice, ...]:
        parts = np.flatnonzero(makers.has_slot[row])
        return tuple(explain_slot(economy, draws, row, int(k)) for k in parts)

    return Explanation(
        scenario=scenario.name,
        title=scenario.short_name,
        seed=seed,
        month=format_month(economy.date),
        maker=maker,
        device=device,
        device_label=str(label),
        base_origin=codes.origins[makers.base_origin[maker]],
        markets={market: float(weight) for market, weight in weights if weight > 0},
        importers=importers_by_market(economy, maker),
        units=sum(float(makers.units[version.row]) for version in versions),
        elasticity=scenario.sourcing.elasticity,
        kinds={in_short(law.name): law.instrument.kind for law in economy.tariff_schedule.laws},
        slots=slots_of(maker),
        places=explain_places(economy, maker),
        versions=versions,
        own_slots=slots_of(versions[-1].row) if len(versions) > 1 else (),
        split=explain_split(economy, maker),
        rates_to_date=rates_to_date(economy),
    )


def rates_to_date(economy: Economy) -> tuple[RateToDate, ...]:
    """Laws in force, or known, whose rate depends on the imports of the year."""
    counts, schedule, found = economy.imports, economy.tariff_schedule, []
    for i in schedule.with_memory:
        law = schedule.laws[i]
        begins = max(economy.date, law.instrument.first_month)
        foresight = economy.expectations.foresight
        statutory = law.instrument.rate_expected(begins, economy.date, foresight)
        if statutory:
            expected = dict(economy.regime_ahead(begins - economy.date)).get(i, 0.0)
            found.append(
                RateToDate(
                    law.name, law.instrument.counted_unit, float(counts.to_date[i]), statutory,
                    economy.policy.rates[i], expected,
                )
            )  # fmt: skip
    return tuple(found)


def importers_by_market(economy: Economy, maker: int) -> dict[str, Importer]:
    """The importers of a line under the audits of now."""
    makers, importers = economy.makers, economy.importers
    exposure = economy.declarations.enforcement(economy.policy.regime).exposure
    threshold = evasion_threshold(importers.evasion_cost, exposure[importers.market])
    found = {}
    for market in np.flatnonzero(makers.line_weights[maker]):
        importer = makers.importer[maker, market]
        knows = bool(importers.knows_origin[importer])
        found[economy.constants.codes.markets[market]] = Importer(knows, float(threshold[importer]))
    return found


def month_of_run(month: str | int, scenario: Scenario) -> int:
    """A month of a scenario's run, as a number.

    Raises:
        ChoiceError: it is no month, or not in the run.
    """
    first, last = scenario.run.start, scenario.run.end
    try:
        wanted = parse_month(month)
    except ValueError as error:
        raise ChoiceError(f"month {month!r} {error}") from None
    if not first <= wanted <= last:
        span = f"{format_month(first)} to {format_month(last)}"
        raise ChoiceError(f"month {format_month(wanted)} is not in the run, which is {span}")
    return wanted
