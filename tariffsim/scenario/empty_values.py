"""Keys without a value: `null` returns a known key to its default, and removes an entry by name.

They are left out of the scenario that is built, so that their names are checked here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tariffsim.errors import DataError, Problem, nearest
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import catalogue
from tariffsim.scenario.factors import Unfit, parameter_at
from tariffsim.scenario.messages import (
    NOT_A_POLICY,
    NOT_A_SOURCE,
    NOT_A_TABLE,
    kind_at,
    problem_at_key,
)
from tariffsim.scenario.nodes import NOT_A_KEY, Node
from tariffsim.scenario.scenario import Scenario
from tariffsim.scenario.scenario_files import BUILDS_ON
from tariffsim.tables import FIGURE_TABLES, TABLE_NAMES, Tables, load_tables
from tariffsim.typing import DAY_FORMS

NAMED = {"policies": NOT_A_POLICY, "sources": NOT_A_SOURCE}
"""Blocks whose entries have names of the user's choice, and what is said where there is none."""
MAPPINGS = (catalogue.BY_MARKET, "values by key")
"""Units of parameters that are mappings, besides those that have dates."""
Path = tuple[str, ...]


def unknown_empty_keys(scenario: Scenario, tree: Node) -> list[Problem]:
    """Keys without a value that are neither known nor the name of an entry to remove.

    Args:
        scenario: what is valid of it.
        tree: all that was given, with the names of today.
    """
    empty = list(_empty(tree, (), tree))
    tables = _tables(scenario) if empty else None
    found = (_problem(keys, node, tree, scenario, tables) for keys, node in empty if tables)
    return [problem for problem in found if problem]


def _tables(scenario: Scenario) -> Tables:
    try:
        return scenario.tables()
    except DataError:  # reported by the checks
        return load_tables()


def _empty(node: Node, keys: Path, tree: Node) -> Iterator[tuple[Path, Node]]:
    """Keys without a value in the mappings that a scenario has."""
    for key, child in node.items.items():
        path = (*keys, key)
        if child.value is None and not child.is_bad and not node.is_dated:
            yield path, child
        elif not child.is_bad and _is_mapping(path, tree):
            yield from _empty(child, path, tree)


def _is_mapping(keys: Path, tree: Node) -> bool:
    """Whether keys stand below this one; else a mapping is refused as a whole."""
    parameter = catalogue.find(keys, kind_at(tree, keys))
    if parameter is not None:
        return parameter.is_path or parameter.unit in MAPPINGS
    match keys:
        case (block,):
            return block in Scenario.model_fields
        case ("figures", table) | ("figures", table, _):
            return table in FIGURE_TABLES
    return keys[0] in NAMED and len(keys) == 2


def _problem(
    keys: Path, node: Node, tree: Node, scenario: Scenario, tables: Tables
) -> Problem | None:
    """What is wrong with a key that has no value."""
    names, message = _names(keys, kind_at(tree, keys), scenario, tables), NOT_A_KEY
    is_inherited = len(node.trail) > 1
    if keys[0] in NAMED and len(keys) == 2:
        message, is_known = NAMED[keys[0]], is_inherited
    elif keys[0] == "policies" and len(keys) == 3:
        of_others = any(keys[2] in catalogue.of_instrument(kind) for kind in INSTRUMENTS)
        is_known = keys[2] in names or (is_inherited and of_others)
    elif keys[:2] == ("experiment", "vary") and len(keys) == 3:
        return None if is_inherited else _not_varied(keys, tree, scenario)
    else:
        is_known = keys[-1] in names and keys[-1] not in BUILDS_ON
        message = NOT_A_TABLE if keys[0] in ("data", "figures") and len(keys) == 2 else NOT_A_KEY
    return None if is_known else problem_at_key(tree, keys, message, nearest(keys[-1], names))


def _not_varied(keys: Path, tree: Node, scenario: Scenario) -> Problem | None:
    try:
        parameter_at(keys[-1], scenario)
    except Unfit as unfit:
        return problem_at_key(tree, keys, str(unfit), unfit.hint)
    return None


def _names(keys: Path, kind: str, scenario: Scenario, tables: Tables) -> Collection[str]:
    """What may stand at the end of these keys."""
    match keys:
        case ("policies", _):
            return scenario.policies
        case ("sources", _):
            return scenario.sources
        case ("data", _):
            return TABLE_NAMES
        case ("figures", _):
            return tuple(FIGURE_TABLES)
        case ("figures", table, _):
            return getattr(tables, table).codes if table in FIGURE_TABLES else ()
        case ("figures", table, _, _):
            return FIGURE_TABLES[table].parameters if table in FIGURE_TABLES else ()
        case ("policies", _, "joins", _):
            return tables.markets.codes
    parameter = catalogue.find(keys[:-1], kind)
    if parameter is not None and parameter.is_path:
        return (DAY_FORMS, "interpolate")
    return catalogue.names_under(keys[:-1], kind)
