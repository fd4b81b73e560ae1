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

from tariffsim.errors import Problem, ScenarioError, escaped
from tariffsim.scenario.checks import problems_of
from tariffsim.scenario.messages import Keys, current_names, keys_of, translate
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
    layers.add(path, escaped(shown), at)
    if layers.trees and (reason := name_problem(path.stem)):
        message = "the name of the file, which is that of the scenario,"
        layers.problems.append(at.problem(f"{message} {reason}", hint="rename the file"))
    return _built(layers.merged(), layers.problems, layers.tables, path.stem, path.parent)


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


def replace(scenario: Scenario, **changes: Any) -> Scenario:
    """The same scenario with changes: `run__seeds=5`, `policies__x__rate=0.3`, or mappings.

    A mapping is merged as in a scenario file; None returns to the default.

    Raises:
        ScenarioError: a change is not valid.
    """
    return with_changes(scenario, changes, "replace")


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
        problems += [changed(problem, line=0, column=0, key=key) for problem in found]
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
    scenario = _validated(plain(tree), tree, problems)
    scenario._name, scenario._folder, scenario._tree = name, folder, tree
    scenario._files = {table: path for table, path in tables.items() if table in scenario.data}
    problems += islice(problems_of(scenario, tree), MOST_PROBLEMS)
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))
    return scenario


def _validated(data: Any, tree: Node, problems: list[Problem]) -> Scenario:
    """A scenario of all that is valid, so that what is left can be checked for the rest."""
    removed: set[Keys] = set()  # and all mappings around what was removed
    for _ in range(MOST_CHANGES):
        try:
            return Scenario.model_validate(data, context={"file": True})
        except ValidationError as invalid:
            errors = [(keys_of(e["loc"]), e) for e in invalid.errors(include_url=False)]
        # a mapping is not to blame for what was taken out of it
        blamed = [(k, e) for k, e in errors if k not in removed]
        problems += [problem for _, e in blamed[:MOST_PROBLEMS] if (problem := translate(e, tree))]
        for keys, error in errors:
            removed |= {keys[:n] for n in range(len(keys) + 1)}
            _remove(data, keys, error["type"])
    return Scenario()


def _remove(data: Any, keys: Keys, error: str) -> None:
    """Take out what is wrong: the value, or the whole policy that misses a field."""
    if error == "missing" or error.startswith("union_tag"):
        keys = keys[:2]
    place = data
    for key in keys[:-1]:
        inner = place.get(key)
        if not isinstance(inner, dict):
            place.pop(key, None)  # inside a list or a number: the whole of it goes
            return
        place = inner
    place.pop(keys[-1] if keys else "", None)
