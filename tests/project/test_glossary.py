"""docs/glossary.md names things that exist, and leaves out no table and no symbol."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from tariffsim.cli import commands
from tariffsim.law import duty_tables, policy_state
from tariffsim.month import PHASES
from tariffsim.policy import INSTRUMENTS
from tariffsim.record.dictionary import entry, metrics, variables
from tariffsim.record.result_tables import AXES
from tariffsim.scenario import catalogue
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.state import constants, economy, makers
from tariffsim.tables import FIGURE_TABLES, TABLE_NAMES, load_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted({*DOCS.parent.glob("*.md"), *DOCS.glob("*.md")})
PAGE = (DOCS / "glossary.md").read_text(encoding="utf-8")
STATE = (economy, makers, constants, policy_state, duty_tables)
RESULTS = (*AXES, "headline", "summary", "base_year")


def groups() -> dict[str, list[tuple[str, str]]]:
    """Term and text of the entries, by group."""
    parts = re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:]
    found = {}
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        entries = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
        found[name] = list(zip(entries[::2], entries[1::2], strict=True))
    return found


ENTRIES = [one for entries in groups().values() for one in entries]


def code_of(text: str) -> list[str]:
    """Names in the code that an entry gives."""
    return re.findall(r"`([^`]+)`", text.partition("*In the code:*")[2])


def symbols_of(text: str) -> set[str]:
    """Symbols of an entry, or of a cell of a table."""
    return set(re.findall(r"\$([^$]+)\$", text))


NAMES = sorted({name for _, text in ENTRIES for name in code_of(text)})


def is_in_a_module(name: str) -> bool:
    """A module of the package, or what is in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(["tariffsim", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        try:
            return reduce(member, parts[cut:], found) is not None
        except AttributeError:
            return False
    return False


def member(owner: object, name: str) -> object:
    """An attribute, or a field of a dataclass without a default."""
    fields = getattr(owner, "__dataclass_fields__", {})
    return fields[name] if name in fields else getattr(owner, name)


def is_a_column_of_the_state(name: str) -> bool:
    """`Foundries.capacity` and the like."""
    table, _, column = name.partition(".")
    return any(
        column in getattr(vars(m).get(table), "__dataclass_fields__", {})
        or hasattr(vars(m).get(table), column)
        for m in STATE
    )


def is_of_a_scenario(name: str) -> bool:
    """A key, an instrument or a field of one, or a shipped scenario."""
    kind, _, field = name.partition(".")
    is_field = kind in INSTRUMENTS and field in catalogue.of_instrument(kind)
    return name in {*catalogue.blocks(), *INSTRUMENTS, *shipped_names()} or is_field


def is_of_the_data(name: str) -> bool:
    """A data table, or a figure of one."""
    table, _, column = name.partition(".")
    if table not in FIGURE_TABLES or not column:
        return name in TABLE_NAMES
    return column in {parameter for _, parameter in getattr(load_tables(), table).figures}


def is_of_the_results(name: str) -> bool:
    """A table of results, a column of one, or a metric."""
    table, _, column = name.partition(".")
    if not column:
        return name in {*RESULTS, *metrics()}
    known = entry(table, column)
    return known is not None and (known.tables == "all" or table in known.tables.split())


def is_done(name: str) -> bool:
    """A phase of a month, or a command."""
    command = name.removeprefix("tariffsim ")
    return name in {phase.__name__ for phase in PHASES} or command in commands.commands


KINDS: tuple[Callable[[str], bool], ...] = (
    is_of_a_scenario,
    is_of_the_data,
    is_of_the_results,
    is_done,
    is_a_column_of_the_state,
    is_in_a_module,
)


@pytest.mark.parametrize("name", NAMES)
def test_names_in_the_code_exist(name: str) -> None:
    assert any(is_such(name) for is_such in KINDS)


@pytest.mark.parametrize("name", ["Foundries.colour", "trade.mark_up", "kernels.supply.none", "x"])
def test_a_name_that_does_not_exist_is_noticed(name: str) -> None:
    assert not any(is_such(name) for is_such in KINDS)


def test_every_table_of_the_state_has_an_entry() -> None:
    tables = {
        f"state.{module.__name__.split('.')[-1]}.{name}"
        for module in (economy, makers)
        for name, found in vars(module).items()
        if is_dataclass(found) and found.__module__ == module.__name__
    }
    assert len(tables) >= 8
    assert tables <= set(NAMES)


def test_every_table_of_the_results_has_an_entry() -> None:
    assert set(RESULTS) <= set(NAMES)
    of_experiments = {table for known in variables().values() for table in known.tables.split()}
    assert of_experiments - {"all"} <= {name.partition(".")[0] for name in NAMES}


def test_every_symbol_of_the_model_has_an_entry() -> None:
    model = (DOCS / "model.md").read_text(encoding="utf-8")
    notation = model.partition("## 8. Symbols")[2].partition("## 9.")[0]
    rows = [line.split("|")[1] for line in notation.splitlines() if line.startswith("| $")]
    sets = re.findall(r"^\| (\$\w\$) \|", model, flags=re.MULTILINE)
    defined = set().union(*map(symbols_of, (*rows, *sets)))
    given = set().union(*(symbols_of(text.partition("*Symbol:*")[2]) for _, text in ENTRIES))
    assert len(defined) > 40
    assert defined - given == set()


def anchor(title: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("group", groups())
def test_entries_are_in_alphabetical_order(group: str) -> None:
    terms = [re.sub(r"[^a-z0-9 ]", "", term.lower()) for term, _ in groups()[group]]
    assert terms == sorted(set(terms))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_to_the_glossary_lead_to_an_entry(page: Path) -> None:
    links = re.findall(r"\]\([\w/.]*glossary\.md#([^)]+)\)", page.read_text(encoding="utf-8"))
    assert set(links) <= {anchor(title) for title in (*groups(), *(term for term, _ in ENTRIES))}
    assert len(links) == len(set(links)), "a term is linked at its first use only"
