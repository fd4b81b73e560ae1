"""What words on charts need to know of results: places, periods, names, kinds of scenario."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
from tariffsim.scenario.nodes import parse, plain
from tariffsim.tables import load_tables
from tariffsim.typing import format_month, parse_month

KINDS = {
    "component_tariff": "component",
    "product_tariff": "whole-product",
    "bare_chip_tariff": "bare chip",
}
SHORT = {
    "component": "the component tariff",
    "whole-product": "the whole-product tariff",
    "bare chip": "the bare-chip tariff",
}


@lru_cache(maxsize=64)
def content_of(text: str) -> dict[str, Any]:
    """A resolved scenario as plain values."""
    node, _ = parse(text, "scenario")
    content = plain(node) if node is not None else {}
    return content if isinstance(content, dict) else {}


def family_of(text: str) -> str:
    """The kind of policy in a resolved scenario."""
    policies = content_of(text).get("policies") or {}
    kinds = {KINDS.get(str(policy.get("kind")), "other") for policy in policies.values()}
    tariffs = kinds - {"other"} or kinds
    return "no policy" if not kinds else tariffs.pop() if len(tariffs) == 1 else "several"


def label(table: str, code: str) -> str:
    """What the shipped tables call a code; the code itself where they do not know it."""
    figure = getattr(load_tables(), table).figures.get((code, "label"))
    return str(figure.value) if figure is not None else code


def one_line(text: str) -> str:
    """The text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _cut(title: str, most: int = 64) -> str:
    """The title, cut between words where it is long; inside one if that leaves too little."""
    if len(title) <= most:
        return title
    kept, _, _ = title[: most - 1].rpartition(" ")
    kept = kept if len(kept) > most // 2 else title[: most - 2]
    return kept.rstrip(" ,;:-") + "…"


def _place(name: str) -> str:
    """The name of a market inside a sentence."""
    if name == "Rest of world":
        return "the rest of the world"
    return f"the {name}" if name.startswith(("United", "European")) else name


def period(months: Iterable[str]) -> str:
    """Months in words: 2030, or January 2025 to June 2026."""
    first, last = min(months), max(months)
    if first[:4] == last[:4] and first[5:] == "01" and last[5:] == "12":
        return first[:4]
    if first == last:
        return _month(first)
    return f"{_month(first)} to {_month(last)}"


def _month(month: str) -> str:
    return f"{calendar.month_name[int(month[5:7])]} {month[:4]}"


@dataclass(frozen=True)
class Facts:
    """What the words of charts are made of."""

    place: str
    months: tuple[str, ...]
    n: int
    seeds: str
    version: str
    baseline: str
    labels: dict[str, str]
    families: dict[str, str]

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
        paired = ", paired seed by seed with the baseline" if self.others and self.n > 1 else ""
        return f"Source: tariffsim {self.version}, {runs} of every scenario ({self.seeds}){paired}."

    def short(self, name: str) -> str:
        """A scenario inside a sentence: its kind if it is the only one, or its title."""
        family = self.families[name]
        if name == self.baseline:
            return "the baseline"
        alone = [n for n in self.others if self.families[n] == family] == [name]
        if alone and family in SHORT:
            return SHORT[family]
        title = self.labels[name]
        return f"“{_cut(title)}”"

    def instrument(self, name: str) -> str:
        """What a scenario is called whose rate is varied, so that its title may name another."""
        short = self.short(name)
        return self.labels[name] if short.startswith("“") else short[:1].upper() + short[1:]

    def ranked(self, first: Iterable[str]) -> dict[str, str]:
        """Kinds of the scenarios, the baseline and those of the finding before the others."""
        order = dict.fromkeys([self.baseline, *first, *self.labels])
        return {name: self.families[name] for name in order}

    def pair(self) -> tuple[str, str] | None:
        """Two scenarios to set side by side: whole-product and component where there are both."""
        wanted = [
            next((n for n in self.others if self.families[n] == family), None)
            for family in ("whole-product", "component")
        ]
        if wanted[0] and wanted[1]:
            return wanted[0], wanted[1]
        rest = [n for n in self.others if n not in wanted]
        found = [n for n in wanted if n] + rest
        return (found[0], found[1]) if len(found) > 1 else None


def facts_of(results: Results) -> Facts:
    """The facts of a comparison."""
    first = results.baseline
    months, seeds = _months_and_seeds(results)
    span = f"seeds {min(seeds)} to {max(seeds)}" if len(seeds) > 1 else f"seed {seeds[0]}"
    titles = {n: one_line(t) or n for n, t in results.titles.items()}
    count = Counter(title.casefold()[:60] for title in titles.values())
    labels = {n: t if count[t.casefold()[:60]] == 1 else f"{n}: {t}" for n, t in titles.items()}
    if len(labels) > 1:
        labels[first] = "Baseline"
    return Facts(
        _place(label("markets", results.market)),
        months,
        len(seeds), span, str(results.provenance.get("tariffsim", "")),
        first, labels, {n: family_of(text) for n, text in results.scenarios.items()},
    )  # fmt: skip


def _months_and_seeds(results: Results) -> tuple[tuple[str, ...], list[int]]:
    """Months and seeds of the runs; of an experiment, which keeps no months, those asked for."""
    if "market_month" in results.tables:
        table = results.tables["market_month"]
        return tuple(sorted(table["month"].unique())), table["seed"].unique().tolist()
    run = content_of(results.scenarios[results.baseline])["run"]
    start, end = parse_month(str(run["start"])), parse_month(str(run["end"]), last=True)
    first, last = results.provenance["seeds"]
    return tuple(map(format_month, range(start, end + 1))), list(range(first, last + 1))


@dataclass(frozen=True)
class Finding:
    """One headline measure of one scenario."""

    level: float
    difference: float
    low: float
    high: float
    is_sure: bool
    """Whether the difference can be told from zero."""


def findings(results: Results, metric: str) -> dict[str, Finding]:
    """One headline measure by scenario."""
    table = results.tables["headline"]
    return {
        str(row["scenario"]): Finding(
            float(row["level"]), float(row["difference"]), float(row["low"]), float(row["high"]),
            bool(row["is_significant"]),
        )
        for row in table[table["metric"] == metric].to_dict("records")
    }  # fmt: skip


def strongest(found: Mapping[str, Finding], names: Iterable[str]) -> str | None:
    """The scenario with the largest difference that can be told from zero."""
    sure = [name for name in names if found[name].is_sure]
    return max(sure, key=lambda name: abs(found[name].difference), default=None)


def sentences(parts: list[str]) -> str:
    """Parts joined to one title."""
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]
