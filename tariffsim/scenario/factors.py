"""Factors of an experiment: which keys are varied, over which values, and how they are set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.experiment import MOST_VALUES, Value
from tariffsim.scenario.fields import Scenario
from tariffsim.scenario.loader import with_changes
from tariffsim.scenario.messages import out_of_range
from tariffsim.scenario.text import escaped, nearest
from tariffsim.scenario.yaml import resolve
from tariffsim.tables.meanings import MEANINGS
from tariffsim.tables.spec import FIGURE_TABLES

RANGE = "range"
EVERY = "*"
"""In the place of a code: the figures of all codes of a table move together."""
LOW, HIGH = -1.0, 1.0
POSITION = f"position ({LOW:g} low, 0 as it is, {HIGH:g} high)"


class Unfit(ValueError):
    """A key that cannot be varied as asked: what is wrong, and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Factor:
    """One key that is varied: over values, or over a range."""

    key: str
    meaning: str = ""
    unit: str = ""
    values: tuple[Value, ...] = ()
    low: float | None = None
    high: float | None = None
    is_whole: bool = False

    @property
    def is_numeric(self) -> bool:
        """Whether all its values are numbers."""
        values = self.values or (self.low, self.high)
        return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)


def factor_of(key: str, given: str | tuple[Value, ...], scenario: Scenario) -> Factor:
    """The factor that a key of a scenario becomes by what is written behind it.

    Raises:
        Unfit: there is no such key, or it cannot be varied over that.
    """
    parameter = parameter_at(key, scenario)
    factor = Factor(key, parameter.description, parameter.unit)
    factor = replace(factor, is_whole=parameter.kind == "whole number")
    if given == RANGE:
        if parameter.low is None or parameter.high is None:
            hint = "give values, low:high or start:stop:step"
            raise Unfit("has no plausible range", hint)
        return replace(factor, low=parameter.low, high=parameter.high)
    parts = given.split(":") if isinstance(given, str) else []
    if len(parts) == 2:
        low, high = (float(_decimal(part)) for part in parts)
        if not low < high:
            raise Unfit("must have its low end below its high end")
        found = replace(factor, low=low, high=high)
    elif len(parts) > 1:
        found = replace(factor, values=_steps(*parts))
    else:
        texts = given.split(",") if isinstance(given, str) else given
        values = tuple(resolve(v.strip()) if isinstance(v, str) else v for v in texts)
        found = replace(factor, values=tuple(v for v in values if v is not None))
    _check(found, parameter)
    return found


def parameter_at(key: str, scenario: Scenario) -> Parameter:
    """What the scenario has at a key.

    Raises:
        Unfit: nothing.
    """
    keys = key.split(".")
    if keys[0] == "figures":
        return _figure_parameter(key, scenario)
    kind = ""
    if keys[0] == "policies":
        policy = scenario.policies.get(keys[1]) if len(keys) > 1 else None
        if policy is None:
            raise Unfit("is no policy of this scenario", nearest(keys[1] if keys[1:] else "",
                                                                  scenario.policies))  # fmt: skip
        kind = policy.kind
        if len(keys) == 3 and keys[2] == policy.path_field:
            least, most, unit = policy.limits
            known = catalogue.of_instrument(kind)[keys[2]]
            return replace(known, least=least, most=most, unit=unit)
    found = catalogue.find(keys, kind) if len(keys) == (3 if kind else 2) else None
    if found is None or keys[0] in ("experiment", "sources", "data") or keys[-1] == "kind":
        names = [f"policies.{name}.{field}" for name, p in scenario.policies.items()
                 for field in catalogue.of_instrument(p.kind)]  # fmt: skip
        raise Unfit("is not a key that can be varied", nearest(key, [*catalogue.blocks(), *names]))
    return found


def _figure_parameter(key: str, scenario: Scenario) -> Parameter:
    """A single figure, or a column of a table."""
    _, table, code, name, *rest = [*key.split("."), "", "", ""]
    specs = FIGURE_TABLES[table].parameters if table in FIGURE_TABLES else {}
    if name not in specs or any(rest) or specs[name].is_text:
        raise Unfit("is no figure", "such as figures.devices.*.chip_content; see docs/data.md")
    figures = getattr(scenario.tables(), table).figures
    meaning, spec = MEANINGS.get(table, {}).get(name, ""), specs[name]
    if code == EVERY:
        known = any(f.low is not None for (_, n), f in figures.items() if n == name)
        ends = (LOW, HIGH) if known else (None, None)
        if not known:
            raise Unfit("has no plausible ranges in the table", "name one code in place of *")
        return Parameter(key, POSITION, meaning, 0.0, least=LOW, most=HIGH, kind="number",
                         low=ends[0], high=ends[1])  # fmt: skip
    if (code, name) not in figures:
        raise Unfit("is no figure", nearest(code, getattr(scenario.tables(), table).codes))
    figure = figures[code, name]
    kind = "whole number" if spec.whole else "number"
    return Parameter(key, figure.unit, meaning, figure.value, least=spec.least, most=spec.most,
                     kind=kind, low=figure.low, high=figure.high)  # fmt: skip


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or abs(value) > Decimal("1e15"):
        raise Unfit(f"must be numbers between the colons (is {escaped(text)!r})")
    return value


