"""Results as one HTML page that needs nothing else: table, charts, scenarios, assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isnan
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tariffsim.charts import CHARTS, Picture, pictures
from tariffsim.charts.facts import Facts, content_of, facts_of, findings, period
from tariffsim.charts.picture import on_one_page
from tariffsim.charts.style import number
from tariffsim.errors import ScenarioError
from tariffsim.policy import INSTRUMENTS
from tariffsim.record.dictionary import Metric
from tariffsim.record.metrics import HEADLINE, METRICS, RATIOS
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario, catalogue, replace
from tariffsim.scenario.provenance import Explained, explain

AGAINST = {"consumer_surplus_loss", "welfare", "cost_per_pp"}
"""Measures that exist only against the baseline."""
WORDS = ("schema_version", "title", "description", "sources", "experiment", "run", "agents")
ENOUGH = 10
"""Runs below which the report warns of few runs."""
LOST = 0.1
"""Per cent of sales lost for want of chips from which the report says so."""
UNSAID: tuple[object, ...] = (None, "all", "", [])
"""Values of policy fields that go without saying."""


def publish(results: Results) -> None:
    """Add charts and report to what `results.save` writes."""
    made, left_out = pictures(results)
    drawn = {picture.name: picture.files() for picture in made}
    for files in drawn.values():
        results.files |= {f"charts/{name}": data for name, data in files.items()}
    results.files["report.html"] = _page(results, made, drawn, left_out)


def make_report(results: Results) -> bytes:
    """The report as UTF-8 HTML."""
    made, left_out = pictures(results)
    return _page(results, made, {picture.name: picture.files() for picture in made}, left_out)


def _page(
    results: Results, made: Sequence[Picture], drawn: Mapping[str, Mapping[str, bytes]],
    left_out: Mapping[str, str],
) -> bytes:  # fmt: skip
    environment = Environment(
        loader=PackageLoader("tariffsim.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_printable,
    )  # fmt: skip
    facts = facts_of(results)
    titles = {chart.name: chart.title for chart in CHARTS}
    svgs = on_one_page([drawn[p.name][f"{p.name}.svg"].decode() for p in made])
    text = environment.get_template("report.html.j2").render(
        facts=facts,
        span=period(facts.months),
        findings=[picture.words.title for picture in made if picture.name != CHARTS[-1].name],
        metrics=[_metric(name) for name in HEADLINE],
        rows=_rows(results, facts),
        cautions=list(_cautions(results, facts)),
        charts=[
            {"title": titles[p.name], "finding": p.words.title, "name": p.name,
             "svg": Markup(svg)}  # we drew it
            for p, svg in zip(made, svgs, strict=True)
        ],
        left_out={titles[name]: reason for name, reason in left_out.items()},
        scenarios=_scenarios(results, facts),
        assumptions=_assumptions(results),
        provenance=dict(_provenance(results)),
        hashes=results.provenance.get("scenario_hashes", {}),
    )  # fmt: skip
    return text.encode()


def _printable(value: Any) -> Any:
    """Text without control characters; anything else as it is."""
    if type(value) is str:
        return "".join(c if c.isprintable() else " " for c in value)
    return value


def _metric(name: str) -> Metric:
    return next(m for m in (*METRICS, *RATIOS) if m.name == name)


def _rows(results: Results, facts: Facts) -> list[dict[str, Any]]:
    """Lines of the headline table: the baseline's levels, and changes of the others."""
    found: dict[str, dict[str, Any]] = {}
    for row in results.tables["headline"].to_dict("records"):
        found.setdefault(str(row["scenario"]), {})[str(row["metric"])] = row
    decimals = {m: _decimals(m, [found[n][m] for n in facts.others]) for m in HEADLINE}
    return [
        {
            "title": facts.labels[name], "name": name, "is_baseline": name == facts.baseline,
            "share": number(rows["cn_share"]["level"], 1),
            "cells": [_level(rows[m], bool(facts.others)) if name == facts.baseline
                      else _change(rows[m], decimals[m]) for m in HEADLINE],
        }
        for name, rows in found.items()
    ]  # fmt: skip


