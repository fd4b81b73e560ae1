"""Folders of strangers: results, packages and stores that name or are what they must not."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tariffsim.errors import StorageError
from tariffsim.experiments import replication
from tariffsim.record.disk import is_inside, write_files
from tariffsim.record.results import load_results
from tests.cli.calling import call
from tests.processes import needs_signals
from tests.record.fuzz_folders import SECRET, Stranger, digest_of, fuzz, without_runs

TRIES = int(os.environ.get("TARIFFSIM_FUZZ_FILES", "2000"))
MEGABYTES = 64
Change = Callable[[dict[str, object]], object]


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path, 0)


def change_manifest(stranger: Stranger, change: Change) -> None:
    path = stranger.folder / "manifest.json"
    tree = json.loads(path.read_text("utf-8"))
    change(tree)
    path.write_text(json.dumps(tree), encoding="utf-8")


def refusals(stranger: Stranger) -> list[str]:
    """What every reader of the results says."""
    found = []
    for words in (["pack"], ["verify", "--jobs", "1"]):
        code, out, err = call(*words, stranger.folder)
        assert (code, out) == (5, ""), err
        assert "internal error" not in err
        found.append(err)
    with pytest.raises(StorageError) as refused:
        load_results(stranger.folder).save(stranger.root / "out")
    stranger.check()
    return [*found, str(refused.value)]


@pytest.mark.parametrize(
    "name",
    ["../../../precious", "../../precious", "..\\..\\precious", "C:\\precious",
     "a/../../../precious", "/etc/hostname", "./headline.csv", "", ".", "a\0b", "a\nb", "\ud800"],
)  # fmt: skip
def test_a_manifest_names_files_inside_its_folder_only(stranger: Stranger, name: str) -> None:
    change_manifest(stranger, lambda tree: tree["outputs"].update({name: digest_of(SECRET)}))
    for text in refusals(stranger):
        assert "outside its folder, or none" in text or "is not JSON" in text


@needs_signals
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to("../../precious"), "is a symbolic link"),
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "is a symbolic link"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: (path.touch(), os.truncate(path, 10**13)), "is larger than 4 GB"),
    ],
)
@pytest.mark.parametrize("name", ["manifest.json", "headline.csv"])
def test_only_plain_files_are_read(
    stranger: Stranger, make: Callable[[Path], object], reason: str, name: str
) -> None:
    path = stranger.folder / name
    path.unlink()
    make(path)
    wanted = reason if name != "manifest.json" else reason.replace("4 GB", "10 MB")
    assert all(wanted in text for text in refusals(stranger))


def test_a_folder_that_is_a_link_is_not_gone_through(stranger: Stranger) -> None:
    (stranger.folder / "scenarios").rename(stranger.root / "deep" / "elsewhere")
    (stranger.folder / "scenarios").symlink_to("../../elsewhere")
    assert all("through the symbolic link scenarios" in text for text in refusals(stranger))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree.pop("titles"), "titles: Field required"),
        (lambda tree: tree.pop("seeds"), "seeds: Field required"),
        (lambda tree: tree.pop("outputs"), "outputs: Field required"),
        (lambda tree: tree.update(titles={}), "titles: "),
        (lambda tree: tree.update(titles=["baseline"]), "titles: it should be a valid dictionary"),
        (lambda tree: tree.update(titles={"other": "Other"}), "scenario other is not among"),
        (lambda tree: tree.update(outputs=7), "outputs: "),
        (lambda tree: tree.update(seeds=[0]), "seeds: "),
        (lambda tree: tree.update(seeds=[0.5, 1]), "seeds.0: "),
        (lambda tree: tree.update(seeds=[1, 0]), "seeds must be"),
        (lambda tree: tree.update(seeds=[0, 10**9]), "seeds must be"),
        (lambda tree: tree.update(market=None), "market: "),
        (lambda tree: tree.update(versions=[1]), "versions: "),
        (lambda tree: tree.update(machine="x"), "machine: "),
        (lambda tree: tree.update(scenario_hashes=3), "scenario_hashes: "),
        (lambda tree: tree.update(wall_seconds="long"), "wall_seconds: "),
        (lambda tree: tree["outputs"].update({"headline.csv": 5}), "outputs.headline.csv: "),
        (lambda tree: tree.update(failures=5), "failures: it should be a valid list"),
        (lambda tree: tree.update(failures=[{"scenario": "a"}]), "failures.0.seed: Field required"),
        (lambda tree: tree.update(precision="a"), "precision: "),
        (lambda tree: tree.update(precision={"wanted": 1.0}), "precision.is_reached: "),
        (lambda tree: tree.update(asked=1), "asked: "),
        (lambda tree: tree.update(market="XX"), "market: 'XX' is not in the tables"),
    ],
)
def test_odd_manifests_are_refused_with_the_key(
    stranger: Stranger, change: Change, said: str
) -> None:
    change_manifest(stranger, change)
    assert all(f"{said}" in text for text in refusals(stranger))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"[" * 100_000, "is not JSON"),
        (b'{"titles":' + b"[" * 500 + b"]" * 500 + b"}", "is not JSON"),
        (b"\0" * 50, "is not JSON"),
        (b"\xff\xfe{", "is not JSON"),
        (b"7", "is not a manifest of results"),
        (b"[]", "is not a manifest of results"),
        (b" " * 10_000_001, "is larger than 10 MB"),
    ],
)
def test_manifests_that_are_none(stranger: Stranger, data: bytes, said: str) -> None:
    (stranger.folder / "manifest.json").write_bytes(data)
    assert all(said in text for text in refusals(stranger))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\x00\xfe" * 100, "binary"),
        (b"no checksum\n", "one checksum and name a line"),
        (b"0" * 64 + b"  ../../precious\n", "outside its folder"),
        (b"0" * 64 + b"  /dev/zero\n", "outside its folder"),
        (b"0" * 64 + b"  nothing\n", "nothing: is missing"),
        (b"0" * 64 + b"  " + b"x" * 5000 + b"\n", "File name too long"),
    ],
)
def test_odd_lists_of_checksums_are_refused(stranger: Stranger, data: bytes, said: str) -> None:
    (stranger.package / "SHA256SUMS").write_bytes(data)
    code, out, err = call("verify", stranger.package, "--jobs", "1")
    assert (code, out) == (5, "")
    assert said in err


@pytest.mark.parametrize("name", [None, "results/headline.csv", "results/scenarios/baseline.yaml"])
def test_a_list_that_lacks_files_of_the_package_is_refused(
    stranger: Stranger, name: str | None
) -> None:
    lines = stranger.files["SHA256SUMS"].decode().splitlines(keepends=True)
    kept = [] if name is None else [line for line in lines if not line.endswith(f"  {name}\n")]
    assert len(kept) < len(lines)
    (stranger.package / "SHA256SUMS").write_text("".join(kept), encoding="utf-8")
    code, out, err = call("verify", stranger.package, "--jobs", "1")
    assert (code, out) == (5, "")
    lacks = {"results/scenarios/baseline.yaml": "results/scenarios/"}.get(name or "", name)
    assert f"SHA256SUMS: does not list files of the package: {lacks or 'results/'}\n" in err


def test_what_is_beside_a_package_does_not_count(stranger: Stranger) -> None:
    for name in ("notes.txt", ".venv/bin/python", "results/__pycache__/x.pyc", "results/.DS_Store"):
        (stranger.package / name).parent.mkdir(parents=True, exist_ok=True)
        (stranger.package / name).touch()
    (stranger.package / "SHA256SUMS").write_bytes(stranger.files["SHA256SUMS"])
    with without_runs(stranger.results):
        replication.verify(stranger.package)


@needs_signals
def test_a_list_of_checksums_that_is_a_pipe_does_not_hang(stranger: Stranger) -> None:
    os.mkfifo(stranger.package / "SHA256SUMS")
    code, _, err = call("verify", stranger.package, "--jobs", "1")
    assert (code, "is a pipe" in err) == (5, True)


def test_a_table_that_is_none_is_refused(stranger: Stranger) -> None:
    data = b'a,b\n"\n'
    (stranger.folder / "headline.csv").write_bytes(data)
    change_manifest(
        stranger, lambda tree: tree["outputs"].update({"headline.csv": digest_of(data)})
    )
    assert all("headline.csv: is not a table" in text for text in refusals(stranger))


def test_a_package_needs_the_tables_of_a_comparison(stranger: Stranger) -> None:
    del stranger.results.tables["market_month"]
    stranger.results.save(stranger.folder)
    with pytest.raises(StorageError, match="only results of a comparison"):
        replication.pack(stranger.folder)


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "C:x", "a\\..\\..\\x", "a\nb", ""])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(StorageError, match="is not the path of a file in a folder"):
        write_files(tmp_path / "in", [(name, [b"x"])])
    assert [path.name for path in tmp_path.rglob("*")] == ["in"]


def test_ordinary_names_are_inside() -> None:
    assert all(map(is_inside, ("a", "a/b.csv", "scenarios/關稅 一.yaml", "a..b", "...")))


def test_numbers_that_are_no_results_are_never_the_same(stranger: Stranger) -> None:
    """An infinite or missing number in a stored table is not within any tolerance."""
    for bad in ("inf", "-inf", "", "9"):
        data = f"scenario,month,value\nbaseline,2025-01,1.5\nbaseline,2025-02,{bad}\n".encode()
        for name in ("headline.csv", "transaction_flows.csv"):
            (stranger.folder / name).write_bytes(data)
            new = {name: digest_of(data)}
            change_manifest(stranger, lambda tree, new=new: tree["outputs"].update(new))
        with without_runs(stranger.results):
            found = replication.verify(stranger.folder).tables.set_index("table")["status"]
        assert found["headline"] == found["transaction_flows"] == replication.MOVED, bad


def test_fuzz_some_folders() -> None:
    check_fuzz(200, seed=1)


@pytest.mark.slow
def test_fuzz_many_folders() -> None:
    check_fuzz(TRIES, seed=2)


@needs_signals
def check_fuzz(tries: int, seed: int) -> None:
    counts, broken = fuzz(tries, seed)
    assert broken == []
    assert sum(counts.values()) > tries
    for outcome in ("read", "denied"):
        assert sum(n for what, n in counts.items() if what.endswith(outcome)) > tries / 5


def test_fuzz_memory_of_folders_is_bounded() -> None:
    tracemalloc.start()
    fuzz(50, seed=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / 1e6 < MEGABYTES
