"""`doctor`: whether runs can work on this machine, and what to do if not."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path

import click

from tariffsim import __version__
from tariffsim.cli.screen import STORAGE, Command, Screen, show

PACKAGES = ("numpy", "scipy", "pandas", "mesa", "pydantic", "PyYAML", "matplotlib", "Jinja2")
REINSTALL = "install again: pip install --force-reinstall tariffsim"


def _packages() -> str:
    for name in PACKAGES:
        import_module({"PyYAML": "yaml", "Jinja2": "jinja2"}.get(name, name))
    return ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)


def _cores() -> str:
    return f"{import_module('tariffsim.experiments').available_cores()}"


def _memory() -> str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown on this system"
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    if size < 2:
        raise MemoryError(f"only {size:.1f} GB")
    return f"{size:.1f} GB"


def _processes() -> str:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(os.getpid).result(timeout=60)
    return "start and answer"


def _writing() -> str:
    for folder in (Path.cwd(), tempfile.gettempdir()):
        with tempfile.TemporaryFile(dir=folder):
            pass
    return f"in {Path.cwd()} and {tempfile.gettempdir()}"


def _fonts() -> str:
    manager = import_module("matplotlib.font_manager")
    return Path(manager.findfont("DejaVu Sans", fallback_to_default=False)).name


def _data() -> str:
    from tariffsim.tables import load_tables

    return f"tables load (digest {load_tables().digest[:12]})"


def _scenarios() -> str:
    from tariffsim.cli.options import load_all
    from tariffsim.scenario.scenario_files import shipped_names

    return f"{len(load_all(['baseline', *shipped_names()])) - 1} shipped ones load"


CHECKS: dict[str, tuple[Callable[[], str], str]] = {
    "tariffsim": (lambda: __version__, ""),
    "python": (lambda: f"{platform.python_version()} on {platform.platform(terse=True)}", ""),
    "packages": (_packages, REINSTALL),
    "cores": (_cores, REINSTALL),
    "memory": (_memory, "run with --jobs 1"),
    "processes": (_processes, "run with --jobs 1"),
    "writing": (_writing, "go to another folder, or name one with --out"),
    "fonts": (_fonts, "install again: pip install --force-reinstall matplotlib"),
    "data": (_data, REINSTALL),
    "scenarios": (_scenarios, REINSTALL),
}
"""What is checked, and what to do if it fails."""


@click.command(cls=Command, order=170, short_help="Check that runs can work here.")
def doctor(screen: Screen) -> None:
    """Check that runs can work on this machine, with advice if not.

    Example:
      tariffsim doctor
    """
    found = {name: _checked(*check) for name, check in CHECKS.items()}
    rows = [{"name": name, "state": "ok" if good else "BAD", "detail": detail}
            for name, (good, detail) in found.items()]  # fmt: skip
    checks = {n: {"is_good": good, "detail": detail} for n, (good, detail) in found.items()}
    screen.show(show(rows, ("name", "state", "detail"), has_header=False), {"checks": checks})
    if not all(good for good, _ in found.values()):
        raise click.exceptions.Exit(STORAGE)
    screen.remark("all checks passed")


def _checked(check: Callable[[], str], advice: str) -> tuple[bool, str]:
    try:
        return True, check()
    except Exception as error:  # a check that fails must not stop the others
        return False, f"{type(error).__name__}: {error}; {advice}"
