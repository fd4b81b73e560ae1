"""`duty`: what is due by statute on a product and on unmounted chips in a month."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.options import load_all
from tariffsim.cli.screen import Column, Command, Row, Screen, prose, show, usage_error
from tariffsim.errors import ChoiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tariffsim.explain.duty import DutyRow, StatutoryDuty


@click.command(cls=Command, order=125, short_help="Show what is due by statute, law by law.")
@click.argument("file", metavar="FILE", type=SCENARIO)
@click.option("--device", required=True, metavar="CODE", help="Group of devices, such as laptop.")
@click.option("--origin", required=True, metavar="CODE", help="Country of assembly, such as CN.")
@click.option("--market", default="US", metavar="CODE", help="Market that levies; default: US.")
@click.option("--month", metavar="MONTH", help="Such as 2027-06; default: the first of the run.")
def duty(
    screen: Screen, file: str, device: str, origin: str, market: str, month: str | None
) -> None:
    """Show what is due by statute on a product from a country, and on unmounted chips from there.

    Law by law: what the rate is on, the rate, the share of trade that it covers in the month, what
    is due as a fraction of the value, and the source. Duties on chips inside are given as a part
    of the value of the average product of the base year. Origins are truly declared.

    Examples:
      tariffsim duty baseline --device laptop --origin CN --month 2027-06
      tariffsim duty my_tariff.yaml --device network_gear --origin VN --market US --json
    """
    (scenario,) = load_all([file])
    from tariffsim.explain.duty import duty as due_by_statute

    try:
        found = due_by_statute(scenario, device, origin, market, month)
    except ChoiceError as error:
        raise usage_error(str(error)) from None
    screen.show(_words(found), asdict(found))


def _words(found: StatutoryDuty) -> str:
    parts = [
        prose(
            f"{found.device} from {found.origin} into {found.market} in {found.month}: "
            f"{_fraction(found.total)} of customs value"
        ),
        _listed(found.product),
    ]
    if found.chips:
        totals = ", ".join(
            f"class {name} {_fraction(due)}" for name, due in found.total_on_chips.items()
        )
        parts.append(prose(f"Unmounted chips from {found.origin}, of their value: {totals}"))
        parts += [f"{good}\n{_listed(rows)}" for good, rows in found.chips.items()]
    return "\n\n".join(parts)


def _listed(rows: Sequence[DutyRow]) -> str:
    cells: list[Row] = [asdict(row) for row in rows]
    return (
        show(
            cells,
            [
                "law",
                "on",
                Column(
                    "rate", lambda row: "" if row["rate"] is None else f"{round(row['rate'], 6):g}"
                ),
                Column("coverage", lambda row: f"{row['coverage']:.4g}"),
                Column("due", lambda row: _fraction(row["due"])),
                "source",
            ],
        )
        if cells
        else "none"
    )


def _fraction(due: float) -> str:
    """Four decimals, and more of what is small."""
    return f"{due:.4f}" if due == 0 or abs(due) >= 0.01 else f"{due:.3g}"
