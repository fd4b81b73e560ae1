"""Loading a scenario: read, lay over each other, validate; every problem in one report."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tariffsim.errors import Problem, ScenarioError
from tariffsim.scenario.checks import problems_of
from tariffsim.scenario.fields import Scenario
from tariffsim.scenario.files import Refused, inside, is_name, shipped_path
from tariffsim.scenario.merge import Stack
from tariffsim.scenario.messages import Keys, keys_of, translate
from tariffsim.scenario.nodes import Node, Position, merge, node_of, plain
from tariffsim.scenario.text import escaped
from tariffsim.scenario.yaml import parse

MOST_CHANGES = 200
MOST_PROBLEMS = 500


def load_scenario(path_or_name: str | os.PathLike[str]) -> Scenario:
    """The scenario of a file, or a shipped one by its name.

    Raises:
        ScenarioError: with all problems of the file and of those it builds on.
    """
    shown = os.fspath(path_or_name)
    if isinstance(path_or_name, str) and is_name(shown):
        try:
            path = shipped_path(shown)
        except Refused as error:
            hint = error.hint
            if os.path.exists(shown) or os.path.exists(f"{shown}.yaml"):
                hint = f"for a file write its path: ./{shown}"
            problem = Problem(escaped(shown), message=error.message, hint=hint)
            raise ScenarioError([problem]) from None
        shown = path.name
    else:
        path = Path(os.path.abspath(shown))
    stack = Stack(path.parent)
    stack.lay(path, escaped(shown))
    tree = stack.merged()
    return _build(tree, stack.problems, stack.files, path.stem, path.parent)


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


def with_changes(scenario: Scenario, changes: Mapping[str, Any], label: str) -> Scenario:
    """The scenario with changes laid over it; keys may be dotted or have double underscores."""
    at = Position(label)
    tree = scenario._tree or node_of(scenario.model_dump(mode="json", exclude_unset=True), at)
    for key, value in changes.items():
        node = node_of(value, at)
        for part in reversed(key.replace("__", ".").split(".")):
            node = Node({part: node}, at, at, (at,))
        tree = merge(tree, node)
    return _changed(scenario, tree, [])


def replace(scenario: Scenario, **changes: Any) -> Scenario:
    """The same scenario with changes: `run__seeds=5`, `policies__x__rate=0.3`, or mappings.

    A mapping is merged as in a scenario file; None returns to the default.

    Raises:
        ScenarioError: a change is not valid.
    """
    return with_changes(scenario, changes, "replace")


def with_settings(scenario: Scenario, settings: Iterable[str]) -> Scenario:
    """The scenario with settings such as `run.seeds=5`, their values written as in a file.

    Raises:
        ScenarioError: with all that is wrong with any of them.
    """
    tree = scenario._tree or node_of(
        scenario.model_dump(mode="json", exclude_unset=True), Position(scenario.name)
    )
    problems: list[Problem] = []
    for setting in settings:
        label = f"--set {escaped(setting)}"
        key, equals, text = setting.partition("=")
        keys = key.strip().split(".")
        if not equals or not all(keys):
            problems.append(Problem(label, message="must be key.path=value"))
            continue
        value, found = parse(f"value: {text}", label)
        problems += [dataclasses.replace(p, line=0, column=0, key=key) for p in found]
        if value is None or found or len(value.items) != 1:
            if not found:
                problems.append(Problem(label, key=key, message="must be one value"))
            continue
        node = _moved(value.items["value"], Position(label))
        for part in reversed(keys):
            node = Node({part: node}, node.at, node.at, node.trail)
        tree = merge(tree, node)
    return _changed(scenario, tree, problems)


def _moved(node: Node, at: Position) -> Node:
    """The node as if it stood at one place, for values that are in no file."""
    value = node.value
    if isinstance(value, dict):
        value = {key: _moved(child, at) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(_moved(child, at) for child in value)
    return dataclasses.replace(node, value=value, at=at, key_at=at, trail=(at,))


def _changed(scenario: Scenario, tree: Node, problems: list[Problem]) -> Scenario:
    files = _changed_files(scenario, tree, problems)
    return _build(tree, problems, files, scenario._name, scenario._folder)


def _changed_files(scenario: Scenario, tree: Node, problems: list[Problem]) -> dict[str, Path]:
    """Files of replaced tables; new ones are looked for beside the scenario."""
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
            files[table] = inside(root, root, node.value)
        except Refused as error:
            key = f"data.{escaped(table)}"
            problems.append(
                Problem(str(node.at), 0, 0, key, error.message, escaped(error.given), error.hint)
            )
    return files


def _build(
    tree: Node, found: list[Problem], files: dict[str, Path], name: str, folder: Path | None
) -> Scenario:
    """The scenario a tree stands for, or all that is wrong with it."""
    problems = list(found)
    scenario = _validated(plain(tree), tree, problems)
    scenario._name, scenario._folder, scenario._tree = name, folder, tree
    scenario._files = dict(files)
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
        inner = place.get(key) if isinstance(place, dict) else None
        if not isinstance(inner, dict):
            break  # inside a list or a number: the whole of it goes
        place = inner
    else:
        key = keys[-1] if keys else ""
    if isinstance(place, dict):
        place.pop(key, None)
