"""Many runs: comparisons and ensembles, with common random numbers, on several processes."""

from tariffsim.experiments.comparison import Task, compare, run, run_task
from tariffsim.experiments.ensemble import Measured, Settings, measure
from tariffsim.experiments.local import available_cores
from tariffsim.experiments.pairs import Failure

__all__ = [
    "Failure",
    "Measured",
    "Settings",
    "Task",
    "available_cores",
    "compare",
    "measure",
    "run",
    "run_task",
]
