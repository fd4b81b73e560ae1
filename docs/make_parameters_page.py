"""Write parameters.md from the fields of a scenario; run it after any change of a field."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import Scenario
from tariffsim.scenario.catalogue import Parameter, blocks, of_instrument, of_source
from tariffsim.tables import load_tables

PAGE = Path(__file__).resolve().parent / "parameters.md"
INTRO = """# Parameters

Every key that a scenario may set. This page is written from the fields of the package by
`docs/make_parameters_page.py`; change a field, not this page. `tariffsim explain SCENARIO KEY`
shows the same for one key of one scenario, with where it was set.

- **Allowed** is what is accepted. **Range** is what is plausible and is what sensitivity analysis
  sweeps over; it is empty where a key is no uncertain figure.
- **Source** is a number of the list of sources in [data.md](data.md#sources). `assumption` means
  that nobody has published the figure, `calibration` that it was estimated within its range
  ([calibration](calibration.md)).
- A *dated* value is a number, or dates with numbers such as `{2026-01: 0.25, 2027-01: 0.50}`.
- Figures of the data tables (chip content, elasticities by device, utilisation and so on) are in
  [data.md](data.md) and are set under `figures` or replaced under `data`.
"""
POLICIES = """## Policies

Each entry of `policies` has a name of your choice and a `kind`. All kinds share these fields:
"""
HEAD = ("key", "default", "unit", "allowed", "range", "source", "meaning")


def cell(value: object) -> str:
    """Text of a table cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *lines]) + "\n"


def default(parameter: Parameter) -> str:
    """The value that holds if the key is left out."""
    value: Any = parameter.default
    if parameter.is_required:
        return "must be given"
    if isinstance(value, TimePath):
        dates: Any = value.model_dump(mode="json")
        if not isinstance(dates, dict):
            return f"{dates:g}"
        how = dates.pop("interpolate", "step")
        steps = ", ".join(f"{date}: {number:g}" for date, number in dates.items())
        return f"{steps} ({how})"
    if value is None or value in ("", {}):
        return "all" if value is None and "all if left out" in parameter.description else "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.4g}"
    return (" ".join(value) or "none") if isinstance(value, tuple) else str(value)


def parameter_row(parameter: Parameter) -> list[str]:
    """One line of a table."""
    name = parameter.key.split(">.")[-1]
    dated = "dated, " if parameter.is_path else ""
    low_high = "" if parameter.low is None else f"{parameter.low:.4g} to {parameter.high:.4g}"
    return [
        f"`{name}`", default(parameter), parameter.unit, dated + parameter.allowed, low_high,
        parameter.source, parameter.description,
    ]  # fmt: skip


def block_sections() -> Iterable[str]:
    """One table for each block of a scenario."""
    for block, members in groupby(blocks().values(), key=lambda p: p.key.rpartition(".")[0]):
        rows = [parameter_row(parameter) for parameter in members]
        words = Scenario.model_fields[block].description if block else "At the top of the file."
        yield f"## {block or 'The file'}\n\n{words}\n\n{table(HEAD, rows)}"


def policy_sections() -> Iterable[str]:
    """What all instruments share, and what each adds."""
    head = ("field", *HEAD[1:4], "meaning")

    def rows(parameters: Iterable[Parameter]) -> list[list[str]]:
        found = [parameter_row(parameter) for parameter in parameters]
        return [[*row[:4], row[6]] for row in found]

    shared = [p for name, p in of_instrument(next(iter(INSTRUMENTS))).items()
              if name in Instrument.model_fields and name != "kind"]  # fmt: skip
    yield f"{POLICIES}\n{table(head, rows(shared))}"
    for kind, instrument in INSTRUMENTS.items():
        own = [p for name, p in of_instrument(kind).items() if name not in Instrument.model_fields]
        words = " ".join((instrument.__doc__ or "").split())
        yield f"### {kind}\n\n{words}\n\n{table(head, rows(own))}"
    intro = "Each entry of `sources` has a key of your choice."
    yield f"## Sources\n\n{intro}\n\n{table(head, rows(of_source().values()))}"


def citations() -> str:
    """The sources named on this page."""
    cited = {word for p in blocks().values() for word in p.source.split() if word.startswith("S")}
    known = load_tables().sources
    rows = [(number, text) for number, text in known.items() if number in cited]
    return f"## Cited here\n\n{table(('id', 'source'), rows)}"


def page() -> str:
    """The whole page."""
    return "\n".join([INTRO, *block_sections(), *policy_sections(), citations()])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
