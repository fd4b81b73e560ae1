"""Results run again, and replication packages that let others do so.

The README follows Vilhuber, Connolly, Koren, Llull and Morrow (2022), A template README for social
science replication packages, version 1.1.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.errors import StorageError
from tariffsim.experiments.comparison import compare
from tariffsim.experiments.ensemble import Progress, Settings
from tariffsim.record.listed import listed_files, read_checksums, some_of, unlisted
from tariffsim.record.result_tables import SPARSE
from tariffsim.record.results import Results, csv_bytes, load_results, provenance, read_results
from tariffsim.scenario import load_scenario
from tariffsim.scenario.scenario_files import shipped_folder

RESULTS = "results"
CHECKSUMS = "SHA256SUMS"
PARTS = ("README.md", "code", "replicate.py", "requirements.txt", RESULTS)
"""Files and folders of a package; others, such as environments, may be beside them."""
TEMPLATES = Path(__file__).parent / "templates"
REQUIRED = (
    "click", "filelock", "jinja2", "matplotlib", "mesa", "networkx", "numpy", "pandas", "pydantic",
    "pyyaml", "rich", "scipy",
)  # fmt: skip
"""What the package needs, also where it is not installed and nothing else says so."""
TOLERANCE = 1e-9
"""Relative to the largest number of the column in that table: sums in another order, as other
processors add them, differ by rounding."""
IDENTICAL, WITHIN, MOVED = "bit-identical", "within 1e-9", "moved"


@dataclass(frozen=True)
class Verdict:
    """The outcome of running results again.

    Attributes:
        status: the worst of all tables: bit-identical, within 1e-9, or moved.
        tables: one row a table: status, largest difference relative to its column, and where.
        changed: versions, scenarios and data that differ from those of the results.
    """

    status: str
    tables: pd.DataFrame
    changed: tuple[str, ...]


def verify(
    folder: Path,
    settings: Settings = Settings(),  # noqa: B008 (it is frozen)
    progress: Progress | None = None,
) -> Verdict:
    """Run the scenarios of a results folder, or a replication package, again and compare.

    Raises:
        StorageError: the folder is damaged, or holds no comparison.
        ScenarioError: a scenario in it is refused.
    """
    if os.path.lexists(folder / CHECKSUMS):
        _check(folder)
        folder = folder / RESULTS
    before = load_results(folder)
    if "headline" not in before.tables:
        raise StorageError(f"{folder}: only results of a comparison or a run can be verified")
    scenarios = {name: load_scenario(folder / "scenarios" / f"{name}.yaml")
                 for name in before.scenarios}  # fmt: skip
    base = scenarios.pop(before.baseline)
    first, last = before.provenance["seeds"]
    after = compare(
        scenarios, base, last - first + 1, first, settings.jobs, before.market, progress,
        engine=settings.engine, scheduler=settings.scheduler,
        fixed_parameters="parameters" not in before.provenance,
    )  # fmt: skip
    rows = [_compared(name, before.tables.get(name, pd.DataFrame()), table)
            for name, table in after.tables.items()]  # fmt: skip
    tables, order = pd.DataFrame(rows), [IDENTICAL, WITHIN, MOVED]
    return Verdict(max(tables["status"], key=order.index), tables, tuple(_changed(before, after)))


def _compared(name: str, old: pd.DataFrame, new: pd.DataFrame) -> dict[str, Any]:
    """The difference of a table from the one that was saved."""
    row: dict[str, Any] = {"table": name, "status": IDENTICAL, "difference": 0.0, "where": ""}
    if csv_bytes(old) == csv_bytes(new):
        return row
    if name in SPARSE and list(old) == list(new):
        old, new = _with_zeros(old, new, SPARSE[name])
    if list(old) != list(new) or len(old) != len(new):
        return row | {"status": MOVED, "difference": np.inf, "where": "rows or columns"}
    worst, where = max(((_distance(old[c], new[c]), c) for c in old), key=lambda found: found[0])
    status = WITHIN if worst <= TOLERANCE else MOVED
    return row | {"status": status, "difference": worst, "where": where}


def _with_zeros(
    old: pd.DataFrame, new: pd.DataFrame, value: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with the rows of either: a row that is not kept is one with the value zero."""
    keys = [str(column) for column in new if column != value]

    def with_rows_of(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
        there = pd.MultiIndex.from_frame(table[keys])
        more = other[~pd.MultiIndex.from_frame(other[keys]).isin(there)].assign(**{value: 0.0})
        rows = pd.concat([table[[*keys, value]], more[[*keys, value]]])
        return rows.sort_values(keys, key=lambda column: column.astype(str), ignore_index=True)

    return with_rows_of(old, new), with_rows_of(new, old)


def _distance(old: pd.Series[Any], new: pd.Series[Any]) -> float:
    """Largest difference relative to the largest number; infinite where texts differ."""
    if not (pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new)):
        return 0.0 if old.equals(new) else float("inf")
    a, b = old.to_numpy(float), new.to_numpy(float)
    odd = ~(np.isfinite(a) & np.isfinite(b))
    if not np.array_equal(a[odd], b[odd], equal_nan=True):
        return float("inf")
    size = max(np.abs(a[~odd]).max(initial=0.0), np.abs(b[~odd]).max(initial=0.0))
    return float(np.abs(a[~odd] - b[~odd]).max(initial=0.0) / (size or 1.0))


