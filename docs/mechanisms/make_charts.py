"""Draw the charts of docs/mechanisms.md, one a mechanism: SVG here, PNG to look at elsewhere.

python docs/mechanisms/make_charts.py                   # all of them, some minutes
python docs/mechanisms/make_charts.py evasion cut_off   # these
python docs/mechanisms/make_charts.py --list
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import assembly
import chips
import importers
import rivals
import shortages
from runs import Runs

from tariffsim.charts.picture import Picture

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))
from tests.charts.lint import lint  # noqa: E402  the linter is part of the tests

MECHANISMS: dict[str, Callable[[Runs], Picture]] = {
    made.__name__: made
    for made in (
        importers.unknown_origin,
        importers.evasion,
        importers.pass_through,
        importers.front_loading,
        assembly.whole_products,
        shortages.cut_off,
        shortages.requalification,
        shortages.scarcity,
        rivals.answers,
        rivals.price_war,
        rivals.grants,
        rivals.older_nodes,
        chips.origin_rule,
        chips.makers_choice,
        chips.resource_shuffling,
    )
}
"""Charts by name, in the order of the page."""


def main(arguments: list[str] | None = None) -> int:
    """Draw the charts that are asked for."""
    asked = parser().parse_args(arguments)
    if asked.list:
        for name, made in MECHANISMS.items():
            print(f"{name:24} {(made.__doc__ or '').strip()}")
        return 0
    png = Path(asked.png or tempfile.mkdtemp(prefix="mechanisms-png-"))
    png.mkdir(parents=True, exist_ok=True)
    names, faults = asked.names or list(MECHANISMS), 0
    with tempfile.TemporaryDirectory(prefix="mechanisms-") as store:
        runs = Runs(store=Path(store) / "runs")
        for n, name in enumerate(names, start=1):
            began = time.perf_counter()
            picture = MECHANISMS[name](runs)
            write(picture, png)
            print(f"{n}/{len(names)} {name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
            for fault in lint(picture):
                faults += 1
                print(f"  {fault}", file=sys.stderr)
    print(f"PNG to look at: {png}", file=sys.stderr)
    return 1 if faults else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("names", nargs="*", choices=[*MECHANISMS, []], metavar="NAME",
                      help="charts to draw; all if none is named")  # fmt: skip
    made.add_argument("--list", action="store_true", help="list the charts and what they show")
    made.add_argument("--png", metavar="DIR", help="folder for PNG; a temporary one if left out")
    return made


def write(picture: Picture, png: Path) -> None:
    """SVG beside this script, PNG where it is looked at."""
    for name, data in picture.files().items():
        if name.endswith(".svg"):
            (FOLDER / name).write_bytes(data)
        elif name.endswith(".png"):
            (png / name).write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