def _steps(*parts: str) -> tuple[Value, ...]:
    """Values from start to stop, both included; exact in decimals, as one would write them."""
    if len(parts) != 3:
        raise Unfit("must be start:stop:step, low:high, values with commas, or `range`")
    start, stop, step = map(_decimal, parts)
    if step <= 0 or stop < start:
        raise Unfit("must have a step above zero and its stop not below its start")
    if (stop - start) / step >= MOST_VALUES:
        raise Unfit(f"must have at most {MOST_VALUES:,} values", "take larger steps")
    whole = all("." not in part and "e" not in part.lower() for part in parts)
    values = [start + i * step for i in range(int((stop - start) / step) + 1)]
    return tuple(int(v) if whole else float(v) for v in values)


def _check(factor: Factor, parameter: Parameter) -> None:
    """Refuse values that the key could never have."""
    if not (factor.values or factor.low is not None):
        raise Unfit("must have at least one value")
    if len(set(factor.values)) < len(factor.values):
        raise Unfit("has a value twice")
    if parameter.choices:
        wrong = [v for v in factor.values if str(v) not in parameter.choices]
        if wrong or not factor.values:
            hint = nearest(str(wrong[0]), parameter.choices) if wrong else "give its values: a,b"
            raise Unfit(f"must be {parameter.allowed}", hint)
        return
    if "number" not in parameter.kind:
        if factor.low is not None:
            raise Unfit("is no number", "give its values: a,b,c")
        return
    if not factor.is_numeric:
        raise Unfit("must be numbers", "such as 0:2:0.1 or 0,0.5,1")
    for value in factor.values or (factor.low, factor.high):
        low = parameter.least if parameter.least is not None else float("-inf")
        high = parameter.most if parameter.most is not None else float("inf")
        above = parameter.above if parameter.above is not None else float("-inf")
        number = float(value)  # type: ignore[arg-type]
        if not (low <= number <= high and number > above):
            raise Unfit(*out_of_range(parameter, number))


def plausible(scenario: Scenario) -> tuple[Factor, ...]:
    """Every assumption with a plausible range; figures of a table by column, all codes together."""
    found = [
        factor_of(key, RANGE, scenario)
        for key, parameter in catalogue.blocks().items()
        if parameter.low is not None
    ]
    for table, spec in FIGURE_TABLES.items():
        figures = getattr(scenario.tables(), table).figures
        found += [
            factor_of(f"figures.{table}.{EVERY}.{name}", RANGE, scenario)
            for name in spec.parameters
            if any(f.low is not None for (_, n), f in figures.items() if n == name)
        ]
    return tuple(found)


def varied(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The scenario with its factors at some values; those of policies it lacks are left out.

    A dated path keeps its dates. Of a policy, the value is the last level and earlier steps keep
    their proportion to it; of an assumption (`supply.china_capacity_share`), the first value,
    which describes the base year, stays.

    Raises:
        ScenarioError: the scenario would not be valid.
    """
    changes: dict[str, Any] = {}
    for key, value in values.items():
        block, name, *_ = key.split(".")
        if block == "policies" and name not in scenario.policies:
            continue
        if block == "figures":
            changes |= _figures(scenario, key, float(value))
            continue
        own = scenario.policies[name] if block == "policies" else getattr(scenario, block)
        path = getattr(own, key.rpartition(".")[2])
        if isinstance(path, TimePath):
            value = path.reaching(float(value), from_first=block != "policies")
        changes[key] = value
    return with_changes(scenario, changes, "experiment") if changes else scenario


def _figures(scenario: Scenario, key: str, value: float) -> Iterator[tuple[str, float]]:
    """One figure, or all of a column between their low and high."""
    _, table, code, name = key.split(".")
    if code != EVERY:
        yield key, value
        return
    for (each, parameter), figure in getattr(scenario.tables(), table).figures.items():
        if parameter == name and figure.low is not None:
            end = figure.high if value > 0 else figure.low
            at = figure.value + abs(value) * (end - figure.value)
            yield f"figures.{table}.{each}.{name}", at if abs(value) < 1 else end
