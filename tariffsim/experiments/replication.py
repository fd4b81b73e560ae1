"""Results run again, and packages that let others do so."""

from __future__ import annotations

import hashlib
import json
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
from tariffsim.experiments.guide import guide, replicate_script
from tariffsim.record.results import Results, csv_bytes, load_results, provenance
from tariffsim.scenario import load_scenario
from tariffsim.scenario.scenario_files import shipped_folder

RESULTS = "results"
CHECKSUMS = "SHA256SUMS"
CLOSE = 1e-9
"""Relative to the largest number of its column: sums in another order differ by rounding."""
IDENTICAL, WITHIN, MOVED = "bit-identical", "within 1e-9", "moved"


@dataclass(frozen=True)
class Verdict:
    """What running results again gave.

    Attributes:
        status: the worst of all tables: bit-identical, within 1e-9, or moved.
        tables: one row a table: status, largest difference relative to its column, and where.
        changed: versions, scenarios and data that are not those of the results.
    """

    status: str
    tables: pd.DataFrame
    changed: tuple[str, ...]


def verify(
    folder: Path,
    settings: Settings = Settings(),  # noqa: B008 (it is frozen)
    progress: Progress | None = None,
) -> Verdict:
    """Run what a results folder, or a replication package, holds once more and compare.

    Raises:
        StorageError: the folder is damaged, or holds no comparison.
        ScenarioError: a scenario in it is refused.
    """
    if (folder / CHECKSUMS).is_file():
        _check(folder)
        folder = folder / RESULTS
    before = load_results(folder)
    if "headline" not in before.tables:
        raise StorageError(f"{folder}: holds no comparison or run, which alone can be verified")
    scenarios = {name: load_scenario(folder / "scenarios" / f"{name}.yaml")
                 for name in before.scenarios}  # fmt: skip
    base, *others = scenarios
    first, last = before.provenance["seeds"]
    after = compare(
        {name: scenarios[name] for name in others}, scenarios[base], last - first + 1, first,
        settings.jobs, before.market, progress, engine=settings.engine,
        scheduler=settings.scheduler,
    )  # fmt: skip
    rows = [_compared(name, before.tables.get(name, pd.DataFrame()), table)
            for name, table in after.tables.items()]  # fmt: skip
    tables, order = pd.DataFrame(rows), [IDENTICAL, WITHIN, MOVED]
    return Verdict(max(tables["status"], key=order.index), tables, tuple(_changed(before, after)))


def _compared(name: str, old: pd.DataFrame, new: pd.DataFrame) -> dict[str, Any]:
    """How a table differs from the one that was saved."""
    row: dict[str, Any] = {"table": name, "status": IDENTICAL, "difference": 0.0, "where": ""}
    if csv_bytes(old) == csv_bytes(new):
        return row
    if list(old) != list(new) or len(old) != len(new):
        return row | {"status": MOVED, "difference": np.inf, "where": "rows or columns"}
    worst, where = max(((_apart(old[c], new[c]), c) for c in old), key=lambda found: found[0])
    return row | {"status": WITHIN if worst <= CLOSE else MOVED, "difference": worst,
                  "where": where}  # fmt: skip


def _apart(old: pd.Series[Any], new: pd.Series[Any]) -> float:
    """Largest difference relative to the largest number; infinite where texts differ."""
    if not (pd.api.types.is_numeric_dtype(old) and pd.api.types.is_numeric_dtype(new)):
        return 0.0 if old.equals(new) else float("inf")
    a, b = old.to_numpy(float), new.to_numpy(float)
    if (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    size = np.nanmax(np.abs(np.concatenate([a, b])), initial=0.0)
    return float(np.nanmax(np.abs(a - b), initial=0.0) / (size or 1.0))


def _changed(before: Results, after: Results) -> Iterator[str]:
    """What is not as it was when the results were made."""
    old, new = before.provenance, after.provenance
    for key in ("tariffsim", "python"):
        if old.get(key) != new[key]:
            yield f"{key} {old.get(key)} then, {new[key]} now"
    for name, version in new["versions"].items():
        if (was := old.get("versions", {}).get(name)) != version:
            yield f"{name} {was} then, {version} now"
    if old.get("data_hash") != new["data_hash"]:
        yield "the data tables have other numbers"
    for name, digest in new["scenario_hashes"].items():
        if old.get("scenario_hashes", {}).get(name) != digest:
            yield f"scenario {name} means something else to this version"


def pack(folder: Path) -> dict[str, bytes]:
    """Files of a replication package of a results folder, by path.

    It follows the template README of the data editors of economics journals and holds all it takes
    but the packages of others, which it names with their versions.

    Raises:
        StorageError: no results folder, or a file of it is damaged.
    """
    results = load_results(folder)
    files = {f"{RESULTS}/{name}": (folder / name).read_bytes() for name in _listed(folder)}
    files |= {f"code/{path}": data for path, data in _code().items()}
    files["requirements.txt"] = "".join(f"{line}\n" for line in _versions()).encode()
    files["replicate.py"] = replicate_script().encode()
    files["README.md"] = guide(results, _data_tables(files), provenance()).encode()
    files[CHECKSUMS] = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())
    ).encode()
    return files


def _listed(folder: Path) -> list[str]:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    return [*manifest["outputs"], "manifest.json"]


def _code() -> dict[str, bytes]:
    """The package as it is installed, and the shipped scenarios beside it."""
    package = Path(__file__).resolve().parent.parent
    kept = [path for path in sorted(package.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts]  # fmt: skip
    code = {f"tariffsim/{path.relative_to(package).as_posix()}": path.read_bytes() for path in kept}
    shipped = sorted(shipped_folder().glob("*.yaml"))
    return code | {f"scenarios/{path.name}": path.read_bytes() for path in shipped}


def _versions() -> list[str]:
    """Every package that the installed one needs, with its version, `name==version`."""
    found: dict[str, str] = {}
    waiting = ["tariffsim"]
    while waiting:
        for wanted in metadata.requires(waiting.pop()) or ():
            name = _name(wanted)
            if "extra ==" in wanted or name in found:
                continue
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                continue  # for another system or interpreter
            waiting.append(name)
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _name(wanted: str) -> str:
    """The name at the start of a requirement."""
    end = next((i for i, c in enumerate(wanted) if not (c.isalnum() or c in "-_.")), len(wanted))
    return wanted[:end].lower().replace("_", "-")


def _data_tables(files: Mapping[str, bytes]) -> list[str]:
    return [path for path in files if path.startswith("code/tariffsim/data/")
            or (path.startswith(f"{RESULTS}/scenarios/") and path.endswith(".csv"))]  # fmt: skip


def _check(folder: Path) -> None:
    """Refuse a package of which a file is missing or not what it was."""
    for line in (folder / CHECKSUMS).read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise StorageError(f"{folder / CHECKSUMS}: names a file outside its folder")
        if not path.is_file():
            raise StorageError(f"{path}: is missing")
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise StorageError(f"{path}: is not what it was (checksum differs)")
