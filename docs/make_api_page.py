"""Write api.md: the public names with what each does; run it after any change of one."""

from __future__ import annotations

import runpy
from functools import reduce
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import tariffsim
from tariffsim import kernels

PAGE = Path(__file__).resolve().parent / "api.md"
table = runpy.run_path(str(PAGE.parent / "make_parameters_page.py"))["table"]
INTRO = """# The Python interface

Names that may be used from outside, with what each does. `help(name)` shows arguments, units and
errors; the built documentation (`tariffsim docs`) shows them below. This page is written from the
docstrings by `docs/make_api_page.py`; change a docstring, not this page. What is listed down to
*Errors* changes by the [rule for public names](../CONTRIBUTING.md#what-may-change-and-how); the
month and the kernels are here to be read and may change at any time, as all other names may.

"""
GROUPS = {
    "The package": [f"tariffsim.{name}" for name in tariffsim.__all__],
    "Many runs": [
        "tariffsim.experiments.Settings",
        "tariffsim.experiments.run_ensemble",
        "tariffsim.experiments.EnsembleResult",
        "tariffsim.experiments.EnsembleRunner",
        "tariffsim.experiments.sweep.sweep",
        "tariffsim.experiments.sweep.revenue_peak",
        "tariffsim.experiments.sensitivity.sensitivity",
        "tariffsim.experiments.solve.solve",
        "tariffsim.experiments.solve.Target",
        "tariffsim.experiments.scaling.with_strength",
        "tariffsim.experiments.decompose.decompose",
        "tariffsim.experiments.frontier.frontier",
        "tariffsim.experiments.timing.timing",
    ],
    "Results": [
        "tariffsim.record.dictionary.entry",
        "tariffsim.record.intervals.paired_interval",
        "tariffsim.record.statements",
    ],
    "Instruments": [
        "tariffsim.policy.Instrument",
        "tariffsim.policy.shipments.Shipments",
        "tariffsim.policy.fields",
    ],
    "Errors": ["tariffsim.errors.TariffsimError", "tariffsim.errors.ScenarioError",
               "tariffsim.errors.DataError", "tariffsim.errors.StorageError"],
    "The month and its closed forms": ["tariffsim.month", "tariffsim.theory"],
    "Kernels: the equations": sorted(
        f"tariffsim.kernels.{module.name}" for module in iter_modules(kernels.__path__)
    ),
}  # fmt: skip


def found(name: str) -> object:
    """What a dotted name names: a module, or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            module = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        return reduce(getattr, parts[cut:], module)
    raise LookupError(name)


def summary(name: str) -> str:
    """The first paragraph of a docstring."""
    return (found(name).__doc__ or "").strip().partition("\n\n")[0]


def page() -> str:
    """The whole page."""
    parts = []
    for group, names in GROUPS.items():
        rows = ([f"`{name}`", summary(name)] for name in names)
        parts.append(f"## {group}\n\n{table(('name', 'what it is'), rows)}")
    return INTRO + "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
