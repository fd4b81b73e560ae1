"""Results: tidy tables with the scenarios they came from, in memory and in a folder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from tariffsim import __version__
from tariffsim.errors import StorageError, escaped
from tariffsim.record.dictionary import datapackage, dictionary
from tariffsim.record.disk import Contents, held, settle, write_folder
from tariffsim.record.listed import (
    RESULTS_VERSION,
    listed_files,
    read_manifest,
    some_of,
    unlisted,
)
from tariffsim.tables.renamed import new_name, now_called

MANIFEST = "manifest.json"
ROWS = 2_000
"""Rows of a table that are text at a time."""
RUNS = "runs"
"""Folder of finished runs in a folder of results; it stays when results are replaced."""
TO_REPLACE, TO_DELETE = "; to replace them, add --force", "; to delete them, add --force"
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

    def save(self, folder: str | os.PathLike[str], is_forced: bool = False) -> Path:
        """Write the results folder: the old one stays until the new one is complete.

        Args:
            folder: a new one, or one of older results, which are replaced.
            is_forced: whether what is not of the older results goes with them.

        Raises:
            StorageError: the folder cannot be written, holds something else, or another command
                uses it.
        """
        with writing_to(folder, is_forced) as target:
            self.save_held(target, is_forced)
        return Path(folder)

    def save_held(
        self, target: Path, is_forced: bool = False, finish: Callable[[], None] | None = None
    ) -> None:
        """Write the results folder, which the caller holds; see `writing_to`.

        `finish` is called when the tables are written, and may add to `files`.
        """
        _refuse_other(target, is_forced)
        write_folder(target, self._with_manifest(finish), kept=RUNS)

    def _with_manifest(self, finish: Callable[[], None] | None) -> Iterator[tuple[str, Contents]]:
        """All files by path, each made when its turn comes, the manifest with checksums last."""
        digests: dict[str, str] = {}

        def noted(path: str, parts: Iterable[bytes]) -> Iterator[bytes]:
            digest = hashlib.sha256()
            for part in parts:
                digest.update(part)
                yield part
            digests[path] = digest.hexdigest()

        for path, parts in self._outputs(finish):
            yield path, noted(path, parts)
        manifest = self.provenance | {
            "schema_version": RESULTS_VERSION,
            "market": self.market,
            "titles": self.titles,
            "outputs": dict(sorted(digests.items())),
        }
        yield MANIFEST, [_json(manifest)]

    def _outputs(self, finish: Callable[[], None] | None) -> Iterator[tuple[str, Contents]]:
        has_parquet = find_spec("pyarrow")  # with the extra `parquet`
        for name, table in self.tables.items():
            yield f"{name}.csv", csv_parts(table)
            if has_parquet:
                yield f"{name}.parquet", [table.to_parquet(index=False)]
        yield "variables.csv", csv_parts(dictionary(self.tables))
        yield "datapackage.json", [_json(datapackage(self.tables))]
        for name, text in self.scenarios.items():
            yield f"scenarios/{name}.yaml", [text.encode()]
        if finish is not None:
            finish()
        for path, data in self.files.items():
            yield path, [data]


@contextmanager
def writing_to(folder: str | os.PathLike[str], is_forced: bool = False) -> Iterator[Path]:
    """Hold a folder for results, and refuse an unusable one before anything is run.

    Files beside older results are lost with them if that is forced; else they are in the way.

    Raises:
        StorageError: it cannot be written, holds something else, or another command uses it.
    """
    target = Path(os.path.abspath(folder))
    with ExitStack() as stack:
        try:
            _refuse_other(target, is_forced)
            target.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(target, kept=RUNS))
            _refuse_other(target, is_forced)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageError(f"{target}: cannot write results: {reason}") from error
        yield target


def load_results(folder: str | os.PathLike[str]) -> Results:
    """Read a results folder; every file is checked against its checksum.

    Raises:
        StorageError: not a results folder, of an earlier version, or a file is missing or damaged.
    """
    return read_results(Path(folder))[0]


def read_results(path: Path) -> tuple[Results, dict[str, bytes]]:
    """The results of a folder, and all its files by path.

    Raises:
        StorageError: not a results folder, of an earlier version, or a file is missing or damaged.
    """
    settle(Path(os.path.abspath(path)), kept=RUNS)
    if not os.path.lexists(path / MANIFEST) and _looks_like_results(path):
        raise StorageError(f"{path}: looks like results, but their {MANIFEST} is missing")
    written, manifest = read_manifest(path / MANIFEST)
    outputs = dict(listed_files(path / MANIFEST, manifest.outputs, "results folder", "is damaged"))
    tables, files = {}, {}
    for name, data in outputs.items():
        replaces_data = name.startswith("scenarios/") and name.endswith(".csv")
        if name.endswith(".csv") and "/" not in name and name != "variables.csv":
            tables[name.removesuffix(".csv")] = _table(path / name, data)
        elif name.startswith("charts/") or name == "report.html" or replaces_data:
            files[name] = data
    _refuse_old_names(path, tables)
    _check_market(path, manifest.market, tables)
    facts = json.loads(written)
    for key in ("schema_version", "titles", "market", "outputs"):
        facts.pop(key, None)
    try:
        scenarios = {n: outputs[f"scenarios/{n}.yaml"].decode() for n in manifest.titles}
    except UnicodeDecodeError:
        raise StorageError(f"{path}: has a scenario that is not UTF-8 text") from None
    results = Results(tables, scenarios, manifest.titles, manifest.market, facts, files)
    return results, outputs | {MANIFEST: written}


def _table(path: Path, data: bytes) -> pd.DataFrame:
    """A table as it was saved."""
    try:
        return pd.read_csv(
            io.BytesIO(data), keep_default_na=False, na_values=[""], low_memory=False
        )
    except (ValueError, OverflowError) as error:
        raise StorageError(f"{path}: is not a table: {error}") from error


def _check_market(path: Path, market: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Refuse a market that is not among those of the tables."""
    known = tables["market_month"].get("market") if "market_month" in tables else None
    if known is not None and market not in set(known):
        text = f"is not a manifest of results: market: {escaped(market)!r} is not in the tables"
        raise StorageError(f"{path / MANIFEST}: {text}")


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


