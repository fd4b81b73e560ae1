"""`validate`, `explain`, `new` and `schema`: scenario files, without running them."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.scenarios import load_all
from tariffsim.cli.screen import CONTEXT, Screen, printable, prose, shared, table
from tariffsim.errors import Problem, ProblemsError, ScenarioError

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario
    from tariffsim.scenario.provenance import Explained


@click.command(context_settings=CONTEXT, short_help="Check scenarios: all problems of all files.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@shared
def validate(screen: Screen, files: tuple[str, ...]) -> None:
    """Check scenarios: every problem of every file, with line, column and a hint.

    Examples:
      tariffsim validate my_tariff.yaml
      tariffsim validate scenarios/*.yaml --json
    """
    from tariffsim.scenario.checks import remarks

    found: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for file in files:
        facts: dict[str, Any]
        try:
            (scenario,) = load_all([file])
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


@click.command(context_settings=CONTEXT, short_help="Where a value, or a maker's choice, is from.")
@click.argument("file", metavar="FILE")
@click.argument("key", required=False, metavar="[KEY]")
@click.option("--maker", type=click.IntRange(0), metavar="N", help="A device maker, from 0.")
@click.option("--month", metavar="MONTH", help="With --maker: such as 2028-06; default: the last.")
@click.option("--seed", type=click.IntRange(0, 2**31), metavar="S", help="With --maker: which run.")
@click.option("-o", "--out", metavar="DIR", help="With --maker: folder for a chart of each choice.")
@shared
def explain(screen: Screen, file: str, key: str | None, maker: int | None, **given: Any) -> None:
    """Say where a value comes from, or why a device maker buys the chips it buys.

    KEY is a value (supply.learning), or a block or policy for all that is in it: unit, range,
    meaning, place, source, path over time. Without KEY: an overview of what the scenario and those
    it builds on say. With --maker the scenario is run to a month: who supplies, who could and at
    what cost, when the design opens next, what it would take to switch.

    Examples:
      tariffsim explain component_50
      tariffsim explain component_50 policies.component_tariff.rate
      tariffsim explain my_tariff.yaml supply
      tariffsim explain baseline figures.devices.PHONE
      tariffsim explain component_50 --maker 17 --month 2028-06
    """
    if maker is not None:
        from tariffsim.cli.choice import explain_maker

        if key is not None:
            raise click.UsageError("give KEY or --maker, not both", click.get_current_context())
        explain_maker(screen, file, maker, **given)
        return
    for option, value in given.items():
        if value is not None:
            raise click.UsageError(f"--{option} needs --maker", click.get_current_context())
    from tariffsim.scenario.provenance import explain as explain_rows

    (scenario,) = load_all([file])
    rows = explain_rows(scenario, key)
    facts = {"scenario": scenario.name, "title": scenario.title, "hash": scenario.content_hash}
    values = [asdict(row) | {"is_assumption": row.is_assumption} for row in rows]
    if key is None:
        text = _overview(scenario, rows)
    else:
        text = _in_full(scenario, rows[0]) if len(rows) == 1 else _listed(rows)
    screen.show(text, facts | {"values": values})


def _overview(scenario: Scenario, rows: tuple[Explained, ...]) -> str:
    """What the scenario is about, and the values that are set in files."""
    said = tuple(r for r in rows if r.where != "default" and r.key not in ("title", "description"))
    note = (
        f"{len(said)} values are set in files, {len(rows) - len(said)} are defaults. A block in "
        "full, defaults and all: tariffsim explain FILE supply"
    )
    words = [scenario.title, scenario.description, f"Content hash {scenario.content_hash}"]
    return "\n\n".join([*map(prose, filter(None, words)), _listed(said), prose(note)])


def _listed(rows: tuple[Explained, ...]) -> str:
    cells = [(row.key, in_short(row.value), row.unit, row.source, row.where) for row in rows]
    return table(("key", "value", "unit", "source", "set in"), cells)


def _in_full(scenario: Scenario, row: Explained) -> str:
    """One value, all there is to say."""
    own = scenario.sources.get(row.source)
    cited = [f"{own.cite} ({own.quality})"] if own else row.citations
    said = [
        ("key", row.key), ("value", in_short(row.value)), ("unit", row.unit),
        ("meaning", row.meaning), ("allowed", row.allowed),
        ("plausible", "" if row.low is None else f"{row.low:.6g} to {row.high:.6g}"),
        ("set in", row.where), ("source", row.source), *(("", cite) for cite in cited),
        *(("over time" if i == 0 else "", f"{month}  {value:.6g}")
          for i, (month, value) in enumerate(row.path)),
    ]  # fmt: skip
    return table(("", ""), [(name, value) for name, value in said if value])


def in_short(value: Any) -> str:
    """A value as it would stand in a file."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {in_short(v)}" for key, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(in_short, value)) + "]"
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@click.command(context_settings=CONTEXT, short_help="Write a commented scenario to start from.")
@click.argument("file", metavar="FILE")
@click.option("--from", "base", default="baseline", metavar="NAME", help="What it builds on.")
@shared
def new(screen: Screen, file: str, base: str) -> None:
    """Write a commented scenario that runs as it is; never over a file that is there.

    NAME is that of a shipped scenario, the baseline without --from.

    Examples:
      tariffsim new my_tariff.yaml --from component_50
      tariffsim new what_if.yaml
    """
    from tariffsim.errors import escaped, nearest
    from tariffsim.scenario.scenario_files import shipped_names
    from tariffsim.scenario.writing import new_file

    if base not in shipped_names():
        message = f"no shipped scenario is called {escaped(base)}; {nearest(base, shipped_names())}"
        raise click.UsageError(message, click.get_current_context())
    path = new_file(file if Path(file).suffix else f"{file}.yaml", base)
    screen.show(f"wrote {path}", {"file": str(path), "from": base})
    word = shlex.quote(str(path))
    screen.remark(f"next:  tariffsim validate {word}\n       tariffsim compare {word} --seeds 5")


@click.command(context_settings=CONTEXT, short_help="Print the JSON Schema of scenario files.")
@shared
def schema(screen: Screen) -> None:
    """Print the JSON Schema of scenario files, for editors that check while one types.

    Example:
      tariffsim schema > scenario-1.json
    """
    from tariffsim.scenario.schema import schema_text

    click.echo(schema_text(), nl=False)
