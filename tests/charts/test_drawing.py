"""Charts that are drawn by two processes."""

from __future__ import annotations

import multiprocessing
from functools import cache

from tariffsim.charts import Prepared, drawing, files_of, prepared
from tariffsim.experiments import run
from tariffsim.scenario import load_scenario, replace


@cache
def charts() -> list[Prepared]:
    base = replace(load_scenario("baseline"), agents__makers=40, run__end="2025-02")
    return prepared(run(base, seeds=1))[0]


def test_two_processes_give_the_files_of_one_in_their_order() -> None:
    alone = [item for one in charts() for item in files_of(one).items()]
    for is_shared in (True, False):
        with drawing(charts(), is_shared) as finish:
            assert list(finish().items()) == alone


def test_what_a_killed_process_leaves_is_drawn_here() -> None:
    before = set(multiprocessing.active_children())
    with drawing(charts()[:1], is_shared=True) as finish:
        (process,) = set(multiprocessing.active_children()) - before
        process.kill()
        assert finish() == files_of(charts()[0])
