"""tariffsim: an agent-based model of tariffs on legacy chips and goods that contain them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tariffsim.experiments import compare, run
    from tariffsim.experiments.comparative_statics import compare_static
    from tariffsim.explain import Explanation, explain_choice
    from tariffsim.explain.duty import duty
    from tariffsim.model import TariffModel
    from tariffsim.record.results import Results, load_results
    from tariffsim.scenario import Scenario, load_scenario, replace, to_yaml

__version__ = "0.1.0"

_HOMES = {
    "Explanation": "explain",
    "Results": "record.results",
    "Scenario": "scenario",
    "TariffModel": "model",
    "compare": "experiments",
    "compare_static": "experiments.comparative_statics",
    "duty": "explain.duty",
    "explain_choice": "explain",
    "load_results": "record.results",
    "load_scenario": "scenario",
    "replace": "scenario",
    "run": "experiments",
    "to_yaml": "scenario",
}
"""Where the public names live; modules are imported when a name is first used."""

__all__ = [
    "Explanation",
    "Results",
    "Scenario",
    "TariffModel",
    "compare",
    "compare_static",
    "duty",
    "explain_choice",
    "load_results",
    "load_scenario",
    "replace",
    "run",
    "to_yaml",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from tariffsim.tables.renamed import no_attribute

        raise no_attribute(f"module {__name__!r}", "python", name)
    return getattr(import_module(f"tariffsim.{_HOMES[name]}"), name)
