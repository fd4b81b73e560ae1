"""Factors of an experiment: which keys are varied, and over which values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from math import isfinite

from tariffsim.errors import escaped, nearest
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.messages import out_of_range
from tariffsim.scenario.nodes import resolve
from tariffsim.scenario.run_blocks import MOST_VALUES, Value
from tariffsim.scenario.scenario import Scenario
from tariffsim.tables import FIGURE_TABLES, Figure
from tariffsim.tables.renamed import name_hint

RANGE = "range"
EVERY = "*"
"""In place of a code: the figures of all codes of a table move together."""
LOW, HIGH = -1.0, 1.0
POSITION = f"position ({LOW:g} low, 0 central, {HIGH:g} high)"


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
    """The factor of a key, from what is written after it: `a,b`, `low:high`, `start:stop:step`.

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
    if key.startswith("figures."):
        return _figure_parameter(key, scenario)
    known = {each: parameter for each, parameter in catalogue.blocks().items() if "." in each}
    for name, policy in scenario.policies.items():
        fields = catalogue.of_policy(policy).items()
        known |= {f"policies.{name}.{field}": parameter for field, parameter in fields}
        entry = replace(known.pop(f"policies.{name}.joins"), unit="month", kind="date")
        known |= {f"policies.{name}.joins.{market}": entry for market in policy.joins}
    block, _, rest = key.partition(".")
    name = rest.partition(".")[0]
    if block == "policies" and name not in scenario.policies:
        raise Unfit("is not a policy of this scenario", nearest(name, scenario.policies))
    if key not in known or block == "experiment" or key.endswith(".kind"):
        raise Unfit("is not a key that can be varied", name_hint("key", key, known))
    return known[key]


def _figure_parameter(key: str, scenario: Scenario) -> Parameter:
    """A single figure, or a column of a table."""
    _, table, code, name, *rest = [*key.split("."), "", "", ""]
    specs = FIGURE_TABLES[table].parameters if table in FIGURE_TABLES else {}
    if name not in specs or any(rest) or specs[name].is_text:
        hint = "such as figures.devices.*.chip_content; see docs/data.md"
        raise Unfit("is not a figure", hint)
    figures, spec = getattr(scenario.tables(), table).figures, specs[name]
    if code == EVERY:
        if not _has_ranges(figures, name):
            raise Unfit("has no plausible ranges in the table", "name one code in place of *")
        return Parameter(key, POSITION, spec.meaning, 0.0, least=LOW, most=HIGH, kind="number",
                         low=LOW, high=HIGH)  # fmt: skip
    if (code, name) not in figures:
        raise Unfit("is not a figure", nearest(code, getattr(scenario.tables(), table).codes))
    figure = figures[code, name]
    kind = "whole number" if spec.whole else "number"
    least, most, above = (
        bound if isfinite(bound) else None for bound in (spec.least, spec.most, spec.above)
    )
    return Parameter(key, figure.unit, spec.meaning, figure.value, least=least, most=most,
                     above=above, kind=kind, low=figure.low, high=figure.high)  # fmt: skip


def _has_ranges(figures: Mapping[tuple[str, str], Figure], name: str) -> bool:
    """Whether a column has a plausible range for any code."""
    return any(f.low is not None for (_, parameter), f in figures.items() if parameter == name)


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
            raise Unfit("is not a number", "give its values: a,b,c")
        return
    if not factor.is_numeric:
        raise Unfit("must be numbers", "such as 0:2:0.1 or 0,0.5,1")
    for value in factor.values or (factor.low, factor.high):
        number = float(value)  # type: ignore[arg-type]
        if not parameter.holds(number):
            raise Unfit(*out_of_range(parameter, number))


def plausible(scenario: Scenario) -> tuple[Factor, ...]:
    """Every assumption with a plausible range; figures of a table by column, all codes together."""
    keys = [key for key, parameter in catalogue.blocks().items() if parameter.low is not None]
    for table in FIGURE_TABLES:
        figures = getattr(scenario.tables(), table).figures
        columns = dict.fromkeys(name for (_, name), f in figures.items() if f.low is not None)
        keys += [f"figures.{table}.{EVERY}.{name}" for name in columns]
    return tuple(factor_of(key, RANGE, scenario) for key in keys)
