"""Results as one self-contained HTML page: table, charts, scenarios, assumptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isnan
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tariffsim.charts import CHARTS, Picture, drawing, pictures, prepared
from tariffsim.charts.context import ChartContext, chart_context, content_of
from tariffsim.charts.picture import Prepared, chart_files
from tariffsim.charts.style import period
from tariffsim.errors import ScenarioError
from tariffsim.policy import INSTRUMENTS
from tariffsim.policy.time_path import TimePath
from tariffsim.record.dictionary import metrics
from tariffsim.record.metrics import COMPARED, HEADLINE, NOTED_LOSS
from tariffsim.record.results import Results
from tariffsim.record.statements import estimates, number
from tariffsim.record.uncertainty import is_drawn, sentences
from tariffsim.report.validation import in_short
from tariffsim.scenario import Scenario, catalogue, replace
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.provenance import Explained, explain
from tariffsim.validation.scores import stored_scores

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
ENOUGH = 10
"""Runs below which the report warns of few runs."""
EMPTY: tuple[object, ...] = (None, "all", "", [])
"""Values of policy fields that are not listed."""
INSIGNIFICANT = "n.s."


def publish(results: Results) -> None:
    """Add charts and report to what `results.save` writes."""
    made, left_out = pictures(results)
    results.files |= chart_files(made)
    results.files["report.html"] = _page(results, made, left_out)


@contextmanager
def publishing(results: Results, has_report: bool, is_shared: bool) -> Iterator[Callable[[], None]]:
    """Draw the charts of a command while its tables are written; a comparison has a report too.

    What is called at the end adds all files to what `results.save_held` writes. The bytes do not
    depend on whether the work is shared with a second process.
    """
    charts, left_out = prepared(results) if has_report else ([], {})
    with drawing([*charts, *prepared(results, "experiment")[0]], is_shared) as drawn:

        def finish() -> None:
            results.files |= drawn()
            if has_report:
                results.files["report.html"] = _page(results, charts, left_out)

        yield finish


def _page(
    results: Results, made: Sequence[Picture | Prepared], left_out: Mapping[str, str]
) -> bytes:
    environment = Environment(
        loader=PackageLoader("tariffsim.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_printable,
    )  # fmt: skip
    context = chart_context(results)
    titles = {chart.name: chart.title for chart in CHARTS}
    svgs = [results.files[f"charts/{p.name}.svg"].decode() for p in made]
    text = environment.get_template("report.html.j2").render(
        context=context,
        span=period(context.months),
        findings=[p.text.title for p in made if not p.name.endswith("base_year_fit")],
        metrics=[metrics()[name] for name in HEADLINE],
        rows=_rows(results, context),
        cautions=list(_cautions(results, context)),
        is_drawn=is_drawn(results),
        uncertainty=list(sentences(results)),
        charts=[
            {"title": titles[p.name], "name": p.name, "svg": Markup(svg)}  # drawn by charts
            for p, svg in zip(made, svgs, strict=True)
        ],
        left_out={titles[name]: reason for name, reason in left_out.items()},
        scenarios=_scenarios(results, context),
        assumptions=_assumptions(results),
        history=in_short(stored_scores()),
        compliance=content_of(results.scenarios[results.baseline]).get("compliance") or {},
        provenance=dict(_provenance(results)),
        hashes=results.provenance.get("scenario_hashes", {}),
    )  # fmt: skip
    return text.encode()


def _title(results: Results, context: ChartContext, name: str) -> str:
    """What charts call a scenario; pages can show what no font of this machine can."""
    return results.titles[name] if name in context.unshown else context.labels[name]


def _printable(value: Any) -> Any:
    """Text without control characters; anything else unchanged."""
    if type(value) is str:
        return "".join(c if c.isprintable() else " " for c in value)
    return value


def _rows(results: Results, context: ChartContext) -> list[dict[str, Any]]:
    """Lines of the headline table: the baseline's levels, and changes of the others."""
    found: dict[str, dict[str, Any]] = {}
    for row in results.tables["headline"].to_dict("records"):
        found.setdefault(str(row["scenario"]), {})[str(row["metric"])] = row
    decimals = {m: _decimals(m, [found[n][m] for n in context.others]) for m in HEADLINE}
    return [
        {
            "title": _title(results, context, name), "name": name,
            "is_baseline": name == context.baseline,
            "share": number(rows["cn_share"]["level"], 1),
            "cells": [_level(rows[m], bool(context.others)) if name == context.baseline
                      else _change(rows[m], decimals[m]) for m in HEADLINE],
        }
        for name, rows in found.items()
    ]  # fmt: skip


