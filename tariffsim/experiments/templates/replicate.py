"""Run everything again and compare: `python replicate.py`, or with `--here` in this interpreter."""

import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"


def has_all() -> bool:
    """Whether this interpreter has the versions of requirements.txt."""
    wanted = (line.split("==") for line in REQUIREMENTS.read_text("utf-8").split())
    try:
        return all(metadata.version(name) == version for name, version in wanted)
    except metadata.PackageNotFoundError:
        return False


def interpreter() -> str:
    """This interpreter, or that of an environment with the versions of requirements.txt."""
    if "--here" in sys.argv or has_all():
        return sys.executable
    folder = HERE / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = ["-r", str(REQUIREMENTS)]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return str(python)


os.environ["PYTHONPATH"] = str(HERE / "code")
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
command = [interpreter(), "-m", "tariffsim", "verify", str(HERE)]
sys.exit(subprocess.run(command).returncode)
