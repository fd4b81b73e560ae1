"""`explain --maker`: why a device maker buys the chips it buys, as tables."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariffsim.cli.options import load_all
from tariffsim.cli.screen import Column, Row, Screen, number, prose, show, usage_error, width
from tariffsim.errors import ChoiceError

if TYPE_CHECKING:
    from tariffsim.explain import Explanation
    from tariffsim.explain.place import PlaceChoice
    from tariffsim.explain.slot import SlotChoice

SHOWN = 8
"""Candidates in a table; the least likely others are one line."""
WIDE = 100
"""Columns of a screen from which all columns of the table are shown."""
OPTIONAL = ("since 2024", "size")
LEGEND = (
    "*: supplies now; +: is being qualified. price, duties, switching (cost over the chips of one "
    "design) and total in USD a chip; preference: baseline preference, the share of choices at the "
    "costs of 2024 without an incumbent; size: lines against 2024; chosen: probability at the next "
    "opening, in proportion to preference x size x (total against its cost in 2024) ^ "
    "-{elasticity:g}."
)
PLACES = (
    "*: assembled here; +: the maker has a plant. price ex works, duty expected and landed, their "
    "sum, in USD a unit; r: (landed / landed in 2024) ^ elasticity; distance: how much dearer "
    "the country is for reasons that do not change; relative: distance x landed / landed in 2024 "
    "against the country in place."
)
MAX_RATE = 5.0
"""The highest ad valorem rate that a scenario may have."""


def explain_maker(
    screen: Screen, file: str, maker: int, month: str | None, seed: int | None, out: str | None
) -> None:
    """Run the scenario to the month and print the choices of one maker."""
    (scenario,) = load_all([file])
    from tariffsim.explain import explain_choice

    try:
        found = explain_choice(scenario, maker, month, seed)
    except ChoiceError as error:
        raise usage_error(str(error)) from None
    legend = prose(LEGEND.format(elasticity=found.elasticity))
    parts = [_maker(found), *map(_place, found.places), prose(PLACES), *map(_slot, found.slots)]
    if found.own_slots:
        markets = ", ".join(found.versions[-1].markets)
        parts += [f"The version for {markets}:", *map(_slot, found.own_slots)]
    screen.show("\n\n".join([*parts, legend]), found.to_dict())
    if out is not None:
        from tariffsim.charts.cost_stack import files_of

        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files_of(found).items():
            (folder / name).write_bytes(data)
            screen.remark(f"wrote {folder / name}")


def _maker(found: Explanation) -> str:
    made = {place.market: place.origin for place in found.places}
    sales = ", ".join(
        f"{market} {100 * share:.0f} % (from {made[market]})"
        for market, share in found.markets.items()
    )
    name = found.title or found.scenario
    return prose(
        f"Device maker {found.maker} in {found.month}: {name} (seed {found.seed})",
        f"{found.device_label}, {found.units:,.0f} units a month; sold in {sales}. "
        f"{_plants(found.places[0])}",
        "Duties are those expected over the life of its next choice, at the incidence on its "
        "importers, as the mean over its markets.",
        *_versions(found),
        *_importers(found),
        *(f"{rate}." for rate in found.rates_to_date),
    )


def _versions(found: Explanation) -> list[str]:
    """Whether some markets have a version of their own, and what it would gain and cost."""
    split = found.split
    if split is None:
        return []
    said = []
    if len(found.versions) > 1:
        common, own = (", ".join(version.markets) for version in found.versions)
        until = "" if split.is_split else " until new suppliers take over; the line has merged"
        said.append(
            f"What is sold in {own} is a version of its own beside that for {common}{until}."
        )
    if split.apart:
        said.append(f"A law on the origin of chips is expected in {', '.join(split.apart)}.")
    if split.weighed is None:
        said.append(
            "It has never weighed versions: "
            + (
                "its design has not opened since."
                if split.apart
                else "no law on the origin of its chips is expected."
            )
        )
    else:
        verb = "more" if split.gain > split.overhead else "no more"
        said.append(
            f"In {split.weighed} suppliers for each version would have been worth "
            f"{split.gain:,.4f} USD a unit, {verb} than the {split.overhead:,.4f} that a version "
            "costs."
        )
    return [" ".join(said)]


def _plants(place: PlaceChoice) -> str:
    """Where the maker has plants."""
    building = f"; one is being built in {place.building_in}" if place.building_in else ""
    plants = (f"{o} ({n})" if n > 1 else o for o, n in place.plants.items())
    return f"Its plants are in {', '.join(plants)}{building}."


def _place(place: PlaceChoice) -> str:
    """One flow: where it is assembled, the duty that would move it, what countries cost."""
    shift = f"shifting to {place.shifting_to} in {place.arrives}" if place.shifting_to else ""
    lines = [f"Sold in {place.market}: assembled in {place.origin}{', ' * bool(shift)}{shift}."]
    if math.isinf(place.duty_to_shift):
        lines.append("The maker has no other plant, so that no duty shifts its orders at once.")
    elif place.duty_to_shift <= 0:
        lines.append("Its orders shift when they are next looked at.")
    else:
        lines.append(
            f"Orders shift to another plant from a further duty of {_percent(place.duty_to_shift)} "
            f"of landed cost on products from {place.origin}; a shift costs "
            f"{_percent(place.shift_cost)} of a year's value, a new plant "
            f"{_percent(place.plant_cost)}."
        )
    rows = place.candidates.sort_values("relative", kind="stable").reset_index().to_dict("records")
    columns = [
        Column("country", _country, is_number=False),
        _column("price", "price", "{:,.2f}".format),
        Column("duty", lambda row: f"{row['base_duty'] + row['new_duty']:,.2f}"),
        _column("landed", "landed", "{:,.2f}".format),
        _column("in 2024", "base_landed", "{:,.2f}".format),
        _column("r", "factor", "{:.2f}".format),
        _column("distance", "distance", "{:.2f}".format),
        _column("relative", "relative", "{:.3f}".format),
    ]
    return prose(*lines) + "\n\n" + show(rows[:SHOWN], columns)


def _country(row: Row) -> str:
    """The country, and whether the maker has a plant there or the flow is made there."""
    return f"{row['country']}{' *' if row['in_place'] else ' +' if row['plants'] else ''}"


def _importers(found: Explanation) -> list[str]:
    """Who does not know the origin of chips, and from which rate the others evade a duty."""
    unknown = [market for market, who in found.importers.items() if not who.knows_origin]
    evading = {m: who.evasion_threshold for m, who in found.importers.items()
               if who.knows_origin and who.evasion_threshold < math.inf}  # fmt: skip
    parts = []
    if unknown:
        parts.append(f"do not know the origin of chips in {', '.join(unknown)}")
    if evading:
        rates = ", ".join(f"{_percent(rate)} in {market}" for market, rate in evading.items())
        parts.append(f"evade a duty from a rate of {rates}")
    return [f"Its importers: {'; '.join(parts)}."] if parts else []


def _slot(slot: SlotChoice) -> str:
    """One slot: the supplier, the next opening, the switching threshold, the candidates."""
    now = slot.candidates[slot.candidates["supplies_now"]]
    price = f"at {_usd(now['price'].iloc[0])} USD a chip" if len(now) else "without capacity left"
    kind = "a pin-compatible part" if slot.is_pin_compatible else "part of the design"
    lines = [
        f"Part {slot.part}: {slot.chips:.3g} chips a unit, {kind}, from {slot.supplier} {price}",
        _next_opening(slot),
        f"At the next opening, at current expectations, {slot.next_supplier or slot.supplier} is "
        f"kept with {_percent(slot.stays)} probability and a foundry in {slot.region} chosen with "
        f"{_percent(slot.stays_in_region)}. A switch costs {_percent(slot.switching_cost)} of the "
        "chip bill of one design's life.",
        _break_even(slot),
    ]
    return prose(*lines) + "\n\n" + _candidates(slot)


def _next_opening(slot: SlotChoice) -> str:
    """Whether a switch is under way, and when the slot opens next."""
    opened = "It opened this month. " if slot.opens_now else ""
    switch = "No switch is under way. "
    if slot.next_supplier is not None:
        switch = f"{slot.next_supplier} is being qualified and takes over in {slot.takes_over}. "
    if slot.next_opening is None:
        return f"{opened}{switch}It does not open again before the run ends."
    return f"{opened}{switch}It opens next in {slot.next_opening}, whatever the policy."


def _break_even(slot: SlotChoice) -> str:
    """The switching threshold, in words."""
    rate, region = slot.break_even_rate, slot.region
    if math.isinf(rate):
        return (
            f"Break-even duty: none. No further duty on chips from {region} would change this "
            "choice: there are no other makers of these chips, or its importers would not pay it."
        )
    if rate <= 0:
        return (
            f"Break-even duty: none is needed. Without any further duty the next opening is more "
            f"likely to leave {region} than to stay."
        )
    if rate > MAX_RATE:
        return (
            f"Break-even duty: above {_percent(MAX_RATE)}. It would be {_percent(rate)} of the "
            f"price of chips from {region}."
        )
    alone = {m: r for m, r in slot.break_even_alone.items() if r <= MAX_RATE}
    rates = ", ".join(f"{market} {_percent(r)}" for market, r in alone.items())
    is_split = rates and len(slot.break_even_alone) > 1
    return (
        f"Break-even duty: {_percent(rate)} of the price of chips from {region}, on top of "
        "expected duties. Above it the next opening is more likely to leave the region than to "
        "stay." + (f" Levied by one market alone: {rates}." if is_split else "")
    )


def _candidates(slot: SlotChoice) -> str:
    """The incumbent, then the most likely candidates; the others as one line."""
    from tariffsim.explain.slot import largest_duties

    duties = largest_duties(slot.duties, 3).rename(columns="duty: {}".format)
    rows = slot.ranked().join(duties).reset_index().to_dict("records")
    shown, others = rows[:SHOWN], rows[SHOWN:]
    if others:
        sums: Any = {key: sum(row[key] for row in others) for key in ("preference", "probability")}
        shown.append(sums | {"foundry": f"{len(others)} others"})
    columns = [
        Column("foundry", _marked, is_number=False),
        Column("region", lambda row: str(row.get("region", "")), is_number=False),
        _column("price", "price", _usd),
        _column("since 2024", "price_change", lambda share: f"{number(100 * share, 0, '+')} %"),
        *(_column(_broken(str(name).removeprefix("duty: ")), str(name), _usd) for name in duties),
        _column("switching", "switching_cost", _usd),
        _column("total", "total", _usd),
        _column("preference", "preference", _percent),
        _column("size", "size", "{:.2f}".format),
        _column("chosen", "probability", _percent),
    ]
    if width() >= WIDE:
        return show(shown, columns)
    return show(shown, [column for column in columns if column.head not in OPTIONAL], gap=1)


def _column(head: str, key: str, written: Callable[[float], str]) -> Column:
    """A column of numbers, blank where a row has none."""
    return Column(head, lambda row: written(row[key]) if key in row else "")


def _marked(row: Row) -> str:
    """The foundry, and whether it supplies or is being qualified."""
    mark = " *" if row.get("supplies_now") else " +" if row.get("in_place") else ""
    return f"{row['foundry']}{mark}"


def _broken(head: str) -> str:
    """A header in short lines."""
    return "\n".join(textwrap.wrap(head.replace("_", "_ "), 11)).replace("_ ", "_")


def _usd(value: float) -> str:
    """Three significant digits or more: chips cost from cents to dollars."""
    return f"{value:.3f}" if abs(value) >= 0.3 or not value else f"{value:.4f}"


def _percent(share: float) -> str:
    decimals = 0 if abs(share) >= 0.0995 else 1
    return f"{100 * share:,.{decimals}f} %"