def _decimals(metric: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Decimals of a column that leave two or three significant digits."""
    size = max((abs(r["difference"]) for r in rows if not isnan(r["difference"])), default=0.0)
    if metrics()[metric].unit == "%":
        return 1
    return 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3


def _level(row: Mapping[str, Any], is_compared: bool) -> dict[str, str]:
    """A level of the baseline; empty where it is shown already or not defined."""
    if row["metric"] in COMPARED or (is_compared and row["metric"] == "cn_share"):
        return {"value": "", "interval": ""}
    return {"value": number(row["level"], 1), "interval": ""}


def _change(row: Mapping[str, Any], decimals: int) -> dict[str, str]:
    """Change and interval of one metric, or why there is none."""
    if isnan(row["difference"]):
        return {"value": INSIGNIFICANT, "interval": "no significant reduction of the share"}
    while row["is_significant"] and abs(row["difference"]) < 0.5 * 10.0**-decimals:
        decimals += 1
    change = number(row["difference"], decimals, sign=True)
    if isnan(row["low"]):
        return {"value": change, "interval": "one run"}
    if row["low"] == row["high"] == 0:
        return {"value": change, "interval": "same in every run"}
    low, high = (number(row[end], decimals, sign=True) for end in ("low", "high"))
    return {
        "value": change if row["is_significant"] else INSIGNIFICANT,
        "interval": f"{low} to {high}",
    }


def _cautions(results: Results, context: ChartContext) -> Iterator[str]:
    """What the headline table does not show and readers need to know."""
    if 1 < context.n < ENOUGH and context.others:
        yield (
            f"Only {context.n} runs: intervals are wide, and “n.s.” may only mean too few of them. "
            "Take 20 or more before quoting a number."
        )
    base = content_of(results.scenarios[context.baseline])
    for name in context.others:
        content = content_of(results.scenarios[name])
        policies, settings = list(_policies(content, base)), list(_settings(content, base))
        if policies and settings:
            keys = dict.fromkeys(change["key"] for change in settings)
            yield (
                f"{context.labels[name]}: other assumptions than the baseline besides its policies "
                f"({', '.join(keys)}). The change is that of both together; for the policy alone, "
                "compare with a baseline of the same assumptions."
            )
    for name, loss in estimates(results, "lost_output").items():
        if loss.level > NOTED_LOSS:
            yield (
                f"{context.labels[name]}: {number(loss.level, 1)} % of sales are lost in "
                f"{context.end} for lack of chips. Part of its effects is that shortage."
            )


def _scenarios(results: Results, context: ChartContext) -> list[dict[str, Any]]:
    """What every scenario is, and how it differs from the baseline."""
    base = content_of(results.scenarios[context.baseline])
    found = []
    for name, text in results.scenarios.items():
        content = content_of(text)
        against = base if name != context.baseline else {**base, "policies": {}}
        found.append(
            {
                "name": name, "title": results.titles[name],
                "description": content.get("description") or "",
                "changes": [*_policies(content, against), *_settings(content, against)],
            }
        )  # fmt: skip
    return found


def _policies(content: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, str]]:
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
        "key": key, "was": _text(was), "now": _text(now),
        "unit": parameter.unit if parameter else "",
        "meaning": parameter.description if parameter else "",
    }  # fmt: skip


def _settings(content: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Settings outside the policies that are not those of the baseline."""
    for block in {**base, **content}:
        own, before = content.get(block) or {}, base.get(block) or {}
        if block in (*TEXTS, "policies") or own == before:
            continue
        for field in sorted(own.keys() | before.keys()):
            if own.get(field) != before.get(field):
                parameter = catalogue.find([block, field])
                yield _setting(f"{block}.{field}", before.get(field), own.get(field), parameter)


def _text(value: Any) -> str:
    """A value of a scenario file in words."""
    if isinstance(value, dict):
        linear = ", linear between" if value.get("interpolate") == "linear" else ""
        dates = (f"{k}: {_text(v)}" for k, v in value.items() if k != "interpolate")
        return "; ".join(dates) + linear
    if isinstance(value, list | tuple):
        return ", ".join(_text(entry) for entry in value) or "none"
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _assumptions(results: Results) -> dict[str, Any]:
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
    span = "" if row.low is None else f"{_text(row.low)} to {_text(row.high)}"
    source = "assumption" if row.is_assumption else " ".join(row.citations)
    return {"key": row.key, "value": _text(row.value), "unit": row.unit, "range": span,
            "meaning": row.meaning, "source": source}  # fmt: skip


def _provenance(results: Results) -> Iterator[tuple[str, str]]:
    known = results.provenance
    yield "tariffsim", str(known.get("tariffsim", "unknown"))
    yield "Python", str(known.get("python", "unknown"))
    yield "Machine", " ".join(str(v) for v in known.get("machine", {}).values())
    yield "Packages", ", ".join(f"{k} {v}" for k, v in known.get("versions", {}).items())
    yield "Seeds", " to ".join(str(seed) for seed in known.get("seeds", []))
    if precision := known.get("precision"):
        number = "as many as" if precision["is_reached"] else "the most, fewer than"
        yield "Number of seeds", f"{number} a precision of {precision['wanted']:g} pp takes"
    digest = known.get("parameters", {}).get("digest", "")
    yield "Parameters", f"drawn (hash of their distribution: {digest})" if digest else "central"
    yield "Hash of the data tables", str(known.get("data_hash", "unknown"))
