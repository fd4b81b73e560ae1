"""Run everything again and compare: `python replicate.py`, or with `--here` in this interpreter."""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def interpreter() -> str:
    """The interpreter of an environment with the versions of requirements.txt."""
    if "--here" in sys.argv:
        return sys.executable
    folder = HERE / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = ["-r", str(HERE / "requirements.txt")]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return str(python)


os.environ["PYTHONPATH"] = str(HERE / "code")
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
command = [interpreter(), "-m", "tariffsim", "verify", str(HERE)]
sys.exit(subprocess.run(command).returncode)