def _changed(before: Results, after: Results) -> Iterator[str]:
    """What differs from when the results were made."""
    old, new = before.provenance, after.provenance
    was, now = ({"tariffsim": facts.get("tariffsim"), "python": facts.get("python")}
                | facts.get("versions", {}) for facts in (old, new))  # fmt: skip
    for name, version in now.items():
        if was.get(name) != version:
            yield f"{name} {was.get(name)} then, {version} now"
    if _distribution(old) != _distribution(new):
        yield "parameters are drawn from another distribution"
    if old.get("data_hash") != new["data_hash"]:
        yield "the data tables have other numbers"
    for name, digest in new["scenario_hashes"].items():
        if old.get("scenario_hashes", {}).get(name) != digest:
            yield f"scenario {name} has another meaning in this version"


def _distribution(facts: Mapping[str, Any]) -> str:
    """Hash of what parameters were drawn from; empty if they were fixed."""
    return str(facts.get("parameters", {}).get("digest", ""))


def pack(folder: Path) -> dict[str, bytes]:
    """Files of a replication package of a results folder, by path.

    It follows the template README of the data editors of economics journals and holds everything
    except the packages of others, which it names with their versions.

    Raises:
        StorageError: no results folder, or a file of it is damaged.
    """
    results, outputs = read_results(folder)
    if "month" not in results.tables.get("market_month", ()):
        raise StorageError(f"{folder}: only results of a comparison or a run make a package")
    files = {f"{RESULTS}/{name}": data for name, data in outputs.items()}
    files |= {f"code/{path}": data for path, data in _code().items()}
    files["requirements.txt"] = "".join(f"{line}\n" for line in _versions()).encode()
    files["replicate.py"] = (TEMPLATES / "replicate.py").read_bytes()
    files["README.md"] = _readme(results, list(files)).encode()
    files[CHECKSUMS] = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())
    ).encode()
    return files


def _code() -> dict[str, bytes]:
    """The package as it is installed, and the shipped scenarios and their tables beside it."""
    package = Path(__file__).resolve().parent.parent
    paths = [path for path in sorted(package.rglob("*"))
             if path.is_file() and "__pycache__" not in path.parts]  # fmt: skip
    code = {f"tariffsim/{p.relative_to(package).as_posix()}": p.read_bytes() for p in paths}
    folder = shipped_folder()
    shipped = [path for kind in ("*.yaml", "*.csv") for path in sorted(folder.rglob(kind))]
    return code | {
        f"scenarios/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in shipped
    }


def _versions() -> list[str]:
    """Every package that this one needs, with its version, `name==version`."""
    found: dict[str, str] = {}
    waiting = list(REQUIRED)
    while waiting:
        name = waiting.pop()
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # for another system or interpreter
        for requirement in metadata.requires(name) or ():
            needed = re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")
            if "extra ==" not in requirement and needed not in found:
                waiting.append(needed)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _readme(results: Results, paths: list[str]) -> str:
    """The README, with the facts of these results."""
    facts = provenance() | results.provenance
    first, last = facts["seeds"]
    titles = {name: title.replace("|", "/") for name, title in results.titles.items()}
    data = [path for path in paths if path.endswith(".csv")
            and path.startswith(("code/tariffsim/data/", f"{RESULTS}/scenarios/"))]  # fmt: skip
    return (
        (TEMPLATES / "README.md")
        .read_text("utf-8")
        .format(
            title=", ".join(titles.values()),
            data="\n".join(f"| `{path}` | yes |" for path in data),
            python=facts["python"],
            system=" ".join(map(str, facts["machine"].values())),
            runs=len(titles) * (last - first + 1),
            months=results.tables["market_month"]["month"].nunique(),
            seconds=facts.get("wall_seconds", 0.0),
            first=first,
            last=last,
            version=facts["tariffsim"],
            tables="\n".join(
                f"| `results/{name}.csv` | {len(table):,} rows |"
                for name, table in results.tables.items()
            ),
            scenarios="\n".join(f"| `{name}` | {title} |" for name, title in titles.items()),
        )
    )


def _check(folder: Path) -> None:
    """Refuse a package of which a file is missing, was changed or was added."""
    digests = read_checksums(folder / CHECKSUMS)
    for _ in listed_files(folder / CHECKSUMS, digests, "package", "was changed"):
        pass
    others = (name for name in unlisted(folder, digests) if not name.endswith("__pycache__/"))
    if added := [name for name in others if name.partition("/")[0] in PARTS]:
        text = f"does not list files of the package: {some_of(added)}"
        raise StorageError(f"{folder / CHECKSUMS}: {text}")
