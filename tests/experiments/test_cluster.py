"""The Dask engine against a real scheduler, with workers as processes of their own."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tariffsim.errors import EngineError
from tariffsim.experiments import Failure, Settings, engines, run_ensemble, runs
from tariffsim.experiments.engines import on_cluster
from tariffsim.experiments.runs import replications_of
from tariffsim.experiments.store import listed, marked, opened, read_run
from tariffsim.scenario import replace
from tests.experiments.test_ensemble import BASE, SCENARIOS, same
from tests.processes import wait_for

distributed = pytest.importorskip("distributed")
RECIPE = re.DOTALL | re.MULTILINE


@dataclass
class Running:
    """A scheduler with workers."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dask")
    file, log = folder / "scheduler.json", (folder / "log").open("wb")

    def start(part: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--no-dashboard", *words]
        return subprocess.Popen([*command, "--scheduler-file", str(file)], stderr=log, cwd=folder)

    started = [start("scheduler", "--host", "127.0.0.1", "--port", "0")]
    try:
        wait_for(lambda: file.exists() and file.read_text().endswith("}"))
        workers = [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
        started += workers
        yield Running(json.loads(file.read_text())["address"], workers)
    finally:
        log.close()
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_runs_of_a_cluster_share_months_with_their_baseline(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, own = (replace(one, run__end="2025-09") for one in (BASE, SCENARIOS["component_50"]))
    (one, _) = replications_of({"baseline": base, "own": own}, [1], "US", is_full=False)
    assert one.kept == (6,)
    settings = Settings(engine="dask", scheduler=running.address)
    found = run_ensemble({"own": own}, base, [1, 2], settings=settings)
    monkeypatch.setattr(runs, "months_to_keep", lambda *_: ())
    same(found.table, run_ensemble({"own": own}, base, [1, 2]).table)


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_nothing(running: Running, tmp_path: Path) -> None:
    """The runs it had are made again by the other one; workers write into the store."""
    seeds = range(6)

    def kill_one(done: int, total: int) -> None:
        if done == 5:
            running.workers[0].kill()

    settings = Settings(engine="dask", scheduler=running.address, store=tmp_path)
    found = run_ensemble(SCENARIOS, BASE, seeds, settings=settings, progress=kill_one)
    assert not found.failures
    assert running.workers[0].wait(1) != 0
    same(found.table, run_ensemble(SCENARIOS, BASE, seeds).table)
    assert len(listed(tmp_path)) == len(found.table)


@pytest.mark.slow
def test_a_failed_run_is_a_record_and_the_others_go_on(running: Running) -> None:
    broken = SCENARIOS["component_50"].model_copy(update={"sourcing": None})
    runs = replications_of({"baseline": BASE}, [1], "US", is_full=False)
    runs += [type(runs[0])("broken", broken, BASE, ("other", runs[0].hashes[0]), 1, "US", False)]
    ended = {one.name: outcome for one, outcome in on_cluster(runs, running.address, 1)}
    assert not isinstance(ended["baseline"], Failure)
    failure = ended["broken"]
    assert isinstance(failure, Failure)
    assert (failure.phase, failure.message[:15]) == ("build_economy", "AttributeError:")


@pytest.mark.slow
def test_a_cluster_of_another_version_is_refused(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "code_digest", lambda: str(os.getpid()))
    with pytest.raises(EngineError, match="has another version of tariffsim"):
        run_ensemble({}, BASE, [0], settings=Settings(engine="dask", scheduler=running.address))


def test_without_a_scheduler_there_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "TIMEOUT", 1)
    settings = Settings(engine="dask", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(EngineError, match=r"answers at tcp://127\.0\.0\.1:9"):
        run_ensemble({}, BASE, [0], settings=settings)


def test_a_run_that_ends_its_workers_is_a_failure() -> None:
    class Lost:
        def result(self) -> None:
            raise distributed.KilledWorker("run", None, 3)

    runs = replications_of({"baseline": BASE}, [1, 2], "US", is_full=False)
    assert engines._found(runs, Lost()) is None  # they are made one by one
    (found,) = engines._found(runs[:1], Lost()) or []
    assert isinstance(found, Failure)
    assert "lack of memory" in found.message


def test_few_groups_are_divided_among_many_threads() -> None:
    runs = replications_of(SCENARIOS, [1, 2], "US", is_full=False)
    tasks = [list(task) for task in engines._tasks(runs, 4)]
    assert [one for task in tasks for one in task] == runs
    assert [len({one.group for one in task}) for task in tasks] == [1] * len(tasks)
    assert len(tasks) == 4
    assert len([*engines._tasks(runs, 1)]) == 2


def test_a_worker_that_sees_the_store_writes_into_it(tmp_path: Path) -> None:
    runs = replications_of({"baseline": BASE}, [1], "US", is_full=False)
    with opened(tmp_path / "store") as folder:
        with marked(folder) as mark:
            assert engines._outcomes_of(runs, mark) == [None]
            assert engines._outcomes_of(runs, mark) == [None]  # it is not written twice
        assert [run.key for run in listed(folder)] == [runs[0].key]
        (found,) = engines._outcomes_of(runs, mark)  # a worker with another disk
        assert found == read_run(folder, runs[0].key)


def test_the_recipe_for_slurm_makes_a_job(tmp_path: Path) -> None:
    """As far as a machine without SLURM can tell: the script that would be submitted."""
    page = Path(__file__).resolve().parents[2] / "docs" / "how_to_run_experiments.md"
    (code,) = re.findall(r"^```python\n(# on_slurm.py\n.*?)^```$", page.read_text("utf-8"), RECIPE)
    file = tmp_path / "on_slurm.py"
    file.write_text(code, "utf-8")
    with runpy.run_path(str(file), run_name="on_slurm")["cluster"]() as jobs:
        script, address = jobs.job_script(), jobs.scheduler_address
    options = dict(re.findall(r"^#SBATCH (-\S+?)[ =](.+)$", script, re.MULTILINE))
    assert (options["-p"], options["-A"], options["-t"]) == ("compute", "my_project", "04:00:00")
    assert options["--cpus-per-task"] == "32"
    assert f" {address} " in script
    assert "--nthreads 1 " in script
    assert "--nworkers 32 " in script
    assert script.index("export OMP_NUM_THREADS=1") < script.index("dask_worker")