def _decimals(metric: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Decimals of a column that leave two or three digits that mean something."""
    size = max((abs(r["difference"]) for r in rows if not isnan(r["difference"])), default=0.0)
    if _metric(metric).unit == "%":
        return 1
    return 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3


def _level(row: Mapping[str, Any], is_compared: bool) -> dict[str, str]:
    """A level of the baseline; nothing where it is said already or means nothing."""
    if row["metric"] in AGAINST or (is_compared and row["metric"] == "cn_share"):
        return {"value": "", "interval": ""}
    return {"value": number(row["level"], 1), "interval": ""}


def _change(row: Mapping[str, Any], decimals: int) -> dict[str, str]:
    """Change and interval of one measure, or in words why there is none."""
    if isnan(row["difference"]):
        return {"value": "not distinguishable", "interval": "no share avoided for certain"}
    while row["is_significant"] and abs(row["difference"]) < 0.5 * 10.0**-decimals:
        decimals += 1
    change = number(row["difference"], decimals, sign=True)
    if isnan(row["low"]):
        return {"value": change, "interval": "one run"}
    if row["low"] == row["high"] == 0:
        return {"value": change, "interval": "same in every run"}
    low, high = (number(row[end], decimals, sign=True) for end in ("low", "high"))
    return {
        "value": change if row["is_significant"] else "not distinguishable",
        "interval": f"{low} to {high}",
    }


def _cautions(results: Results, facts: Facts) -> Iterator[str]:
    """What the headline table does not show, and who quotes it has to know."""
    if 1 < facts.n < ENOUGH and facts.others:
        yield (
            f"Only {facts.n} runs: intervals are wide, and “not distinguishable” may only mean too "
            "few of them. Take 20 or more before quoting a number."
        )
    base = content_of(results.scenarios[facts.baseline])
    for name in facts.others:
        content = content_of(results.scenarios[name])
        policies, settings = list(_policies(content, base)), list(_settings(content, base))
        if policies and settings:
            keys = dict.fromkeys(change["key"] for change in settings)
            yield (
                f"{facts.labels[name]}: other assumptions than the baseline besides its policies "
                f"({', '.join(keys)}). The change is that of both together; for the policy alone, "
                "compare with a baseline of the same assumptions."
            )
    for name, loss in findings(results, "lost_output").items():
        if loss.level >= LOST:
            yield (
                f"{facts.labels[name]}: {number(loss.level, 1)} % of sales are lost in {facts.end} "
                "for want of chips. Part of its effects is that shortage."
            )


def _scenarios(results: Results, facts: Facts) -> list[dict[str, Any]]:
    """What every scenario is, and how it differs from the baseline."""
    base = content_of(results.scenarios[facts.baseline])
    found = []
    for name, text in results.scenarios.items():
        content = content_of(text)
        against = base if name != facts.baseline else {**base, "policies": {}}
        found.append(
            {
                "name": name, "title": results.titles[name],
                "description": content.get("description") or "",
                "changes": [*_policies(content, against), *_settings(content, against)],
            }
        )  # fmt: skip
    return found


def _policies(content: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Policies the baseline does not have, has otherwise, or has alone."""
    own, others = (c.get("policies") or {} for c in (content, base))
    for name, policy in own.items():
        before, kind = others.get(name, {}), str(policy["kind"])
        known = catalogue.of_instrument(kind) if kind in INSTRUMENTS else {}
        for field, value in policy.items():
            parameter = known.get(field)
            silent = value in UNSAID or (parameter and value == parameter.default)
            if field == "source" or value == before.get(field) or (silent and not before):
                continue
            meaning = parameter.description if parameter else ""
            if field == "kind":
                meaning = (INSTRUMENTS[kind].__doc__ or "").split("\n")[0] if known else ""
            yield {
                "key": f"{name}.{field}", "was": _text(before.get(field)), "now": _text(value),
                "unit": parameter.unit if parameter else "", "meaning": meaning,
            }  # fmt: skip
    for name in others.keys() - own.keys():
        yield {"key": name, "was": _text(others[name].get("kind")), "now": "not in force",
               "unit": "", "meaning": "A policy of the baseline."}  # fmt: skip


def _settings(content: Mapping[str, Any], base: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Settings outside the policies that are not those of the baseline."""
    for block in content.keys() | base.keys():
        own, before = content.get(block) or {}, base.get(block) or {}
        if block in (*WORDS, "policies") or own == before:
            continue
        for field in sorted(own.keys() | before.keys()):
            if own.get(field) != before.get(field):
                parameter = catalogue.find([block, field])
                yield {
                    "key": f"{block}.{field}", "was": _text(before.get(field)),
                    "now": _text(own.get(field)), "unit": parameter.unit if parameter else "",
                    "meaning": parameter.description if parameter else "",
                }  # fmt: skip


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
        rows = [r for r in explain(scenario) if r.key.split(".")[0] not in WORDS]
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
    facts = results.provenance
    yield "tariffsim", str(facts.get("tariffsim", "unknown"))
    yield "Python", str(facts.get("python", "unknown"))
    yield "Machine", " ".join(str(v) for v in facts.get("machine", {}).values())
    yield "Packages", ", ".join(f"{k} {v}" for k, v in facts.get("versions", {}).items())
    yield "Seeds", " to ".join(str(seed) for seed in facts.get("seeds", []))
    yield "Hash of the data tables", str(facts.get("data_hash", "unknown"))
