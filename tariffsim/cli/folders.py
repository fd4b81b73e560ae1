"""`runs`, `pack` and `verify`: folders of stored runs, of results and of replication packages."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tariffsim.cli.experiment import check_memory, making_runs
from tariffsim.cli.options import EngineOptions, engine_options
from tariffsim.cli.screen import FAILED, Column, Command, Screen, count, prose, show, usage_error

if TYPE_CHECKING:
    from tariffsim.experiments.replication import Verdict
    from tariffsim.experiments.store import StoredRun

MESSAGES = {
    "bit-identical": "Every table is bit-identical.",
    "within 1e-9": "Every number is the same to within 1e-9 of the largest of its column.",
    "moved": "The results have moved.",
}


@click.command(cls=Command, order=90, short_help="List or prune stored runs.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--prune", "is_pruning", is_flag=True, help="Remove unusable runs.")
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS",
    help="With --prune: remove older runs as well.",
)  # fmt: skip
def runs(screen: Screen, folder: Path, is_pruning: bool, older_than: float | None) -> None:
    """List the finished runs in DIR: a folder given as --store, or a folder of results.

    Damaged runs and runs of another version of the package are unusable.

    Examples:
      tariffsim runs results/sweep
      tariffsim runs my_runs --prune --older-than 30
    """
    from tariffsim.experiments.store import listed, prune, store_of

    if older_than is not None and not is_pruning:
        raise usage_error("--older-than needs --prune")
    store = store_of(folder)
    removed = prune(store, float("inf") if older_than is None else older_than) if is_pruning else []
    stored = listed(store)
    words = _stored(stored) or "no runs"
    if is_pruning:
        words = f"removed {count(len(removed), 'run')}, {_megabytes(removed):,.1f} MB\n{words}"
    facts = {"store": str(store), "removed": [asdict(run) for run in removed]}
    screen.show(words, facts | {"runs": [asdict(run) for run in stored]})


def _stored(stored: Sequence[StoredRun]) -> str:
    """A line for the runs of a scenario; a line for each that is unusable."""
    groups: dict[tuple[str, str, bool], list[StoredRun]] = {}
    for run in stored:
        if not run.problem:
            groups.setdefault((run.scenario, run.market, run.is_full), []).append(run)
    rows = [
        {"scenario": name, "market": market, "keeps": "all tables" if is_full else "metrics",
         "runs": len(group), "MB": _megabytes(group), "days old": min(run.days for run in group)}
        for (name, market, is_full), group in sorted(groups.items())
    ]  # fmt: skip
    lines = [show(rows, list(rows[0]))] if rows else []
    lines += [f"{run.key[:12] or run.file}: {run.problem}" for run in stored if run.problem]
    return "\n".join(lines)


def _megabytes(group: Sequence[StoredRun]) -> float:
    return sum(run.size for run in group) / 1e6


@click.command(cls=Command, order=100, short_help="Make a replication package of results.")
@click.argument("folder", metavar="DIR")
@click.option("-o", "--out", metavar="DIR", help="Folder to write; default: DIR-package.")
def pack(screen: Screen, folder: str, out: str | None) -> None:
    """Make a replication package of a folder of results, after the AEA template.

    It has a README, the model as it is installed, the data, every scenario in full, the results,
    the versions of all packages, checksums, and one command that runs everything again. It is
    written completely or not at all, and never overwrites anything.

    Examples:
      tariffsim compare component_50 whole_product_china --out results/first
      tariffsim pack results/first --out replication
      tariffsim verify replication
    """
    check_memory()
    from tariffsim.experiments.replication import pack as files_of
    from tariffsim.record.disk import write_new_folder

    source = Path(folder)
    target = Path(out) if out else source.with_name(f"{source.resolve().name}-package")
    files = files_of(source)
    write_new_folder(target, files)
    size = sum(map(len, files.values())) / 1e6
    words = f"{target}: {len(files)} files, {size:.1f} MB"
    screen.show(words, {"folder": str(target), "files": sorted(files), "megabytes": size})
    screen.remark(f"To run it again: python {target / 'replicate.py'}")


@click.command(cls=Command, order=110, short_help="Run results again and compare.")
@click.argument("folder", metavar="DIR")
@engine_options
def verify(options: EngineOptions, folder: str) -> None:
    """Run the scenarios of a folder of results, or a package, again and compare every table.

    Reports `bit-identical`, `within 1e-9` or `moved`, and which versions, data and scenarios
    differ. Exit codes: 0 the same, 4 moved, 5 damaged or no results.

    Examples:
      tariffsim verify results/first
      tariffsim verify replication --jobs 2
    """
    check_memory()
    from tariffsim.experiments.replication import verify as run_again

    with (
        tempfile.TemporaryDirectory() as spare,  # stored runs do not count as run again
        making_runs(options, f"running {folder} again", Path(spare)) as how,
    ):
        found = run_again(Path(folder), *how)
    rows = found.tables.to_dict("records")
    data = {"status": found.status, "changed": list(found.changed), "tables": rows}
    options.screen.show(_verdict(found), data)
    if found.status == "moved":
        raise click.exceptions.Exit(FAILED)


def _verdict(found: Verdict) -> str:
    changed = [f"Changed: {change}." for change in found.changed]
    difference = Column(
        "difference", lambda row: f"{row['difference']:.1e}" if row["difference"] else ""
    )
    table = show(found.tables, ("table", "status", difference, "where"))
    return "\n\n".join([prose(MESSAGES[found.status], *changed), table])
