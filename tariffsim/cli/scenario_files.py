"""`validate`, `explain`, `new` and `schema`: scenario files, without running them."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import KEY, SCENARIO
from tariffsim.cli.explain_maker import explain_maker
from tariffsim.cli.options import load_all
from tariffsim.cli.screen import Command, Screen, prose, show, show_facts, usage_error
from tariffsim.errors import Problem, ProblemsError, ScenarioError, escaped, nearest, printable

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario
    from tariffsim.scenario.provenance import Explained


@click.command(cls=Command, order=120, short_help="Check scenarios: all problems of all files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=SCENARIO)
def validate(screen: Screen, files: tuple[str, ...]) -> None:
    """Check scenarios: every problem of every file, with line, column and a hint.

    Examples:
      tariffsim validate my_tariff.yaml
      tariffsim validate scenarios/*.yaml --json
    """
    found: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for file in files:
        facts: dict[str, Any]
        try:
            (scenario,) = load_all([file])
            from tariffsim.explain.remarks import remarks  # numpy, for valid files only

            facts = {"title": scenario.title, "hash": scenario.content_hash, "problems": []}
            facts["notes"] = list(remarks(scenario))
        except ProblemsError as error:
            problems += error.problems
            facts = {"problems": [asdict(problem) for problem in error.problems], "notes": []}
        found.append({"file": file, "is_valid": not facts["problems"], **facts})
    valid = [f"{f['file']}: valid ({f['title'] or 'no title'})" for f in found if f["is_valid"]]
    if valid or screen.is_json:
        screen.show("\n".join(valid), {"files": found})
    for note in (note for facts in found for note in facts["notes"]):
        screen.remark(f"Note: {note}.")
    if problems:
        refused = ScenarioError(list(dict.fromkeys(problems)))
        click.echo(printable(str(refused)), err=True)
        raise click.exceptions.Exit(refused.exit_code)


@click.command(
    cls=Command, order=130, short_help="The source of a value, or the reasons of a choice."
)
@click.argument("file", metavar="FILE", type=SCENARIO)
@click.argument("key", required=False, metavar="[KEY]", type=KEY)
@click.option("--maker", type=click.IntRange(0), metavar="N", help="A device maker, from 0.")
@click.option("--month", metavar="MONTH", help="With --maker: such as 2028-06; default: the last.")
@click.option("--seed", type=click.IntRange(0, 2**31), metavar="S", help="With --maker: which run.")
@click.option("-o", "--out", metavar="DIR", help="With --maker: folder for a chart of each choice.")
def explain(screen: Screen, file: str, key: str | None, maker: int | None, **given: Any) -> None:
    """Show where a value comes from, or why a device maker buys the chips it buys.

    KEY is a value (supply.learning), or a block or policy for all values in it: unit, range,
    meaning, place, source, path over time. Without KEY: an overview of the values that the
    scenario and its base scenarios set. With --maker the scenario is run to a month: supplier,
    candidates and their costs, next opening of the design, switching threshold.

    Examples:
      tariffsim explain component_50
      tariffsim explain component_50 policies.component_tariff.rate
      tariffsim explain my_tariff.yaml supply
      tariffsim explain baseline figures.devices.smartphone
      tariffsim explain component_50 --maker 17 --month 2028-06
    """
    if maker is not None:
        if key is not None:
            raise usage_error("give KEY or --maker, not both")
        explain_maker(screen, file, maker, **given)
        return
    for option, value in given.items():
        if value is not None:
            raise usage_error(f"--{option} needs --maker")
    from tariffsim.scenario.provenance import explain as explain_rows

    (scenario,) = load_all([file])
    rows = explain_rows(scenario, key)
    facts = {"scenario": scenario.name, "title": scenario.title, "hash": scenario.content_hash}
    values = [asdict(row) | {"is_assumption": row.is_assumption} for row in rows]
    if key is None:
        words = _overview(scenario, rows)
    else:
        words = _in_full(scenario, rows[0]) if len(rows) == 1 else _listed(rows)
    screen.show(words, facts | {"values": values})


def _overview(scenario: Scenario, rows: tuple[Explained, ...]) -> str:
    """The texts of the scenario, and the values that are set in files."""
    is_text = ("title", "label", "description")
    in_files = tuple(r for r in rows if r.where != "default" and r.key not in is_text)
    note = (
        f"{len(in_files)} values are set in files, {len(rows) - len(in_files)} are defaults. A "
        "block in full, with defaults: tariffsim explain FILE supply"
    )
    words = [scenario.title, scenario.description, f"Content hash {scenario.content_hash}"]
    return "\n\n".join([*map(prose, filter(None, words)), _listed(in_files), prose(note)])


def _listed(rows: tuple[Explained, ...]) -> str:
    cells = [
        {"key": row.key, "value": in_short(row.value), "unit": row.unit, "source": row.source,
         "set in": row.where}
        for row in rows
    ]  # fmt: skip
    return show(cells, ("key", "value", "unit", "source", "set in"))


def _in_full(scenario: Scenario, row: Explained) -> str:
    """One value with all its facts."""
    own = scenario.sources.get(row.source)
    citations = [f"{own.cite} ({own.quality})"] if own else row.citations
    lines = [
        ("key", row.key), ("value", in_short(row.value)), ("unit", row.unit),
        ("meaning", row.meaning), ("allowed", row.allowed),
        ("plausible", "" if row.low is None else f"{row.low:.6g} to {row.high:.6g}"),
        ("set in", row.where), ("source", row.source), *(("", cite) for cite in citations),
        *(("over time" if i == 0 else "", f"{month}  {value:.6g}")
          for i, (month, value) in enumerate(row.path)),
    ]  # fmt: skip
    return show_facts((name, value) for name, value in lines if value)


def in_short(value: Any) -> str:
    """A value as it would be written in a file."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_short(v)}" for key, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(in_short, value)) + "]"
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@click.command(cls=Command, order=150, short_help="Write a commented scenario to start from.")
@click.argument("file", metavar="FILE")
@click.option("--from", "base", default="baseline", metavar="NAME", help="What it builds on.")
@click.option("--table", metavar="TABLE", help="A copy of this data table instead.")
def new(screen: Screen, file: str, base: str, table: str | None) -> None:
    """Write a commented scenario that can be run at once; an existing file is never overwritten.

    NAME is that of a shipped scenario; default: the baseline. With --table it is a copy of a data
    table to edit, such as tariff_calendar.

    Examples:
      tariffsim new my_tariff.yaml --from component_50
      tariffsim new what_if.yaml
      tariffsim new my_calendar.csv --table tariff_calendar
    """
    from tariffsim.scenario.scenario_files import shipped_names
    from tariffsim.scenario.writing import new_file, new_table
    from tariffsim.tables import TABLE_NAMES
    from tariffsim.tables.renamed import name_hint

    if table is not None:
        if table not in TABLE_NAMES:
            hint = nearest(table, TABLE_NAMES)
            raise usage_error(f"there is no data table {escaped(table)}; {hint}")
        path = new_table(file, table)
        screen.show(f"wrote {path}", {"file": str(path), "table": table})
        screen.remark(f"next:  name it in a scenario, data: {{{table}: {path.name}}}")
        return
    if base not in shipped_names():
        hint = name_hint("scenario", base, shipped_names())
        told = f"; {hint}" if hint else ""
        raise usage_error(f"no shipped scenario is called {escaped(base)}{told}")
    path = new_file(file if Path(file).suffix else f"{file}.yaml", base)
    screen.show(f"wrote {path}", {"file": str(path), "from": base})
    word = shlex.quote(str(path))
    screen.remark(f"next:  tariffsim validate {word}\n       tariffsim compare {word} --seeds 5")


@click.command(cls=Command, order=160, short_help="Print the JSON Schema of scenario files.")
def schema(screen: Screen) -> None:
    """Print the JSON Schema of scenario files, for editors that check them.

    Example:
      tariffsim schema > scenario-1.json
    """
    from tariffsim.scenario.catalogue import schema_text

    click.echo(schema_text(), nl=False)
