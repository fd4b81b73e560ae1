"""Many runs: comparisons and ensembles, with common random numbers, on several processes."""

from tariffsim.experiments.comparison import compare, run, run_seed
from tariffsim.experiments.engines import available_cores
from tariffsim.experiments.ensemble import EnsembleResult, EnsembleRunner, Settings, run_ensemble
from tariffsim.experiments.runs import Failure

__all__ = [
    "EnsembleResult",
    "EnsembleRunner",
    "Failure",
    "Settings",
    "available_cores",
    "compare",
    "run",
    "run_ensemble",
    "run_seed",
]
