"""Scenarios as text: the resolved file beside every result, and a new file to start from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tariffsim.errors import StorageError
from tariffsim.scenario import catalogue
from tariffsim.scenario.loader import load_scenario
from tariffsim.scenario.nodes import resolve
from tariffsim.scenario.scenario import Scenario, written_seeds
from tariffsim.tables import SHIPPED

_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_HEADER = "# Every value of the scenario, including defaults and what it builds on."


def to_yaml(scenario: Scenario, data: Mapping[str, str] | None = None) -> str:
    """The scenario as YAML, every value written out; `data` gives other paths of data tables.

    The number of seeds is left out if the scenario does not write it.
    """
    content = scenario.model_dump(mode="json")
    if written_seeds([scenario]) is None:  # else the number would be fixed from now on
        del content["run"]["seeds"]
    if data is not None:
        content["data"] = dict(data)
    return "\n".join([_HEADER, *_mapping(content, "")]) + "\n"


def _mapping(content: Mapping[str, object], indent: str) -> Iterator[str]:
    for key, value in content.items():
        if value is None:  # the default
            continue
        name = f"{indent}{_key(key)}:"
        if isinstance(value, dict) and value and not _is_path(value):
            yield name
            yield from _mapping(value, indent + "  ")
        else:
            yield f"{name} {_value(value)}"


def _is_path(value: Mapping[str, object]) -> bool:
    return bool(value) and all(key[:1].isdigit() or key == "interpolate" for key in value)


def _value(value: object) -> str:
    """A scalar, a list or a dated path on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    if isinstance(value, str):
        is_plain = _BARE.fullmatch(value) and resolve(value) == value
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, allow_nan=False)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def new_text(base: str, scenario: Scenario) -> str:
    """A commented scenario that builds on a shipped one and runs without changes."""
    lines = [
        "# A scenario builds on another one and states only what differs from it.",
        "# To check it: tariffsim validate FILE; every value of it: tariffsim explain FILE;",
        "# to run it: tariffsim compare FILE.",
        "schema_version: 1",
        f"extends: {base}",
        f"title: {_value('My scenario: ' + (scenario.title or base))}",
        "",
        "# Months simulated (2025, 2025Q3 or 2025-07) and replications.",
        f"run: {_value(scenario.run.model_dump(mode='json', include={'start', 'end', 'seeds'}))}",
        "",
    ]
    lines += _policy_lines(scenario) if scenario.policies else list(_EXAMPLE)
    lines += ["", "# Assumptions you may want to change: remove the # here and before the block."]
    lines += _assumption_lines(scenario)
    return "\n".join(lines) + "\n"


_EXAMPLE = (
    "# A policy: the key is a name of your choice. Remove the # to put it in force.",
    "# policies:",
    "#   my_tariff:",
    "#     kind: component_tariff  # see: tariffsim list instruments",
    "#     announced: 2025-07",
    "#     rate: {2026-01: 0.25, 2027-01: 0.50}  # fractions: 0.25 is 25 %",
    "#     chip_regions: [CN]",
)


def _policy_lines(scenario: Scenario) -> list[str]:
    lines = ["# Policies: `null` in place of a value restores the default.", "policies:"]
    for name, policy in scenario.policies.items():
        lines.append(f"  {name}:")
        parameters = catalogue.of_policy(policy)
        given = policy.model_dump(mode="json", exclude={"source"})
        for field, value in given.items():
            if value is None:
                continue
            parameter = parameters[field]
            mark = "" if field in policy.model_fields_set else "# "
            lines.append(f"    # {parameter.description} ({parameter.unit})")
            lines.append(f"    {mark}{field}: {_value(value)}")
    return lines


def _assumption_lines(scenario: Scenario) -> Iterator[str]:
    """The uncertain numbers with their ranges, as comments."""
    content = scenario.model_dump(mode="json")
    block = ""
    for key, parameter in catalogue.blocks().items():
        name, _, field = key.partition(".")
        if parameter.low is None and not parameter.is_path:
            continue
        if name != block:
            block = name
            yield f"# {block}:"
        value = _value(content[name][field])
        span = f"; {parameter.low:g} to {parameter.high:g}" if parameter.high is not None else ""
        yield f"#   {field}: {value}  # {parameter.description} ({parameter.unit}{span})"


def new_file(path: str | os.PathLike[str], base: str = "baseline") -> Path:
    """Write a commented scenario to start from; an existing file is never overwritten.

    Raises:
        ScenarioError: there is no such base.
        StorageError: the file exists already, or cannot be written.
    """
    return _new(Path(path), new_text(base, load_scenario(base)))


def new_table(path: str | os.PathLike[str], table: str) -> Path:
    """Write a copy of a shipped data table to edit; an existing file is never overwritten.

    Raises:
        StorageError: the file exists already, or cannot be written.
    """
    return _new(Path(path), (SHIPPED / f"{table}.csv").read_text(encoding="utf-8"))


def _new(path: Path, text: str) -> Path:
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise StorageError(f"{path} exists already and is not overwritten") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"cannot write {path}: {reason}") from error
    return path
