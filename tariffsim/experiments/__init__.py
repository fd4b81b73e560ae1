"""Many runs: comparisons and ensembles, with common random numbers, on several processes."""

from tariffsim.experiments.comparison import Task, compare, run, run_task
from tariffsim.experiments.ensemble import EnsembleResult, Settings, run_ensemble
from tariffsim.experiments.local import available_cores
from tariffsim.experiments.pairs import Failure

__all__ = [
    "EnsembleResult",
    "Failure",
    "Settings",
    "Task",
    "available_cores",
    "compare",
    "run",
    "run_ensemble",
    "run_task",
]
