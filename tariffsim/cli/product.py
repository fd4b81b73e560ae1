"""`product`: what a tariff costs a product, by its bill of materials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.options import BASELINE, load_all
from tariffsim.cli.screen import Column, Command, Screen, prose, show, usage_error
from tariffsim.errors import ChoiceError, Problem, ProblemsError, ScenarioError

if TYPE_CHECKING:
    from tariffsim.product import Due, Priced, Product
    from tariffsim.scenario import Scenario

MANY = "--scenarios"


class _WithScenarios(Command):
    """Takes several names after one `--scenarios`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The words after the option up to the next option are scenarios."""
        words: list[str] = []
        follows = False
        for word in args:
            if follows and not word.startswith("-") and words[-1] != MANY:
                words.append(MANY)
            follows = word == MANY or (follows and not word.startswith("-"))
            words.append(word)
        return super().parse_args(ctx, words)


@click.command(cls=_WithScenarios, order=15, short_help="What a tariff costs a product of yours.")
@click.argument("files", nargs=-1, metavar="[FILE...]")
@click.option(
    MANY, "names", multiple=True, metavar="FILE...", type=SCENARIO,
    default=("whole_product_china", "component_50"), show_default=True,
    help="Scenarios under whose law the product is priced, one or more.",
)  # fmt: skip
@click.option("--device", metavar="CODE", help="The typical product of this group, without a file.")
@click.option("--origin", metavar="CODE", help="With --device: country of assembly.")
@click.option("--market", default="US", metavar="CODE", help="With --device; default: US.")
@click.option("--month", metavar="MONTH", help="Such as 2027-06; default: the last of the run.")
@click.option("-o", "--out", metavar="FILE.html", type=click.Path(path_type=Path),
              help="Write a page with all of it too.")  # fmt: skip
@BASELINE
def product(
    screen: Screen, files: tuple[str, ...], names: tuple[str, ...], device: str | None,
    origin: str | None, market: str, month: str | None, out: Path | None, baseline: str | None,
) -> None:  # fmt: skip
    """Price a product under the law of scenarios: duty, landed cost, retail price, and why.

    Each FILE has one or more products with their legacy chips; phone, router, car, washing_machine
    and charger are shipped as examples to start from. Chips whose region is not given make a
    range. No run is made: prices are those of the file, duties those of the law in the month.

    Examples:
      tariffsim product router --scenarios whole_product_china component_50
      tariffsim product my_router.yaml --scenarios component_50 --month 2028-06 --out router.html
      tariffsim product --device network_gear --origin VN --json
    """
    if bool(files) == bool(device):
        raise usage_error("give the file of a product, the name of an example, or --device")
    if origin and not device:
        raise usage_error("--origin needs --device")
    from tariffsim.scenario import baseline_of

    scenarios = load_all([*([baseline] if baseline else []), *names])
    base = scenarios.pop(0) if baseline else baseline_of(scenarios)
    found = _priced([base, *scenarios], files, device, origin, market, month)
    if out is not None:
        from tariffsim.report.product import product_page

        out.write_text(product_page(found), encoding="utf-8")
        screen.remark(f"Page: {out}")
    data = [{**_facts(own[0].product), "priced": [_json(one) for one in own]} for own in found]
    screen.show("\n\n\n".join(map(_words, found)), {"products": data})


def _priced(
    scenarios: Sequence[Scenario], files: Sequence[str], device: str | None, origin: str | None,
    market: str, month: str | None,
) -> list[list[Priced]]:  # fmt: skip
    """Every product under every scenario, the baseline first."""
    from tariffsim.product import price, read_products, typical_product

    try:
        products: list[Product] = []
        problems: list[Problem] = []
        for file in files:
            try:
                products += read_products(file, scenarios[0].tables())
            except ProblemsError as error:
                problems += error.problems
        if problems:
            raise ScenarioError(list(dict.fromkeys(problems)))
        if device:
            products = [typical_product(scenarios[0], device, origin, market)]
        return [[price(one, scenario, month) for scenario in scenarios] for one in products]
    except ChoiceError as error:
        raise usage_error(str(error)) from None


def _facts(product: Product) -> dict[str, Any]:
    return asdict(product) | {"chip_value": product.chip_value}


def _due(due: Due) -> dict[str, Any]:
    return asdict(due) | {"new": due.new, "low": due.low, "high": due.high}


def _json(one: Priced) -> dict[str, Any]:
    facts = {name: value for name, value in vars(one).items() if name != "product"}
    facts["due"] = _due(one.due)
    facts["audit"] = [asdict(line) | {"text": str(line)} for line in one.audit]
    facts["steps"] = [{"month": s.month, "due": _due(s.due)} for s in one.steps]
    facts["alternatives"] = [
        asdict(a) | {"break_even_rate": a.break_even_rate, "saving": a.saving}
        for a in one.alternatives
    ]
    return facts


def _words(found: Sequence[Priced]) -> str:
    from tariffsim.product.words import audit_of, findings, remarks

    first = found[0]
    head = (
        f"{first.product.title}: {first.product.customs_value:,.2f} USD, assembled in "
        f"{first.product.assembled_in}, sold in {first.product.sold_in}, with legacy chips for "
        f"{first.product.chip_value:,.2f} USD; duty and prices in {first.month}, USD a unit"
    )
    return "\n\n".join([
        prose(" ".join(findings(found))),
        prose(head),
        show([{"priced": one, "scenario": one.scenario} for one in found], _columns(found)),
        *_paragraphs(remarks(found)),
        *_paragraphs(audit_of(found)),
    ])  # fmt: skip


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    if text := [prose(line) for line in lines]:
        yield "\n".join(text)


def _columns(found: Sequence[Priced]) -> list[str | Column]:
    """Duty with its range, the duty if no origin is known, landed cost and retail price."""
    has_range = any(one.due.low != one.due.high for one in found)

    def money(name: str, value: Any) -> Column:
        return Column(name, lambda row: f"{value(row['priced']):,.2f}")

    columns: list[str | Column] = ["scenario", money("duty", lambda p: p.due.total)]
    if has_range:
        columns.append(
            Column("range", lambda row: _range(row["priced"].due.low, row["priced"].due.high))
        )
    return [
        *columns,
        money("unknown", lambda p: p.due.unknown_origin),
        money("landed", lambda p: p.landed),
        money("retail", lambda p: p.retail),
        money("rise", lambda p: p.retail_rise - found[0].retail_rise),
    ]


def _range(low: float, high: float) -> str:
    return f"{low:,.2f} to {high:,.2f}" if isfinite(high) and low != high else ""
