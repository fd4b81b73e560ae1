"""`list`: scenarios, instruments, parameters and more, with descriptions and units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from tariffsim.cli.scenario_files import in_short
from tariffsim.cli.screen import Command, Screen, show


def _scenarios() -> Iterator[dict[str, Any]]:
    from tariffsim.scenario import load_scenario
    from tariffsim.scenario.scenario_files import shipped_names

    for name in shipped_names():
        scenario = load_scenario(name)
        kinds = ", ".join(sorted({policy.kind for policy in scenario.policies.values()}))
        yield {"scenario": name, "policies": kinds, "description": scenario.title}


def _instruments() -> Iterator[dict[str, Any]]:
    from tariffsim.policy import INSTRUMENTS
    from tariffsim.scenario.catalogue import of_instrument

    for kind, model in INSTRUMENTS.items():
        unit = of_instrument(kind)[model.path_field].unit
        about = {"strength": model.path_field, "unit": unit, "description": _first_line(model)}
        yield {"instrument": kind, **about}


def _fields(kind: str) -> Iterator[dict[str, Any]]:
    """The fields of one instrument, without those that have no meaning for it."""
    from tariffsim.policy import INSTRUMENTS
    from tariffsim.scenario.catalogue import of_instrument

    for field, p in of_instrument(kind).items():
        if field in INSTRUMENTS[kind].without:
            continue
        default = "required" if p.is_required else in_short(p.default)
        if p.kind == "codes" and p.default is None:
            default = "all"
        about = {"field": field, "default": default, "unit": p.unit, "allowed": p.allowed}
        yield about | {"description": p.description}


def _codes() -> Iterator[dict[str, Any]]:
    from tariffsim.tables import load_tables

    for table, meaning in CODES.items():
        figures = getattr(load_tables(), table)
        for code in figures.codes:
            yield {"code": code, "of": meaning, "label": figures.text(code, "label")}


def _parameters() -> Iterator[dict[str, Any]]:
    from tariffsim.scenario.catalogue import parameters

    for p in parameters():
        yield {
            "parameter": p.key,
            "default": "required" if p.is_required else in_short(p.default),
            "unit": p.unit,
            "allowed": p.allowed,
            "plausible": "" if p.low is None else f"{p.low:.3g} to {p.high:.3g}",
            "source": p.source,
            "description": p.description,
        }


def _phases() -> Iterator[dict[str, Any]]:
    from tariffsim.month import PHASES

    for number, phase in enumerate(PHASES, start=1):
        yield {"order": number, "phase": phase.__name__, "description": _first_line(phase)}


def _metrics() -> Iterator[dict[str, Any]]:
    from tariffsim.record.metrics import METRICS, RATIOS

    for m in (*METRICS, *RATIOS):
        yield {"metric": m.name, "label": m.label, "unit": m.unit, "description": m.definition}


def _charts() -> Iterator[dict[str, Any]]:
    from tariffsim.charts import CHARTS

    for chart in CHARTS:
        yield {"chart": chart.name, "description": chart.title}


CODES = {
    "devices": "device group",
    "markets": "market",
    "origins": "country of assembly",
    "foundry_regions": "region of fabrication",
    "node_classes": "node class",
}
"""Tables that define codes, and what their codes are codes of."""
WHAT: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "scenarios": _scenarios,
    "instruments": _instruments,
    "codes": _codes,
    "parameters": _parameters,
    "phases": _phases,
    "metrics": _metrics,
    "charts": _charts,
}


@click.command(
    "list", cls=Command, order=140,
    short_help="List scenarios, instruments, parameters and more.",
)  # fmt: skip
@click.argument("what", type=click.Choice(list(WHAT)), metavar="WHAT")
@click.argument("word", required=False, metavar="[WORD]")
def list_(screen: Screen, what: str, word: str | None) -> None:
    """List scenarios, instruments, codes, parameters, phases, metrics or charts.

    With descriptions and units; with WORD, only entries that contain it. With the name of an
    instrument, its fields. On a terminal long texts are wrapped; elsewhere every entry is one line.

    Examples:
      tariffsim list scenarios
      tariffsim list instruments component_tariff
      tariffsim list codes
      tariffsim list parameters elasticity
      tariffsim list metrics --json
    """
    from tariffsim.policy import INSTRUMENTS

    is_one = what == "instruments" and word in INSTRUMENTS
    items = list(_fields(word) if is_one and word else WHAT[what]())
    if word is not None and not is_one:
        items = [item for item in items if word.lower() in _searched(item)]
    if items or screen.is_json:
        screen.show(show(items, list(items[0])) if items else "", {what: items})
    if not items:
        from tariffsim.tables.renamed import new_names, now_called

        renamed = [f"{old} {now_called(new)}; " for old, new in new_names(word or "").items()]
        told = "".join(renamed) or f"none of the {what} contains that; "
        screen.remark(f"{told}all of them: tariffsim list {what}")


def _searched(item: dict[str, Any]) -> str:
    """All texts of an entry; `policies.<kind>.field` is found without the brackets too."""
    texts = str(list(item.values())).lower()
    return texts + texts.replace("<", "").replace(">", "")


def _first_line(thing: Any) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]
