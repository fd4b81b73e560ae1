"""Folders of a stranger: `python -m tests.record.fuzz_folders --tries N --seed S`.

The manifest of results, the list of checksums of a package, their tables and a store of runs are
changed by bytes, by tokens and by structure, with the right checksums where that makes them more
dangerous; files become links, pipes, devices and folders. Whatever comes out is read or refused in
plain words; no other exception, no hang, no growing memory, nothing read or written outside.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from tariffsim.errors import TariffsimError
from tariffsim.experiments import replication
from tariffsim.experiments.store import LOCK, finished, listed, write_run
from tariffsim.record.result_tables import RunRecord
from tariffsim.record.results import Results, load_results
from tests.scenario.fuzz_scenarios import (
    STRANGE,
    bytes_changed,
    time_limit,
    tokens_changed,
    value,
)

SECRET = b"of somebody else"
KEY = "0" * 64
NAMES = (
    "../../precious", "/etc/passwd", "..", ".", "", "scenarios/../../../precious", "./headline.csv",
    "a//b", "..\\..\\precious", "C:\\precious", "C:precious", "\\\\host\\precious", "CON",
    "x" * 300, "a/" * 3000, "charts/" + "y" * 255, "runs/x", "runs", "manifest.json",
    "headline.csv/x", "SHA256SUMS", "link/precious", *(f"a{ch}b" for ch in STRANGE), "\ud800",
)  # fmt: skip
"""Names of files in lists, most of which are refused."""


def small_results() -> Results:
    """Results of next to nothing: what matters is how they are read."""
    months = pd.DataFrame({"scenario": "baseline", "month": ["2025-01", "2025-02"], "value": 1.5})
    by_market = months.assign(market="US")
    tables = {"headline": months, "market_month": by_market, "transaction_flows": months}
    facts = {
        "seeds": [0, 1], "data_hash": "0", "scenario_hashes": {"baseline": "0"}, "python": "3",
        "versions": {"numpy": "2"}, "machine": {"system": "Linux"}, "wall_seconds": 1.0,
        "tariffsim": "0",
    }  # fmt: skip
    text = "schema_version: 1\nextends: baseline\n"
    return Results(tables, {"baseline": text}, {"baseline": "Baseline"}, "US", facts)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Stranger:
    """A package with results, and a store, in a folder beside what must not be touched."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root, self.seed = root, seed
        self.package = root / "deep" / "package"
        self.folder, self.store = self.package / "results", root / "deep" / "store"
        self.precious = root / "precious"
        self.precious.write_bytes(SECRET)
        self.results = small_results()
        self.results.save(self.folder)
        self.files = {p.relative_to(self.package).as_posix(): p.read_bytes()
                      for p in self.package.rglob("*") if p.is_file()}  # fmt: skip
        sums = (f"{digest_of(data)}  {name}\n" for name, data in self.files.items())
        self.files["SHA256SUMS"] = "".join(sums).encode()
        self.store.mkdir()
        write_run(self.store, KEY, RunRecord({"m": 1.0}, {"t": {"c": np.ones(3)}}, {"month": []}),
                  {"scenario": "baseline", "seed": 0, "market": "US"})  # fmt: skip
        (file,) = self.store.glob("*.sqlite")
        self.stored = file.read_bytes()
        (self.store / LOCK).touch()

    def lay_out(self, rng: random.Random) -> str:
        """Write everything anew with one thing changed; says what."""
        for folder in ("deep", "out"):
            shutil.rmtree(self.root / folder, ignore_errors=True)
        self.store.mkdir(parents=True)
        (self.store / LOCK).touch()
        files, stored, way = dict(self.files), self.stored, rng.choice(WAYS)
        if way is stored_run:
            stored = bytes_changed(rng, [stored], stored)
        elif way is not other_kind:
            way(rng, files)
        for name, data in files.items():
            (self.package / name).parent.mkdir(parents=True, exist_ok=True)
            (self.package / name).write_bytes(data)
        (self.store / "of.sqlite").write_bytes(stored)
        if way is other_kind:
            other_kind(rng, files, [*map(self.package.joinpath, files), self.store / "of.sqlite"])
        return way.__name__

    def attempts(self, way: str) -> list[Callable[[], object]]:
        """All that reads what was changed."""
        of_store = [lambda: listed(self.store), lambda: finished(self.store, [KEY])]
        of_package = [lambda: replication.verify(self.package)]
        of_results = [
            lambda: load_results(self.folder).save(self.root / "out"),
            lambda: replication.pack(self.folder),
            lambda: replication.verify(self.folder),
        ]
        some = {"stored_run": of_store, "checksum_list": of_package}
        return some.get(way, [*of_results, *of_package, *of_store * (way == "other_kind")])

    def check(self) -> None:
        """Nothing outside was touched, and nothing from outside was taken in."""
        assert self.precious.read_bytes() == SECRET, "written outside"
        assert {p.name for p in self.root.iterdir()} <= {"deep", "precious", "out"}, "left over"
        out = self.root / "out"
        taken = [p for p in out.rglob("*") if p.is_file() and p.read_bytes() == SECRET]
        assert not taken, "read outside"


