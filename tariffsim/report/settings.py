"""What scenarios differ in, and the settings of the baseline with their sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tariffsim.charts.context import content_of
from tariffsim.errors import ScenarioError
from tariffsim.policy import INSTRUMENTS
from tariffsim.policy.time_path import TimePath
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario, catalogue, replace
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.provenance import Explained, explain

TEXTS = (
    "schema_version",
    "title",
    "label",
    "description",
    "sources",
    "experiment",
    "run",
    "agents",
)
EMPTY: tuple[object, ...] = (None, "all", "", [])
"""Values of policy fields that are not listed."""


def scenarios(results: Results) -> list[dict[str, Any]]:
    """What every scenario is, and how it differs from the baseline."""
    base = content_of(results.scenarios[results.baseline])
    found = []
    for name, text in results.scenarios.items():
        content = content_of(text)
        against = base if name != results.baseline else {**base, "policies": {}}
        found.append(
            {
                "name": name, "title": results.titles[name],
                "description": content.get("description") or "",
                "changes": [*policies(content, against), *settings(content, against)],
            }
        )  # fmt: skip
    return found


def policies(content: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Policies that the baseline does not have, has with other values, or has alone."""
    own, others = (c.get("policies") or {} for c in (content, base))
    for name, policy in own.items():
        before, kind = others.get(name, {}), str(policy["kind"])
        known = catalogue.of_instrument(kind) if kind in INSTRUMENTS else {}
        for field, value in policy.items():
            parameter = known.get(field)
            silent = value in EMPTY or (parameter and value == _in_files(parameter.default))
            if field == "source" or value == before.get(field) or (silent and not before):
                continue
            row = _setting(f"{name}.{field}", before.get(field), value, parameter)
            if field == "kind" and known:
                row["meaning"] = (INSTRUMENTS[kind].__doc__ or "").split("\n")[0]
            yield row
    for name, policy in others.items():
        if name not in own:
            row = _setting(name, policy.get("kind"), "not in force", None)
            yield row | {"meaning": "A policy of the baseline."}


def _in_files(default: Any) -> Any:
    """A default as a scenario file writes it."""
    return default.model_dump(mode="json") if isinstance(default, TimePath) else default


def _setting(key: str, was: Any, now: Any, parameter: Parameter | None) -> dict[str, str]:
    """A line of the table of what differs from the baseline."""
    return {
        "key": key, "was": in_words(was), "now": in_words(now),
        "unit": parameter.unit if parameter else "",
        "meaning": parameter.description if parameter else "",
    }  # fmt: skip


def settings(content: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Settings outside the policies that are not those of the baseline."""
    for block in {**base, **content}:
        own, before = content.get(block) or {}, base.get(block) or {}
        if block in (*TEXTS, "policies") or own == before:
            continue
        for field in sorted(own.keys() | before.keys()):
            if own.get(field) != before.get(field):
                parameter = catalogue.find([block, field])
                yield _setting(f"{block}.{field}", before.get(field), own.get(field), parameter)


def in_words(value: Any) -> str:
    """A value of a scenario file in words."""
    if isinstance(value, dict):
        linear = ", linear between" if value.get("interpolate") == "linear" else ""
        dates = (f"{k}: {in_words(v)}" for k, v in value.items() if k != "interpolate")
        return "; ".join(dates) + linear
    if isinstance(value, list | tuple):
        return ", ".join(in_words(entry) for entry in value) or "none"
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def assumptions(results: Results) -> dict[str, Any]:
    """The baseline's numbers with their sources, counted."""
    content = dict(content_of(results.scenarios[results.baseline]))
    if content.pop("data", None):
        return {
            "reason": "the scenarios replace data tables: see scenarios/*.csv beside this report"
        }
    try:
        scenario = replace(Scenario(), **content)
        rows = [r for r in explain(scenario) if r.key.split(".")[0] not in TEXTS]
        tables = scenario.tables()
    except ScenarioError as error:
        return {"reason": f"the resolved baseline cannot be read: {error.problems[0].message}"}
    figures = [
        figure
        for name in ("devices", "foundry_regions", "node_classes", "markets", "origins")
        for figure in getattr(tables, name).figures.values()
        if isinstance(figure.value, float)
    ]
    return {
        "reason": "", "n": len(rows), "assumed": sum(r.is_assumption for r in rows),
        "rows": [_assumption(row) for row in rows], "figures": len(figures),
        "figures_assumed": sum(f.confidence == "assumption" for f in figures),
    }  # fmt: skip


def _assumption(row: Explained) -> dict[str, str]:
    span = "" if row.low is None else f"{in_words(row.low)} to {in_words(row.high)}"
    source = "assumption" if row.is_assumption else " ".join(row.citations)
    return {"key": row.key, "value": in_words(row.value), "unit": row.unit, "range": span,
            "meaning": row.meaning, "source": source}  # fmt: skip
