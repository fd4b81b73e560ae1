"""`explain --maker`: why a device maker buys the chips it buys, as tables."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.scenarios import load_all
from tariffsim.cli.screen import Screen, prose, table, width
from tariffsim.errors import ChoiceError

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.explain.line import Explanation
    from tariffsim.explain.slot import SlotChoice

SHOWN = 8
"""Candidates in a table; the least likely others are one line."""
ROOMY = 100
"""Columns of a terminal from which all columns of the table are shown."""
SPARED = ("since 2024", "size")
LEGEND = (
    "*: supplies now; +: is being qualified. price, duties, switching (cost over the chips of one "
    "design) and total in USD a chip; suits: share of choices at the costs of 2024 with no foundry "
    "in place; size: lines against 2024; chosen: probability at the next opening, in proportion to "
    "suits x size x (total against its cost in 2024) ^ -{elasticity:g}."
)
LARGEST_RATE = 5.0
"""The highest ad valorem rate that a scenario may hold."""


def explain_maker(
    screen: Screen, file: str, maker: int, month: str | None, seed: int | None, out: str | None
) -> None:
    """Run the scenario to the month and print the choices of one maker."""
    (scenario,) = load_all([file])
    from tariffsim.explain.line import explain_choice

    try:
        found = explain_choice(scenario, maker, month, seed)
    except ChoiceError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
    legend = prose(LEGEND.format(elasticity=found.elasticity))
    text = "\n\n".join([_about(found), *map(_slot, found.slots), legend])
    screen.show(text, found.to_dict())
    if out is not None:
        from tariffsim.charts.cost_stack import files_of

        for path in _write(files_of(found), Path(out)):
            screen.remark(f"wrote {path}")


def _write(files: dict[str, bytes], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in files]


def _about(found: Explanation) -> str:
    sold = ", ".join(f"{market} {100 * share:.0f} %" for market, share in found.markets.items())
    name = found.title or found.scenario
    return prose(
        f"Device maker {found.maker} in {found.month}: {name} (seed {found.seed})",
        f"{found.device_label}, assembled in {found.origin}, {found.units:,.0f} units a month; "
        f"sold in {sold}.",
        "Duties are those expected over the life of its next choice, as its importers will bear "
        "them, the mean over its markets.",
        *_importers(found),
    )


def _importers(found: Explanation) -> list[str]:
    """Who cannot tell, and from which rate the others hide."""
    blind = [market for market, who in found.importers.items() if not who.knows_origin]
    hides = {m: who.evasion_threshold for m, who in found.importers.items()
             if who.knows_origin and who.evasion_threshold < math.inf}  # fmt: skip
    parts = []
    if blind:
        parts.append(f"cannot tell where chips come from in {', '.join(blind)}")
    if hides:
        rates = ", ".join(f"{_percent(rate)} in {market}" for market, rate in hides.items())
        parts.append(f"would rather hide a duty than pay it from a rate of {rates}")
    return [f"Its importers: {'; '.join(parts)}."] if parts else []


def _slot(slot: SlotChoice) -> str:
    """One slot: what is so, what would change it, and the candidates."""
    now = slot.candidates[slot.candidates["supplies_now"]]
    price = f"at {_usd(now['price'].iloc[0])} USD a chip" if len(now) else "without capacity left"
    kind = "a drop-in part" if slot.is_pin_compatible else "part of the design"
    lines = [
        f"Class {slot.node_class}: {slot.chips:.3g} chips a unit, {kind}, from {slot.supplier} "
        f"{price}",
        _when(slot),
        f"At the next opening, at what is expected now, {_in_place(slot)} is kept with "
        f"{_percent(slot.stays)} probability and a foundry in {slot.region} taken with "
        f"{_percent(slot.stays_in_region)}. A switch costs {_percent(slot.switching_cost)} of the "
        "chip bill of one design's life.",
        _break_even(slot),
    ]
    return prose(*lines) + "\n\n" + _candidates(slot)


def _in_place(slot: SlotChoice) -> str:
    return slot.next_supplier or slot.supplier


def _when(slot: SlotChoice) -> str:
    """What is under way, and when the slot may choose next."""
    opened = "It opened this month. " if slot.opens_now else ""
    way = "No switch is under way. "
    if slot.next_supplier is not None:
        way = f"{slot.next_supplier} is being qualified and takes over in {slot.takes_over}. "
    if slot.next_opening is None:
        return f"{opened}{way}It does not open again before the run ends."
    return f"{opened}{way}It opens next in {slot.next_opening}, whatever the policy."


def _break_even(slot: SlotChoice) -> str:
    """What it would take to switch, in words."""
    rate, region = slot.break_even_rate, slot.region
    if math.isinf(rate):
        return (
            f"Break-even duty: no rate. No further duty on chips from {region} would move this "
            "choice: nobody else makes them, or its importers would not pay it."
        )
    if rate <= 0:
        return (
            f"Break-even duty: none needed. The next opening is more likely to leave {region} than "
            "to stay, as things are."
        )
    alone = {m: r for m, r in slot.break_even_alone.items() if r <= LARGEST_RATE}
    parts = ", ".join(f"{market} {_percent(r)}" for market, r in alone.items())
    only = (
        f" Levied by one market alone: {parts}." if parts and len(slot.break_even_alone) > 1 else ""
    )
    if rate > LARGEST_RATE:
        return (
            f"Break-even duty: no rate up to {_percent(LARGEST_RATE)}. It would take "
            f"{_percent(rate)} of the price of chips from {region}."
        )
    return (
        f"Break-even duty: {_percent(rate)} of the price of chips from {region}, on top of what is "
        "expected. From there on the next opening is more likely to leave the region than to "
        f"stay.{only}"
    )


def _candidates(slot: SlotChoice) -> str:
    """The foundry in place, then the likeliest; the others as one line."""
    is_narrow = width() < ROOMY
    duties = _few(slot.duties)
    rows = slot.candidates.sort_values(["in_place", "probability"], ascending=False, kind="stable")
    top, rest = rows.iloc[:SHOWN], rows.iloc[SHOWN:]
    due, about = duties.to_dict("index"), top.to_dict("index")
    cells = [_row(str(name), row, due[name]) for name, row in about.items()]
    if len(rest):
        suits, chosen = _percent(rest["preference"].sum()), _percent(rest["probability"].sum())
        sums = {"foundry": f"{len(rest)} others", "suits": suits, "chosen": chosen}
        cells.append({head: sums.get(head, "") for head in cells[0]})
    heads = [head for head in cells[0] if not (is_narrow and head in SPARED)]
    texts = [[row[head] for head in heads] for row in cells]
    broken = ["\n".join(textwrap.wrap(head.replace("_", "_ "), 11)).replace("_ ", "_")
              for head in heads]  # fmt: skip
    return table(broken, texts, "ll" + "r" * (len(heads) - 2), gap=1 if is_narrow else 2)


def _few(duties: pd.DataFrame) -> pd.DataFrame:
    """Duties in at most three columns, the smallest together."""
    if len(duties.columns) <= 3:
        return duties
    order = duties.abs().mean().sort_values(ascending=False, kind="stable").index
    return duties[order[:2]].assign(**{"other duties": duties[order[2:]].sum(axis=1)})


def _row(name: str, row: Mapping[Any, Any], duties: Mapping[Any, float]) -> dict[str, str]:
    mark = " *" if row["supplies_now"] else " +" if row["in_place"] else ""
    return {
        "foundry": name + mark,
        "region": str(row["region"]),
        "price": _usd(row["price"]),
        "since 2024": f"{100 * row['price_change']:+.0f} %",
        **{str(duty): _usd(value) for duty, value in duties.items()},
        "switching": _usd(row["switching_cost"]),
        "total": _usd(row["total"]),
        "suits": _percent(row["preference"]),
        "size": f"{row['size']:.2f}",
        "chosen": _percent(row["probability"]),
    }


def _usd(value: float) -> str:
    """Four digits that mean something: chips cost from cents to dollars."""
    return f"{value:.3f}" if abs(value) >= 0.3 or not value else f"{value:.4f}"


def _percent(share: float) -> str:
    decimals = 0 if abs(share) >= 0.0995 else 1
    return f"{100 * share:,.{decimals}f} %"
