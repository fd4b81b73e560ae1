"""`runs`: what a store of finished runs has, and removing what is of no use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tariffsim.cli.screen import CONTEXT, Screen, shared, table

if TYPE_CHECKING:
    from tariffsim.experiments.store import Kept


@click.command(context_settings=CONTEXT, short_help="List or prune finished runs that are kept.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--prune", "is_pruning", is_flag=True, help="Remove what is of no use.")
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="With --prune: and what is."
)
@shared
def runs(screen: Screen, folder: Path, is_pruning: bool, older_than: float | None) -> None:
    """List the finished runs in DIR: a folder named by --store, or one of results.

    Of no use are damaged files and runs of another version of the package.

    Examples:
      tariffsim runs results/sweep
      tariffsim runs my_runs --prune --older-than 30
    """
    from tariffsim.experiments.store import listed, prune, store_of

    if older_than is not None and not is_pruning:
        raise click.UsageError("--older-than needs --prune", click.get_current_context())
    store = store_of(folder)
    gone = prune(store, float("inf") if older_than is None else older_than) if is_pruning else []
    there = listed(store)
    text = _text(there) or "no runs"
    if is_pruning:
        text = f"removed {len(gone)} files, {_size(gone)}\n{text}"
    facts = {"store": str(store), "removed": [asdict(kept) for kept in gone]}
    screen.show(text, facts | {"runs": [asdict(kept) for kept in there]})


def _text(there: Sequence[Kept]) -> str:
    """A line for the runs of a scenario; a line for each file of no use."""
    groups: dict[tuple[str, str, bool], list[Kept]] = {}
    for kept in there:
        if not kept.problem:
            groups.setdefault((kept.scenario, kept.market, kept.is_full), []).append(kept)
    cells = [
        (name, market, "all tables" if is_full else "metrics", str(len(group)), _size(group),
         f"{min(kept.days for kept in group):.1f}")
        for (name, market, is_full), group in sorted(groups.items())
    ]  # fmt: skip
    heads = ("scenario", "market", "keeps", "runs", "size", "days old")
    lines = [table(heads, cells, "   rrr")] if cells else []
    lines += [f"{kept.file[:12]}...: {kept.problem}" for kept in there if kept.problem]
    return "\n".join(lines)


def _size(group: Sequence[Kept]) -> str:
    return f"{sum(kept.size for kept in group) / 1e6:,.1f} MB"
