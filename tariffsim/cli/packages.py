"""`pack` and `verify`: results that others can make again, and whether they come out the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.engine import making_runs, on_engine
from tariffsim.cli.failures import FAILED
from tariffsim.cli.screen import CONTEXT, Screen, prose, shared, table

if TYPE_CHECKING:
    from tariffsim.experiments.replication import Verdict

SAID = {
    "bit-identical": "Every table came out bit-identical.",
    "within 1e-9": "Every table came out as it was, to within 1e-9 of its largest numbers.",
    "moved": "The results have moved.",
}


@click.command(context_settings=CONTEXT, short_help="Make a replication package of results.")
@click.argument("folder", metavar="DIR")
@click.option("-o", "--out", metavar="DIR", help="Where to; default: DIR-package.")
@shared
def pack(screen: Screen, folder: str, out: str | None) -> None:
    """Make a replication package of a folder of results, after the AEA template.

    It holds a README, the model as it is installed, the data, every scenario in full, the
    results, the versions of all packages, checksums, and one command that runs it all again. It is
    written whole or not at all, and never over something else.

    Examples:
      tariffsim compare component_50 whole_product_china --out results/first
      tariffsim pack results/first --out replication
      tariffsim verify replication
    """
    from tariffsim.experiments.replication import pack as files_of
    from tariffsim.record.disk import write_new_folder

    source = Path(folder)
    target = Path(out) if out else source.with_name(f"{source.resolve().name}-package")
    files = files_of(source)
    write_new_folder(target, files)
    size = sum(map(len, files.values())) / 1e6
    text = f"{target}: {len(files)} files, {size:.1f} MB"
    screen.show(text, {"folder": str(target), "files": sorted(files), "megabytes": size})
    screen.remark(f"To run it again: python {target / 'replicate.py'}")


@click.command(context_settings=CONTEXT, short_help="Run results again and compare.")
@click.argument("folder", metavar="DIR")
@on_engine
@shared
def verify(screen: Screen, folder: str, **engine: Any) -> None:
    """Run what a folder of results, or a package, holds once more and compare every table.

    Says `bit-identical`, `within 1e-9` or `moved`, and what is not as it was: versions, data,
    scenarios. Exit codes: 0 the same, 4 moved, 5 damaged or no results.

    Examples:
      tariffsim verify results/first
      tariffsim verify replication --jobs 2
    """
    from tariffsim.experiments.replication import verify as run_again

    what = f"running {folder} again"
    with (
        tempfile.TemporaryDirectory() as spare,  # finished runs do not count as run again
        making_runs(screen, what, Path(spare), **engine) as made,
    ):
        found = run_again(Path(folder), *made)
    rows = found.tables.to_dict("records")
    data = {"status": found.status, "changed": list(found.changed), "tables": rows}
    screen.show(_text(found), data)
    if found.status == "moved":
        raise click.exceptions.Exit(FAILED)


def _text(found: Verdict) -> str:
    cells = [
        (row["table"], row["status"], f"{row['difference']:.1e}" if row["difference"] else "",
         row["where"])
        for row in found.tables.to_dict("records")
    ]  # fmt: skip
    changed = [f"Not as it was: {what}." for what in found.changed]
    parts = [prose(SAID[found.status], *changed)]
    return "\n\n".join([*parts, table(("table", "", "difference", "largest in"), cells)])
