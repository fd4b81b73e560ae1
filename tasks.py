#!/usr/bin/env python3
"""Everyday tasks of the project: `python3 tasks.py` lists them. Needs the standard library only."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
STAMP = "tariffsim-installed.json"
SITE = ROOT / "tariffsim" / "site"
LOCK = ROOT / "requirements" / "lock.txt"
LOCKED_PYTHON = (3, 11)
DEMO = ("whole_product_china", "component_50", "no_expansion")
FUZZ_FILES = 100_000
KILLS = 200


class TaskError(Exception):
    """Something the person at the keyboard can put right; printed without a traceback."""


class Environment:
    """A virtual environment that is made and filled when a task needs it, and left alone after."""

    def __init__(self, folder: Path, locked: bool = False) -> None:
        self.folder = folder
        self.locked = locked

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.program("python")

    def program(self, name: str) -> Path:
        """The path of a program installed in the environment."""
        if os.name == "nt":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name

    def ensure(self, *extras: str) -> None:
        """Make the environment and install the project with `extras`, unless that is done."""
        installed, inputs = self._installed()
        if installed is None:
            make_environment(self.folder)
        wanted = set(extras) | (installed or set())
        if inputs == self._inputs() and wanted == installed:
            return
        say(f"installing tariffsim into {self.folder} (once; takes a minute or two)")
        self._remember(set(), "unfinished")
        self._install(sorted(wanted))
        self._remember(wanted, self._inputs())

    def _install(self, extras: Sequence[str]) -> None:
        if self.locked:
            if sys.version_info[:2] != LOCKED_PYTHON:
                wanted = ".".join(map(str, LOCKED_PYTHON))
                raise TaskError(f"the lock is made for Python {wanted}; leave out --locked")
            self.pip("install", "--require-hashes", "-r", str(LOCK))
            self.pip("install", "--no-deps", "--no-build-isolation", "-e", str(ROOT))
        else:
            names = f"[{','.join(extras)}]" if extras else ""
            self.pip("install", "-e", f"{ROOT}{names}")

    def pip(self, *arguments: str) -> None:
        """Run pip in the environment."""
        run(self.python, "-m", "pip", "--disable-pip-version-check", *quiet(arguments))

    def _installed(self) -> tuple[set[str] | None, str]:
        """The extras in the environment (None: no usable environment) and what they came from."""
        try:
            stamp = json.loads((self.folder / STAMP).read_text(encoding="utf-8"))
            extras, inputs = set(map(str, stamp["extras"])), str(stamp["inputs"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, ""
        is_usable = stamp.get("python") == python_name() and self.python.exists()
        return (extras, inputs) if is_usable else (None, "")

    def _remember(self, extras: set[str], inputs: str) -> None:
        record = {"python": python_name(), "inputs": inputs, "extras": sorted(extras)}
        fresh = self.folder / (STAMP + ".new")
        fresh.write_text(json.dumps(record), encoding="utf-8")
        fresh.replace(self.folder / STAMP)

    def _inputs(self) -> str:
        """A hash of all that decides what has to be installed."""
        digest = hashlib.sha256(str(ROOT).encode())
        digest.update(requirements().encode())
        if self.locked:
            digest.update(LOCK.read_bytes())
        return digest.hexdigest()


def requirements() -> str:
    """What `pyproject.toml` says about installing; the settings of tools do not matter."""
    import tomllib  # not there before 3.11, which is told in plain words

    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    return json.dumps([project["build-system"], project["project"]], sort_keys=True)


def quiet(arguments: Sequence[str]) -> list[str]:
    """The same pip command, without its progress."""
    return [arguments[0], "--quiet", *arguments[1:]]


def python_name() -> str:
    """The running interpreter, as far as an environment made with it depends on it."""
    return f"{sys.implementation.cache_tag} {sys.version.split()[0]} {sys.platform}"


def make_environment(folder: Path) -> None:
    """Make an empty virtual environment, replacing one that this Python cannot use."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise TaskError(
            f"this Python ({sys.executable}) cannot make virtual environments.\n"
            "On Debian and Ubuntu install the missing part, then run the same command again:\n"
            f"    sudo apt install python{version}-venv"
        )
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
        raise TaskError(f"{folder} is not a virtual environment and not empty; name another folder")
    say(f"making a virtual environment in {folder}")
    run(sys.executable, "-m", "venv", "--clear", str(folder))