def manifest_text(rng: random.Random, files: dict[str, bytes]) -> None:
    """The manifest, by bytes or tokens."""
    change = rng.choice((bytes_changed, tokens_changed))
    data = files["results/manifest.json"]
    files["results/manifest.json"] = change(rng, [data, *files.values()], data)


def manifest_tree(rng: random.Random, files: dict[str, bytes]) -> None:
    """The manifest, by structure; it stays JSON."""
    tree = json.loads(files["results/manifest.json"])
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.choice((tree, tree, tree["outputs"], tree.get("titles")))
        place = place if isinstance(place, dict) else tree
        key = rng.choice([*place, *NAMES]) if place else "x"
        choice = rng.randrange(4)
        if choice == 0:
            place.pop(key, None)
        elif choice == 1:
            place[key] = value(rng)
        elif choice == 2:
            place[key] = json.loads("[" * 150 + "]" * 150)
        else:
            place[rng.choice(NAMES)] = rng.choice((digest_of(SECRET), digest_of(b""), "0" * 64))
        if not isinstance(tree.get("outputs"), dict):
            break
    data = json.dumps(tree).encode()
    files["results/manifest.json"] = data if rng.random() < 0.9 else b"[" * 100_000 + data


def outside_name(rng: random.Random, files: dict[str, bytes]) -> None:
    """The manifest names what is not in the folder, with its right checksum."""
    tree = json.loads(files["results/manifest.json"])
    tree["outputs"][rng.choice(NAMES)] = digest_of(SECRET)
    files["results/manifest.json"] = json.dumps(tree).encode()


def checksum_list(rng: random.Random, files: dict[str, bytes]) -> None:
    """The list of checksums, by bytes, by tokens, or with a name from outside."""
    data = files["SHA256SUMS"]
    name = rng.choice(NAMES).encode("utf-8", "surrogatepass")
    if rng.random() < 0.5:
        files["SHA256SUMS"] = data + digest_of(SECRET).encode() + b"  " + name + b"\n"
    else:
        change = rng.choice((bytes_changed, tokens_changed))
        files["SHA256SUMS"] = change(rng, [data, self_made(rng)], data)


def self_made(rng: random.Random) -> bytes:
    """Bytes of no meaning."""
    return rng.randbytes(rng.choice((1, 50, 5000)))


def table_or_scenario(rng: random.Random, files: dict[str, bytes]) -> None:
    """A file of the results, with its right checksum in both lists."""
    name = rng.choice([n for n in files if n.endswith((".csv", ".yaml"))])
    change = rng.choice((bytes_changed, tokens_changed))
    files[name] = change(rng, list(files.values()), files[name])
    tree = json.loads(files["results/manifest.json"])
    tree["outputs"][name.removeprefix("results/")] = digest_of(files[name])
    files["results/manifest.json"] = json.dumps(tree).encode()
    sums = (f"{digest_of(data)}  {n}\n" for n, data in files.items() if n != "SHA256SUMS")
    files["SHA256SUMS"] = "".join(sums).encode()


