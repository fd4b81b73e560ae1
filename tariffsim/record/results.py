"""Results: tidy tables with the scenarios they came from, in memory and in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from tariffsim import __version__
from tariffsim.errors import StorageError
from tariffsim.record.dictionary import datapackage, dictionary
from tariffsim.record.disk import locked, new_folder, write_files
from tariffsim.tables.renamed import new_name, now_called

MANIFEST = "manifest.json"
RUNS = "runs"
"""Folder of finished runs in a folder of results; it stays when results are replaced."""
DEPENDENCIES = ("numpy", "scipy", "pandas", "mesa", "pydantic", "matplotlib")


class NamedTables(dict[str, pd.DataFrame]):
    """Tables by name; an old name is refused with the new one."""

    def __missing__(self, name: str) -> pd.DataFrame:
        new = new_name("table", name)
        raise KeyError(f"{name} {now_called(new)}" if new else name)


@dataclass(repr=False)
class Results:
    """Tables of a comparison; the first scenario is the baseline.

    Attributes:
        tables: tidy tables by name; columns are described by `variables()`.
        scenarios: the resolved scenarios as YAML text, by name.
        titles: their titles.
        market: the market that headlines are about.
        provenance: versions, seeds, hashes and machine of the run.
        files: charts, `report.html` and data tables, by relative path.
    """

    tables: dict[str, pd.DataFrame]
    scenarios: dict[str, str]
    titles: dict[str, str]
    market: str
    provenance: dict[str, Any]
    files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = NamedTables(self.tables)

    @property
    def baseline(self) -> str:
        """Name of the scenario that the others are compared with."""
        return next(iter(self.scenarios))

    def __repr__(self) -> str:
        """A few lines, for notebooks: scenarios, seeds, market, tables with their rows."""
        first, last = self.provenance.get("seeds", ("?", "?"))
        tables = ", ".join(f"{name} ({len(table):,})" for name, table in self.tables.items())
        facts = {
            "scenarios": ", ".join(self.scenarios), "seeds": f"{first} to {last}",
            "market": self.market, "tables (rows)": tables,
        }  # fmt: skip
        return "\n".join(["Results", *(f"  {name}: {fact}" for name, fact in facts.items())])

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the results folder: the old one stays until the new one is complete.

        Raises:
            StorageError: the folder cannot be written, or holds something else.
        """
        target = Path(folder)
        with new_folder(target) as fresh:
            _refuse_other(target)
            write_files(fresh, self._outputs())
            _replace(fresh, target)
        return target

    def _outputs(self) -> dict[str, bytes]:
        """All files by path, the manifest with their checksums last."""
        outputs: dict[str, bytes] = {f"{name}.csv": csv_bytes(t) for name, t in self.tables.items()}
        if find_spec("pyarrow"):  # with the extra `parquet`
            outputs |= {f"{n}.parquet": t.to_parquet(index=False) for n, t in self.tables.items()}
        outputs |= {f"scenarios/{n}.yaml": text.encode() for n, text in self.scenarios.items()}
        outputs["variables.csv"] = csv_bytes(dictionary(self.tables))
        outputs["datapackage.json"] = _json(datapackage(self.tables))
        outputs |= self.files
        digests = {path: hashlib.sha256(data).hexdigest() for path, data in outputs.items()}
        manifest = self.provenance | {
            "market": self.market,
            "titles": self.titles,
            "outputs": dict(sorted(digests.items())),
        }
        return outputs | {MANIFEST: _json(manifest)}


@contextmanager
def writing_to(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Hold a folder for results, and refuse an unusable one before anything is run.

    Raises:
        StorageError: it cannot be written, holds something else, or another command uses it.
    """
    target = Path(os.path.abspath(folder))
    lock = target.parent / f".{target.name}.lock"
    with ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _refuse_other(target)
            stack.enter_context(locked(lock, target))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageError(f"{target}: cannot write results: {reason}") from error
        try:
            yield target
        finally:
            with suppress(OSError):
                lock.unlink()


def load_results(folder: str | os.PathLike[str]) -> Results:
    """Read a results folder; every file is checked against its checksum.

    Raises:
        StorageError: not a results folder, of an earlier version, or a file is missing or damaged.
    """
    path = Path(folder)
    if not (path / MANIFEST).is_file() and _looks_like_results(path):
        raise StorageError(f"{path}: looks like results, but their {MANIFEST} is missing")
    try:
        manifest = json.loads((path / MANIFEST).read_text("utf-8"))
        outputs = {name: (path / name).read_bytes() for name in manifest["outputs"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path}: is not a complete results folder ({error})") from error
    for name, data in outputs.items():
        if hashlib.sha256(data).hexdigest() != manifest["outputs"][name]:
            raise StorageError(f"{path / name}: is damaged (checksum differs)")
    titles = manifest.pop("titles")
    tables, files = {}, {}
    for name, data in outputs.items():
        replaces_data = name.startswith("scenarios/") and name.endswith(".csv")
        if name.endswith(".csv") and "/" not in name and name != "variables.csv":
            tables[name.removesuffix(".csv")] = pd.read_csv(
                path / name, keep_default_na=False, na_values=[""]
            )
        elif name.startswith("charts/") or name == "report.html" or replaces_data:
            files[name] = data
    _refuse_old_names(path, tables)
    scenarios = {n: outputs[f"scenarios/{n}.yaml"].decode() for n in titles}
    market = manifest.pop("market")
    del manifest["outputs"]
    return Results(tables, scenarios, titles, market, manifest, files)


def _refuse_old_names(path: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Results of a version that named tables or columns otherwise say what these are called now."""
    old = {name: new_name("table", name) for name in tables}
    for column in (str(column) for table in tables.values() for column in table):
        old[column] = new_name("column", column) or new_name("metric", column)
    if told := "; ".join(f"`{name}` {now_called(new)}" for name, new in old.items() if new):
        raise StorageError(f"{path}: was written by an earlier version: {told}; run it again")


def provenance() -> dict[str, Any]:
    """Versions and machine facts of this run."""
    return {
        "tariffsim": __version__,
        "python": platform.python_version(),
        "machine": {"system": platform.system(), "machine": platform.machine()},
        "versions": {name: metadata.version(name) for name in DEPENDENCIES},
    }


def _refuse_other(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise StorageError(f"{target}: is not a folder")
    names = {path.name for path in target.iterdir()} if target.is_dir() else set()
    if names - {RUNS} and MANIFEST not in names:
        reason = "holds something else than results"
        if _looks_like_results(target):
            reason = f"looks like results without their {MANIFEST}, and is not overwritten"
        raise StorageError(f"{target}: {reason}; name another folder with --out")


def _looks_like_results(folder: Path) -> bool:
    """Whether a folder without manifest has files that only results have."""
    return all((folder / name).is_file() for name in ("datapackage.json", "variables.csv"))


def _replace(fresh: Path, target: Path) -> None:
    """Put a complete folder in the place of an old one, which stays if that fails."""
    if not target.exists():
        fresh.rename(target)
        return
    with tempfile.TemporaryDirectory(
        prefix=f".{target.name}.old.", dir=target.parent, ignore_cleanup_errors=True
    ) as folder:
        old = Path(folder, target.name)
        target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            old.rename(target)
            raise
        if (old / RUNS).is_dir():
            (old / RUNS).rename(target / RUNS)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as it is saved: every number reads back unchanged."""
    return table.to_csv(index=False, lineterminator="\n").encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()