def say(text: str) -> None:
    """Tell the person what is going on, apart from what tasks print themselves."""
    print(f"-- {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run a command and stop with its exit code if it fails."""
    words = [str(word) for word in command]
    finished = subprocess.run(words, cwd=cwd, env={**os.environ, **(environment or {})})
    if finished.returncode:
        say(f"failed ({finished.returncode}): {' '.join(words)}")
        raise SystemExit(finished.returncode if finished.returncode > 0 else 1)


def script(path: str) -> Path:
    """A script of the repository, which an installed package does not have."""
    found = ROOT / path
    if not found.exists():
        raise TaskError(f"{path} is missing: run this from a clone of the repository")
    return found


# The tasks. Each docstring is its help.


def demo(environment: Environment, arguments: list[str]) -> None:
    """Install and run the main comparison; prints the table and where the report is."""
    environment.ensure()
    out = ROOT / "results" / "demo"
    run(environment.program("tariffsim"), "compare", *DEMO, "--out", out, *arguments)
    report = out / "report.html"
    if not report.exists():
        raise TaskError(f"the comparison wrote no {report}")
    print(f"\nThe report, for your browser: {report}")


def test(environment: Environment, arguments: list[str]) -> None:
    """Run the test suite on all cores, without what is marked slow (arguments go to pytest)."""
    run_tests(environment, ["-m", "not slow", *arguments])


def slow(environment: Environment, arguments: list[str]) -> None:
    """Run the tests marked slow: small runs of the campaigns, longer searches for bad inputs."""
    run_tests(environment, ["-m", "slow", *arguments])


def run_tests(environment: Environment, arguments: list[str]) -> None:
    """Run pytest on all cores, unless the arguments say otherwise."""
    environment.ensure("test")
    own = any(word.startswith(("-n", "--pdb")) for word in arguments)
    parallel = [] if own else ["-n", "auto", "--dist", "loadfile"]
    run(environment.python, "-m", "pytest", *parallel, *arguments)


def lint(environment: Environment, arguments: list[str]) -> None:
    """Check formatting, style, types and the import contracts."""
    environment.ensure("test", "dev")
    checks = ("ruff format --check .", "ruff check .", "mypy", "lint-imports --no-logo")
    failed = []
    for check in checks:
        say(check)
        program, *words = check.split()
        if subprocess.run([environment.program(program), *words], cwd=ROOT).returncode:
            failed.append(check)
    if failed:
        raise TaskError("failed: " + "; ".join(failed))


def docs(environment: Environment, arguments: list[str]) -> None:
    """Remake the generated pages of docs/ and the JSON Schema (--site: build the site instead)."""
    if "--site" in arguments:
        build_site(environment)
        return
    environment.ensure()
    for maker in sorted((ROOT / "docs").glob("make_*.py")):
        say(f"docs/{maker.name}")
        run(environment.python, maker, *arguments)
    schema = ROOT / "schema" / "scenario-1.json"
    made = subprocess.run([environment.program("tariffsim"), "schema"], stdout=subprocess.PIPE)
    if made.returncode:
        raise TaskError("tariffsim schema failed")
    schema.write_bytes(made.stdout.replace(b"\r\n", b"\n"))


def build_site(environment: Environment) -> None:
    """Build the site from the pages into the package; a warning is an error. Needs no network."""
    environment.ensure("docs")
    with tempfile.TemporaryDirectory(prefix="tariffsim-site-") as name:
        fresh, trees = Path(name) / "site", Path(name) / "trees"
        options = ["-b", "html", "-q", "-W", "--keep-going"]
        places = ("-d", trees, "-c", ROOT / "docs", ROOT, fresh)
        run(environment.python, "-m", "sphinx", *options, *places)
        shutil.rmtree(SITE, ignore_errors=True)
        shutil.copytree(fresh, SITE, ignore=shutil.ignore_patterns("_sources", ".buildinfo*"))
    say(f"the site: {SITE / 'docs' / 'index.html'}")


def notebooks(environment: Environment, arguments: list[str]) -> None:
    """Execute the notebooks and compare with what is stored (--write: store)."""
    environment.ensure("notebook")
    run(environment.python, script("notebooks/execute.py"), *arguments)


def bench(environment: Environment, arguments: list[str]) -> None:
    """Run the benchmarks and print their ratios (--quick: less; --record: into history.csv)."""
    environment.ensure("test")
    run(environment.python, script("benchmarks/run.py"), *arguments)


def golden(environment: Environment, arguments: list[str]) -> None:
    """Remake the stored expected results of the shipped scenarios."""
    environment.ensure("test")
    run(environment.python, script("tests/make_expected.py"), *arguments)


def scores(environment: Environment, arguments: list[str]) -> None:
    """Compute the stored scores against history again, and the page made from them (minutes)."""
    environment.ensure()
    run(environment.python, "-m", "tariffsim.validation.scores", *arguments)
    run(environment.python, script("docs/make_validation_page.py"))


def fuzz(environment: Environment, arguments: list[str]) -> None:
    """Read many broken scenarios, manifests and packages (first argument: how many of each)."""
    environment.ensure("test")
    count = arguments.pop(0) if arguments and arguments[0].isdigit() else str(FUZZ_FILES)
    settings = {"TARIFFSIM_FUZZ_FILES": count, "HYPOTHESIS_PROFILE": "explore"}
    run(environment.python, "-m", "pytest", "-k", "fuzz", *arguments, environment=settings)


def mutate(environment: Environment, arguments: list[str]) -> None:
    """Change the code in many small ways and count what the tests notice (--help: the choices)."""
    environment.ensure("test")
    run(environment.python, "-m", "tests.mutation.campaign", *arguments)


def resolution(environment: Environment, arguments: list[str]) -> None:
    """Compare numbers of lines, or look for drift in a constant world (lines or drift, --help)."""
    environment.ensure("test")
    run(environment.python, "-m", "tests.month.resolution_campaign", *arguments)


def robustness(environment: Environment, arguments: list[str]) -> None:
    """Remake docs/robustness.csv: which conclusions survive other assumptions (half an hour)."""
    environment.ensure()
    run(environment.python, "-m", "tariffsim.validation.robustness", *arguments)


def calibrate(environment: Environment, arguments: list[str]) -> None:
    """Estimate the calibrated parameters again, and write their page (half an hour)."""
    environment.ensure()
    # Sums in one order, so that the search takes the same way again.
    one_thread = {"OMP_NUM_THREADS": "1"}
    command = ("-m", "tariffsim.validation.calibrate")
    run(environment.python, *command, *arguments, environment=one_thread)
    run(environment.python, "-m", "tariffsim.validation.out_of_sample")
    run(environment.python, script("docs/make_calibration_page.py"))


def shares(environment: Environment, arguments: list[str]) -> None:
    """Remake the stored design that says which parameters carry the headline (minutes)."""
    environment.ensure()
    run(environment.python, "-m", "tariffsim.experiments.parameter_shares", *arguments)


def kills(environment: Environment, arguments: list[str]) -> None:
    """Kill and continue commands, and look for what is lost (first argument: how many kills)."""
    environment.ensure("test")
    count = arguments.pop(0) if arguments and arguments[0].isdigit() else str(KILLS)
    campaign = ("-m", "tests.experiments.kill_campaign", "--kills", count)
    run(environment.python, *campaign, *arguments)


def charts(environment: Environment, arguments: list[str]) -> None:
    """Draw charts of many comparisons in three sizes and look for faults (--most: a sample)."""
    environment.ensure("test", "sensitivity")
    run(environment.python, "-m", "tests.charts.drawing_campaign", *arguments)


def lock(environment: Environment, arguments: list[str]) -> None:
    """Remake requirements/lock.txt with pip-compile (add --upgrade for newer releases)."""
    environment.ensure("test", "dev")
    options = ["--generate-hashes", "--all-build-deps", "--allow-unsafe", "--strip-extras"]
    options += [f"--extra={extra}" for extra in ("dev", "docs", "notebook", "test")]
    # Where packages come from is the matter of each machine's own pip settings.
    options += [f"--no-emit-{what}" for what in ("index-url", "find-links", "trusted-host")]
    options += ["--no-emit-options", "--no-annotate", "--quiet", "--output-file", str(LOCK)]
    note = {"CUSTOM_COMPILE_COMMAND": "python3 tasks.py lock"}
    LOCK.parent.mkdir(exist_ok=True)
    words = [*options, *arguments, "pyproject.toml"]
    run(environment.program("pip-compile"), *words, environment=note)


def wheel(environment: Environment, arguments: list[str]) -> None:
    """Build the site and the wheel, and follow the README with it in an empty environment."""
    build_site(environment)
    with tempfile.TemporaryDirectory(prefix="tariffsim-wheel-") as name:
        folder = Path(name)
        fresh = Environment(folder / "env")
        make_environment(fresh.folder)
        fresh.pip("wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
        (built,) = folder.glob("tariffsim-*.whl")
        fresh.pip("install", str(built))
        run(fresh.program("tariffsim"), "docs", "index", "--where", cwd=folder)
        work = folder / "work"
        work.mkdir()
        follow_readme(fresh, work)
        (ROOT / "dist").mkdir(exist_ok=True)
        shutil.copy(built, ROOT / "dist")
    say(f"the wheel does what the README says: dist/{built.name}")


def follow_readme(environment: Environment, work: Path) -> None:
    """Write the README's scenario files, run its `tariffsim` commands, and look for reports."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, body in re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", text, flags=re.DOTALL):
        (work / name).write_text(body, encoding="utf-8")
    shell = "".join(re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL))
    commands = re.findall(r"^tariffsim (.+)$", shell, flags=re.MULTILINE)
    if not commands:
        raise TaskError("README.md shows no tariffsim command")
    for command in commands:
        say(f"tariffsim {command}")
        run(environment.program("tariffsim"), *shlex.split(command, comments=True), cwd=work)
    reports = sorted(work.rglob("report.html"))
    comparisons = sum(command.startswith("compare") for command in commands)
    if len(reports) < comparisons:
        raise TaskError(f"{comparisons} comparisons left {len(reports)} reports")


TASKS: tuple[Callable[[Environment, list[str]], None], ...] = (
    demo,
    test,
    slow,
    lint,
    docs,
    notebooks,
    bench,
    golden,
    scores,
    fuzz,
    mutate,
    kills,
    robustness,
    calibrate,
    shares,
    resolution,
    charts,
    lock,
    wheel,
)


def parser() -> argparse.ArgumentParser:
    """The command line of this file."""
    listed = "\n".join(f"  {task.__name__:10} {task.__doc__}" for task in TASKS)
    made = argparse.ArgumentParser(
        prog="tasks.py",
        usage="python3 tasks.py [--venv DIR] [--locked] TASK [ARGUMENTS]",
        description=f"{__doc__}\n\ntasks:\n{listed}",
        epilog="First of all: python3 tasks.py demo",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--venv", type=Path, default=ROOT / ".venv", help="where (default: .venv)")
    made.add_argument("--locked", action="store_true", help="install from requirements/lock.txt")
    made.add_argument("task", nargs="?", help=argparse.SUPPRESS)
    made.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return made


def works(interpreter: str) -> bool:
    """Whether an interpreter of this name is there and starts."""
    if shutil.which(interpreter) is None:
        return False
    return subprocess.run([interpreter, "-c", ""], capture_output=True).returncode == 0


def require_python(version: tuple[int, ...]) -> None:
    """Refuse an interpreter that is too old, naming a newer one if there is one."""
    if version >= OLDEST:
        return
    newer = [name for name in (f"python3.{n}" for n in range(20, 10, -1)) if works(name)]
    advice = f"try: {newer[0]} tasks.py" if newer else "install a newer Python and use that"
    given = ".".join(map(str, version[:2]))
    raise TaskError(
        f"tariffsim needs Python {OLDEST[0]}.{OLDEST[1]} or newer, this is {given}; {advice}"
    )


def main(words: Sequence[str]) -> int:
    """Run one task; returns the exit code."""
    chosen = parser().parse_args(words)
    if chosen.task is None:
        parser().print_help()
        return 0
    try:
        require_python(tuple(sys.version_info[:3]))
        found = {task.__name__: task for task in TASKS}.get(chosen.task)
        if found is None:
            names = ", ".join(task.__name__ for task in TASKS)
            raise TaskError(f"there is no task '{chosen.task}'; the tasks are {names}")
        found(Environment(chosen.venv.resolve(), chosen.locked), chosen.arguments)
    except TaskError as problem:
        print(f"tasks.py: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