def other_kind(rng: random.Random, files: dict[str, bytes], paths: list[Path]) -> None:
    """A file or folder becomes a link, a pipe, a folder, or endless."""
    path = rng.choice(paths)
    path = path.parent if rng.random() < 0.2 and path.parent.name != "package" else path
    choice = rng.randrange(6)
    if choice < 2:
        path.rename(path.with_name("moved"))
        path.symlink_to(rng.choice(("moved", "../../precious", "/dev/zero", "nowhere", ".")))
        return
    if path.is_dir():
        return
    path.unlink()
    if choice == 2:
        path.mkdir()
    elif choice == 3:
        os.mkfifo(path)
    elif choice == 4:
        path.touch()
        os.truncate(path, 10**12)


def stored_run(rng: random.Random, files: dict[str, bytes]) -> None:
    """The file of a run, by bytes."""


WAYS = (
    manifest_text, manifest_tree, manifest_tree, outside_name, checksum_list, table_or_scenario,
    other_kind, stored_run,
)  # fmt: skip


def outcome_of(attempt: Callable[[], object]) -> str:
    """What came of one attempt: nothing but a result or a refusal in plain words may."""
    try:
        attempt()
    except TariffsimError as error:
        code, text = error.exit_code, str(error)
    else:
        return "read"
    assert code in (3, 5), f"exit code {code}"
    assert text.strip(), "no reason"
    assert all(line.isprintable() for line in text.split("\n")), "raw characters shown"
    assert len(text) < 10_000, "an endless text"
    return "denied"


@contextmanager
def without_runs(results: Results) -> Iterator[None]:
    """Nothing is simulated, and a package has no code: what matters is what is read.

    Writing is what it is otherwise, but for the waiting for disks and for Parquet.
    """
    with (
        patch.object(replication, "compare", lambda *_, **__: results),
        patch.object(replication, "_code", dict),
        patch.object(replication, "_versions", list),
        patch.object(replication, "provenance", lambda: results.provenance),
        patch("warnings.warn", lambda *_, **__: None),  # of damaged runs
        patch("os.fsync", lambda descriptor: None),
        patch("tariffsim.record.results.find_spec", lambda name: None),  # no Parquet
    ):
        yield


def fuzz(tries: int, seed: int) -> tuple[Counter[str], list[tuple[str, BaseException]]]:
    """Try many folders; what came of them, and what broke something."""
    counts: Counter[str] = Counter()
    broken: list[tuple[str, BaseException]] = []
    with tempfile.TemporaryDirectory() as folder:
        stranger = Stranger(Path(folder), seed)
        with without_runs(stranger.results):
            for number in range(tries):
                way = stranger.lay_out(random.Random(f"{seed} {number}"))
                try:
                    with time_limit():
                        for attempt in stranger.attempts(way):
                            counts[f"{way} {outcome_of(attempt)}"] += 1
                    stranger.check()
                except (Exception, RecursionError) as error:
                    broken.append((f"{seed} {number} {way}", error))
                    stranger.precious.write_bytes(SECRET)
    return counts, broken


def main() -> int:
    """Try many folders and name those that break something."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tries", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    arguments = parser.parse_args()
    start = time.perf_counter()
    counts, broken = fuzz(arguments.tries, arguments.seed)
    print(f"seed {arguments.seed}: {arguments.tries} in {time.perf_counter() - start:.0f} s")
    for what, count in sorted(counts.items()):
        print(f"{count:9,} {what}")
    for what, error in broken[:20]:
        print(f"{what}: {type(error).__name__}: {str(error)[:200]!r}")
    print(f"{len(broken)} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
