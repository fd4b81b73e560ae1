"""Pages from templates: what the reports of comparisons and of experiments have in common."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tariffsim.charts import CHARTS, Picture
from tariffsim.charts.picture import Prepared
from tariffsim.record.results import Results
from tariffsim.record.uncertainty import is_drawn
from tariffsim.report.settings import assumptions, scenarios
from tariffsim.report.sheets import csv_link

LINKED = 100_000
"""Bytes of the numbers of a chart up to which a page holds them."""


def rendered(template: str, results: Results, is_short: bool = False, **facts: Any) -> bytes:
    """A page, with what all pages have: settings, sources, provenance.

    A short one, for paper, has no tables of settings.
    """
    environment = Environment(
        loader=PackageLoader("tariffsim.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=printable,
    )  # fmt: skip
    text = environment.get_template(template).render(
        is_short=is_short,
        scenarios=scenarios(results),
        assumptions=assumptions(results),
        reproduce=reproduce(results),
        provenance=dict(_provenance(results)),
        hashes=results.provenance.get("scenario_hashes", {}),
        **facts,
    )
    return text.encode()


def printable(value: Any) -> Any:
    """Text without control characters; anything else unchanged."""
    if type(value) is str:
        return "".join(c if c.isprintable() else " " for c in value)
    return value


def charts_of(
    results: Results, made: Sequence[Picture | Prepared], is_short: bool = False
) -> list[dict[str, Any]]:
    """Drawings for a page with headings and titles, and their numbers as a link where few.

    On paper they are bitmaps, which look the same whatever makes the PDF.
    """
    headings = {chart.name: chart.title for chart in CHARTS}
    found = []
    for picture in made:
        svg = results.files[f"charts/{picture.name}.svg"].decode()
        numbers = results.files.get(f"charts/{picture.name}.csv", b"")
        link = csv_link(numbers) if 0 < len(numbers) <= LINKED else ""
        if is_short:
            png = base64.b64encode(results.files[f"charts/{picture.name}.png"]).decode()
            svg, link = f'<img src="data:image/png;base64,{png}" alt="">', ""
        found.append(
            {"title": headings[picture.name], "name": picture.name, "link": link,
             "finding": picture.text.title, "svg": Markup(svg)}  # drawn by charts
        )  # fmt: skip
    return found


def reproduce(results: Results) -> dict[str, str]:
    """The command that makes these results again, and how to check that it does."""
    names, known = list(results.scenarios), results.provenance
    experiment = str(known.get("experiment", ""))
    files = [shlex.quote(f"scenarios/{name}.yaml") for name in names]
    seeds = known.get("seeds") or [0, 0]
    last = [
        f"--seeds {seeds[-1] - seeds[0] + 1}",
        f"--seed {seeds[0]}",
        f"--market {results.market}",
    ]
    if "market_month" not in results.tables:
        command = experiment.split("-")[0] if experiment else "sweep"
        own = files[1:] or files
        return {
            "command": " ".join(["tariffsim", command, *own, *last]),
            "remark": "Add the options of the experiment: those that are not defaults are in the "
            "list below.",
        }
    if len(names) == 1:
        words = ["tariffsim run", *files, *last]
    else:
        fixed = [] if is_drawn(results) else ["--fixed-parameters"]
        words = ["tariffsim compare", *files[1:], f"--baseline {files[0]}", *last, *fixed]
    return {
        "command": " ".join(words),
        "remark": "`tariffsim verify DIR` does so and compares every table: equal, equal to within "
        "rounding, or moved.",
    }


STATED = (
    "tariffsim", "python", "machine", "versions", "seeds", "precision", "parameters", "data_hash",
    "scenario_hashes", "asked", "failures", "wall_seconds", "schema_version",
)  # fmt: skip
"""Facts of a manifest that are stated in words of their own, or that no reader needs."""


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
    for key, fact in known.items():
        if key not in STATED and fact not in (None, "", [], {}):
            yield key.replace("_", " ").capitalize(), _fact(fact)


def _fact(fact: Any) -> str:
    if isinstance(fact, Mapping):
        return "; ".join(f"{key}: {_fact(value)}" for key, value in fact.items())
    if isinstance(fact, list | tuple):
        return ", ".join(map(_fact, fact))
    return str(fact)