def _refuse_other(target: Path, is_forced: bool) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise StorageError(f"{target}: is not a folder")
    if (target / RUNS).is_symlink():
        raise StorageError(f"{target / RUNS}: is a symbolic link, not a folder of runs")
    names = {path.name for path in target.iterdir()} if target.is_dir() else set()
    if names - {RUNS} and MANIFEST not in names:
        reason = "holds something else than results"
        if _looks_like_results(target):
            reason = f"looks like results without their {MANIFEST}, and is not overwritten"
        raise StorageError(f"{target}: {reason}; name another folder with --out")
    if MANIFEST in names and not is_forced:
        _refuse_loss(target)


def _refuse_loss(target: Path) -> None:
    """Refuse to replace results in whose folder there is what they did not write."""
    try:
        outputs = read_manifest(target / MANIFEST)[1].outputs
    except StorageError as error:
        raise StorageError(f"{error}{TO_REPLACE}") from None
    others = [name for name in unlisted(target, {MANIFEST, *outputs}) if name != f"{RUNS}/"]
    if others:
        text = f"holds files that are not of its results: {some_of(others)}; move them away"
        raise StorageError(f"{target}: {text}{TO_DELETE}")


def refuse_others(target: Path, experiment: str, asked: str) -> None:
    """Refuse a folder with results of another experiment, or of scenarios with other values.

    Args:
        target: the folder.
        experiment: name of the command and of its scenarios.
        asked: hash of what the command is asked to run.

    Raises:
        StorageError: asks for --force.
    """
    if not os.path.lexists(target / MANIFEST):
        return
    there = read_manifest(target / MANIFEST)[1]
    of = there.experiment or ", ".join(there.titles)
    if there.experiment == experiment:
        if there.asked == asked:
            return
        of += " with other values or options"
    raise StorageError(f"{target}: holds results of {of}{TO_REPLACE}")


def _looks_like_results(folder: Path) -> bool:
    """Whether a folder without manifest has files that only results have."""
    return all((folder / name).is_file() for name in ("datapackage.json", "variables.csv"))


def csv_bytes(table: pd.DataFrame) -> bytes:
    """A table as it is saved: every number reads back unchanged."""
    return b"".join(csv_parts(table))


def csv_parts(table: pd.DataFrame) -> Iterator[bytes]:
    """The same, so many rows at a time."""
    for start in range(0, max(len(table), 1), ROWS):
        part, is_first = table.iloc[start : start + ROWS], start == 0
        yield part.to_csv(index=False, header=is_first, lineterminator="\n").encode()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n").encode()
