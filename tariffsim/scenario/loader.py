"""Loading a scenario: read, merge, validate, check; every problem in one report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace as changed
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tariffsim.errors import Problem, ScenarioError, escaped, escaped_path
from tariffsim.scenario.catalogue import find
from tariffsim.scenario.checks import problems_of
from tariffsim.scenario.empty_values import unknown_empty_keys
from tariffsim.scenario.messages import (
    IN_A_BASE,
    NO_DATE,
    Keys,
    current_names,
    dotted,
    keys_of,
    translate,
)
from tariffsim.scenario.nodes import Node, Position, merge, moved, node_of, parse, plain, under
from tariffsim.scenario.scenario import Scenario
from tariffsim.scenario.scenario_files import (
    Layers,
    is_name,
    name_problem,
    path_inside,
    shipped_path,
)
from tariffsim.tables.csv_files import Refused

ScenarioLike = Scenario | str | os.PathLike[str]
"""A scenario, its file, or the name of a shipped one."""
MOST_CHANGES = 200
MOST_PROBLEMS = 500


def load_scenario(path_or_name: str | os.PathLike[str]) -> Scenario:
    """The scenario of a file, or a shipped one by its name.

    Raises:
        ScenarioError: with all problems of the file and of those it builds on.
    """
    shown = os.fspath(path_or_name)
    path = Path(os.path.abspath(shown))
    if isinstance(path_or_name, str) and is_name(shown):
        try:
            path = shipped_path(shown)
        except Refused as error:
            is_file = os.path.exists(shown) or os.path.exists(f"{shown}.yaml")
            hint = f"for a file write its path: ./{shown}" if is_file else error.hint
            problem = Position(escaped(shown)).problem(error.message, hint=hint)
            raise ScenarioError([problem]) from None
        shown = path.name
    layers = Layers(path.parent)
    at = Position(escaped(shown))
    layers.add(path, escaped_path(shown), at)
    if layers.trees and (reason := name_problem(path.stem)):
        message = "the name of the file, which is that of the scenario,"
        layers.problems.append(at.problem(f"{message} {reason}", hint="rename the file"))
    try:
        return _built(layers.merged(), layers.problems, layers.tables, path.stem, path.parent)
    except ScenarioError as error:
        if layers.is_whole:
            raise
        raise ScenarioError([p for p in error.problems if p.message not in IN_A_BASE]) from None


def as_scenario(given: ScenarioLike) -> Scenario:
    """The scenario that is given, or loaded from its file or by its name.

    Raises:
        ScenarioError: with all problems of the file and of those it builds on.
    """
    return given if isinstance(given, Scenario) else load_scenario(given)


def baseline_of(scenarios: Sequence[Scenario]) -> Scenario:
    """The scenario that all of these say they are compared with.

    Raises:
        ScenarioError: they name different ones.
    """
    wanted = {scenario.compare_with: scenario.name for scenario in scenarios}
    if len(wanted) > 1:
        each = ", ".join(f"{name} with {base}" for base, name in wanted.items())
        message, hint = "name different baselines", "compare them one by one, or give one baseline"
        problem = Problem("scenarios", key="compare_with", message=message, given=each, hint=hint)
        raise ScenarioError([problem])
    return load_scenario(next(iter(wanted), "baseline"))


def replace(scenario: ScenarioLike, **changes: Any) -> Scenario:
    """The same scenario with changes: `run__seeds=5`, `policies__x__rate=0.3`, or mappings.

    A mapping is merged as in a scenario file; None returns to the default.

    Raises:
        ScenarioError: the scenario or a change is not valid.
    """
    return with_changes(as_scenario(scenario), changes, "replace")


def with_changes(scenario: Scenario, changes: Mapping[str, Any], label: str) -> Scenario:
    """The scenario with changes; their keys may be dotted or have double underscores.

    Raises:
        ScenarioError: a change is not valid.
    """
    at = Position(label)
    nodes = [
        under(key.replace("__", ".").split("."), node_of(value, at))
        for key, value in changes.items()
    ]
    return _changed(scenario, nodes, [])


def with_settings(scenario: Scenario, settings: Iterable[str]) -> Scenario:
    """The scenario with settings such as `run.seeds=5`, their values written as in a file.

    Raises:
        ScenarioError: with all that is wrong with any of them.
    """
    nodes: list[Node] = []
    problems: list[Problem] = []
    for setting in settings:
        at = Position(f"--set {escaped(setting)}")
        key, equals, text = setting.partition("=")
        keys = key.strip().split(".")
        if not equals or not all(keys):
            problems.append(at.problem("must be key.path=value"))
            continue
        value, found = parse(f"value: {text}", at.file)
        for problem in found:
            inner = problem.key.removeprefix("value") if problem.key.startswith("value.") else ""
            problems.append(changed(problem, line=0, column=0, key=f"{key}{inner}"))
        if value is not None and len(value.items) == 1 and not found:
            nodes.append(under(keys, moved(value.items["value"], at)))
        elif not found:
            problems.append(at.problem("must be one value", key=key))
    return _changed(scenario, nodes, problems)


def _changed(scenario: Scenario, nodes: Iterable[Node], problems: list[Problem]) -> Scenario:
    """The scenario with nodes merged into its tree."""
    given = scenario._tree or node_of(
        scenario.model_dump(mode="json", exclude_unset=True), Position(scenario.name)
    )
    tree = reduce(merge, nodes, given)
    files = _table_files(scenario, tree, problems)
    return _built(tree, problems, files, scenario._name, scenario._folder)


def _table_files(scenario: Scenario, tree: Node, problems: list[Problem]) -> dict[str, Path]:
    """Files that replace data tables; new ones are looked for beside the scenario."""
    files = {}
    root = scenario._folder or Path.cwd()
    data = tree.items.get("data")
    for table, node in data.items.items() if data else ():
        if not isinstance(node.value, str):
            continue
        if table in scenario.data_files and (table, node.value) in scenario.data.items():
            files[table] = scenario.data_files[table]
            continue
        try:
            files[table] = path_inside(root, root, node.value)
        except Refused as error:
            at, key = Position(str(node.at)), f"data.{escaped(table)}"
            problems.append(at.problem(error.message, escaped(error.given), error.hint, key))
    return files


def _built(
    tree: Node, found: list[Problem], tables: dict[str, Path], name: str, folder: Path | None
) -> Scenario:
    """The scenario that a tree describes, or all that is wrong with it."""
    tree, renamed = current_names(tree)
    problems = [*found, *renamed]
    scenario, removed = _validated(plain(tree), tree, problems)
    scenario._name, scenario._folder, scenario._tree = name, folder, tree
    scenario._files = {table: path for table, path in tables.items() if table in scenario.data}
    undated = {dotted(keys) for keys in removed if keys[:1] == ("policies",)}
    between = islice(problems_of(scenario, tree), MOST_PROBLEMS)
    problems += [p for p in between if p.message != NO_DATE or p.key not in undated]
    problems += unknown_empty_keys(scenario, tree)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    return scenario


def _validated(data: Any, tree: Node, problems: list[Problem]) -> tuple[Scenario, set[Keys]]:
    """A scenario of all that is valid, so that what is left can be checked for the rest.

    And the keys of what is not valid, with those of all mappings around it.
    """
    removed: set[Keys] = set()
    for _ in range(MOST_CHANGES):
        try:
            return Scenario.model_validate(data, context={"file": True}), removed
        except ValidationError as invalid:
            errors = [(keys_of(e["loc"]), e) for e in invalid.errors(include_url=False)]
        # a mapping is not to blame for what was taken out of it
        blamed = [(k, e) for k, e in errors if k not in removed]
        problems += [problem for _, e in blamed[:MOST_PROBLEMS] if (problem := translate(e, tree))]
        for keys, error in errors:
            removed |= {keys[:n] for n in range(len(keys) + 1)}
            if error["type"] == "missing":
                _stand_in(data, keys)
            else:
                _remove(data, keys)
    return Scenario(), removed


def _stand_in(data: Any, keys: Keys) -> None:
    """Some valid value where a field is missing, so that the others around it are checked."""
    block, name, field = map(str, keys)  # only policies and sources have fields without a default
    entry = data[block].get(name)
    if entry is None:  # taken out for its name
        return
    parameter = find([block, name, field], str(entry.get("kind")))
    if parameter is None or parameter.choices:
        entry[field] = parameter.choices[0] if parameter else None
    elif "number" in parameter.kind:
        above = parameter.above
        entry[field] = (parameter.least or 0.0) if above is None else above + 1.0
    else:
        entry[field] = field


def _remove(data: Any, keys: Keys) -> None:
    """Take out a value that is wrong."""
    place = data
    for key in keys[:-1]:
        inner = place.get(key)
        if not isinstance(inner, dict):
            place.pop(key, None)  # inside a list or a number: the whole of it goes
            return
        place = inner
    place.pop(keys[-1] if keys else "", None)
