"""What the text of charts needs to know of results: places, periods, names, kinds of scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from tariffsim.charts.fonts import can_draw
from tariffsim.charts.picture import ChartText, NotApplicable
from tariffsim.charts.style import SeriesStyle, capitalised, one_line, period, styles_by_number
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate
from tariffsim.scenario.nodes import parse, plain
from tariffsim.tables import load_tables
from tariffsim.typing import format_month, parse_month

LONGEST = 64
"""Characters of a label inside a sentence."""
INSTRUMENT_FAMILIES = {
    "component_tariff": "component",
    "product_tariff": "whole-product",
    "bare_chip_tariff": "unmounted chip",
}
"""Kinds of scenario by kind of instrument."""
FAMILY_NAMES = {
    "component": "the component tariff",
    "whole-product": "the whole-product tariff",
    "unmounted chip": "the tariff on unmounted chips",
}


@lru_cache(maxsize=64)
def content_of(text: str) -> dict[str, Any]:
    """A resolved scenario as plain values."""
    node, _ = parse(text, "scenario")
    content = plain(node) if node is not None else {}
    return content if isinstance(content, dict) else {}


def policy_kinds(text: str) -> set[str]:
    """Kinds of the instruments of a resolved scenario."""
    policies = content_of(text).get("policies") or {}
    return {str(policy.get("kind")) for policy in policies.values()}


def family_of(text: str) -> str:
    """The kind of a resolved scenario."""
    kinds = {INSTRUMENT_FAMILIES.get(kind, "other") for kind in policy_kinds(text)}
    tariffs = kinds - {"other"} or kinds
    return "no policy" if not kinds else tariffs.pop() if len(tariffs) == 1 else "several"


def table_label(table: str, code: str) -> str:
    """What the shipped tables call a code; the code itself where they do not know it."""
    figure = getattr(load_tables(), table).figures.get((code, "label"))
    return str(figure.value) if figure is not None else code


def _place(name: str) -> str:
    """The name of a market inside a sentence."""
    if name == "Rest of world":
        return "the rest of the world"
    return f"the {name}" if name.startswith(("United", "European")) else name


@dataclass(frozen=True)
class ChartContext:
    """What the text of charts is made of."""

    place: str
    months: tuple[str, ...]
    n: int
    seeds: str
    version: str
    baseline: str
    labels: dict[str, str]
    families: dict[str, str]
    unshown: tuple[str, ...] = ()
    """Scenarios whose title no font here can show."""

    @property
    def others(self) -> tuple[str, ...]:
        """All scenarios but the baseline."""
        return tuple(name for name in self.labels if name != self.baseline)

    @property
    def end(self) -> str:
        """The months that levels are means of."""
        return period(self.months[-LAST:])

    @property
    def source(self) -> str:
        """The source line."""
        runs = f"{self.n} runs" if self.n > 1 else "1 run"
        paired = ", paired by seed with the baseline" if self.others and self.n > 1 else ""
        return f"Source: tariffsim {self.version}, {runs} of every scenario ({self.seeds}){paired}."

    @property
    def _on_titles(self) -> str:
        """What stands in place of titles that cannot be shown."""
        if not self.unshown:
            return ""
        names = ", ".join(self.labels[name] for name in self.unshown)
        return f"No font on this machine can show the title of {names}: charts use its name."

    def text(
        self, title: str, subtitle: str, note: str, alt: str,
        legend: Mapping[str, SeriesStyle] | None = None, *, untested: str = "",
    ) -> ChartText:  # fmt: skip
        """Text of a chart: the source follows the note, the title precedes the alternative text.

        With one run, and if something is `untested` by that, the title says no more than that.
        """
        if untested and self.n < 2:
            title = f"One run: no test of significance for {untested}"
        note = " ".join(filter(None, (note, self._on_titles, self.source)))
        return ChartText(title, subtitle, note, f"{title}. {alt}.", legend or {})

    def if_intervals(self, note: str) -> str:
        """The note on intervals, or that there are none."""
        return note if self.n > 1 else "One run: no intervals."

    def columns(self, names: Iterable[str], first: int = 1) -> dict[str, str]:
        """Columns `scenario_1`, `family_1` and so on of a table about some scenarios."""
        found: dict[str, str] = {}
        for n, name in enumerate(names, start=first):
            found |= {f"scenario_{n}": name, f"family_{n}": self.families[name]}
        return found

    def legend(self, data: pd.DataFrame) -> dict[str, SeriesStyle]:
        """The scenarios of a table with columns `scenario_1`, `family_1` and so on."""
        return {
            self.labels[data[f"scenario_{n}"].iloc[0]]: style
            for n, style in styles_by_number(data).items()
        }

    def in_sentence(self, name: str) -> str:
        """A scenario inside a sentence: its kind if it is the only one, or its title."""
        family = self.families[name]
        alone = [n for n in self.others if self.families[n] == family] == [name]
        return FAMILY_NAMES[family] if alone and family in FAMILY_NAMES else self.quoted(name)

    def quoted(self, name: str) -> str:
        """A scenario inside a sentence: its label, or its name where that is long."""
        label = self.labels[name]
        is_short = len(label) <= LONGEST or not can_draw(name)
        return "the baseline" if name == self.baseline else f"“{label if is_short else name}”"

    def instrument(self, name: str) -> str:
        """What a scenario is called whose rate is varied, so that its title may name another."""
        kind = self.in_sentence(name)
        return self.labels[name] if kind.startswith("“") else capitalised(kind)

    def pair(self) -> tuple[str, ...]:
        """Two scenarios to set side by side: whole-product and component where there are both.

        Raises:
            NotApplicable: there is only the baseline.
        """
        if not self.others:
            raise NotApplicable("it needs a scenario beside the baseline")
        first = {self.families[name]: name for name in reversed(self.others)}
        wanted = [first[f] for f in ("whole-product", "component") if f in first]
        return tuple(dict.fromkeys([*wanted, *self.others]))[:2]

    def how_many(self, names: Sequence[str]) -> str:
        """For a subtitle: how many scenarios are shown, if some are not."""
        if len(names) == len(self.others):
            return ""
        return f". {len(names)} of {len(self.others)} scenarios shown"


def chart_context(results: Results) -> ChartContext:
    """The context of a comparison."""
    first = results.baseline
    months, seeds = _months_and_seeds(results)
    span = f"seeds {min(seeds)} to {max(seeds)}" if len(seeds) > 1 else f"seed {seeds[0]}"
    titles, unshown = _titles(results)
    count = Counter(title.casefold()[:60] for title in titles.values())
    labels = {n: t if count[t.casefold()[:60]] == 1 else f"{n}: {t}" for n, t in titles.items()}
    if len(labels) > 1:
        labels[first] = "Baseline"
    return ChartContext(
        _place(table_label("markets", results.market)),
        months,
        len(seeds), span, str(results.provenance.get("tariffsim", "")),
        first, labels, {n: family_of(text) for n, text in results.scenarios.items()}, unshown,
    )  # fmt: skip


def drawable(text: str, name: str, number: int = 1) -> str:
    """The text on one line if a font can show it, else the name; else a number."""
    return next(filter(can_draw, filter(None, (one_line(text), name))), f"scenario {number}")


def _titles(results: Results) -> tuple[dict[str, str], tuple[str, ...]]:
    """What scenarios are called on charts: label, title or name; and whose title has no font."""
    given = {
        name: one_line(str(content_of(text).get("label", ""))) or results.titles[name] or name
        for name, text in results.scenarios.items()
    }
    shown = {name: drawable(text, name, n) for n, (name, text) in enumerate(given.items(), start=1)}
    return shown, tuple(name for name, text in given.items() if not can_draw(one_line(text)))


def _months_and_seeds(results: Results) -> tuple[tuple[str, ...], list[int]]:
    """Months and seeds of the runs; of an experiment, which keeps no months, those asked for."""
    if "market_month" in results.tables:
        table = results.tables["market_month"]
        return tuple(sorted(table["month"].unique())), table["seed"].unique().tolist()
    run = content_of(results.scenarios[results.baseline])["run"]
    start, end = parse_month(str(run["start"])), parse_month(str(run["end"]), last=True)
    first, last = results.provenance["seeds"]
    return tuple(map(format_month, range(start, end + 1))), list(range(first, last + 1))


def experiment_table(results: Results, name: str, need: str) -> pd.DataFrame:
    """The table of an experiment.

    Raises:
        NotApplicable: the results are of another experiment.
    """
    if name not in results.tables:
        raise NotApplicable(f"it needs {need}")
    return results.tables[name]


def largest(found: Mapping[str, Estimate], names: Iterable[str]) -> str | None:
    """The scenario with the largest statistically significant difference."""
    significant = [name for name in names if found[name].is_certain]
    return max(significant, key=lambda name: abs(found[name].difference), default=None)
