"""Every kind of error: an example file and its exact text.

After a change of words: `python -m tests.scenario.test_scenario_errors`, then read the difference.
"""

import os
import socket
from pathlib import Path

import pytest

from tariffsim.errors import ScenarioError
from tariffsim.scenario import load_scenario

FOLDER = Path(__file__).parent / "bad_scenarios"
KINDS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text_of(kind: str) -> str:
    """The error of a file, loaded from its own folder so that paths are the same everywhere."""
    before = Path.cwd()
    os.chdir(FOLDER)
    try:
        load_scenario(Path(f"{kind}.yaml"))
    except ScenarioError as error:
        return f"{error}\n"
    finally:
        os.chdir(before)
    raise AssertionError(f"{kind}.yaml is accepted")


@pytest.mark.parametrize("kind", KINDS)
def test_error_text(kind):
    assert text_of(kind) == (FOLDER / f"{kind}.txt").read_text(encoding="utf-8")


def test_every_text_has_its_file():
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == KINDS


def refused(path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0].message


def test_symbolic_link(tmp_path):
    (tmp_path / "real.yaml").write_text("title: x\n")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    assert "symbolic link" in refused(tmp_path / "link.yaml")
    (tmp_path / "x.yaml").write_text("extends: link.yaml\n")
    assert "symbolic link" in refused(tmp_path / "x.yaml")


def test_symbolic_link_to_a_folder(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "far/base.yaml").write_text("title: x\n")
    (tmp_path / "near").mkdir()
    (tmp_path / "near/link").symlink_to(tmp_path / "far")
    (tmp_path / "near/x.yaml").write_text("extends: link/base.yaml\n")
    assert "symbolic link" in refused(tmp_path / "near/x.yaml")


def test_pipe_never_waits(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "pipe" in refused(tmp_path / "pipe.yaml")
    (tmp_path / "x.yaml").write_text("extends: pipe.yaml\n")
    assert "pipe" in refused(tmp_path / "x.yaml")


def test_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.yaml")
        assert "socket" in refused(Path("s.yaml"))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/dev/zero", "device"),
        ("/dev/null", "device"),
        (".", "folder"),
        ("there/is/none.yaml", "no such file"),
        ("zero\0byte.yaml", "cannot be read"),
        ("x" * 5000 + ".yaml", "cannot be read"),
        ("no_such_scenario", "no shipped scenario"),
        ("", "folder"),
    ],
)
def test_what_is_no_plain_file(path, message):
    assert message in refused(path)


def test_too_large(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"#" * 1_000_001)
    assert refused(path) == "is larger than 1 MB"


def test_too_many_values(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("title: [" + "a," * 200_000 + "]\n")
    assert refused(path) == "has more than 5000 values"


def test_too_many_files(tmp_path):
    for number in range(60):
        (tmp_path / f"{number}.yaml").write_text("title: x\n")
    names = ", ".join(f"{number}.yaml" for number in range(60))
    (tmp_path / "x.yaml").write_text(f"combine: [{names}]\n")
    with pytest.raises(ScenarioError, match="builds on more than 50 files"):
        load_scenario(tmp_path / "x.yaml")


def remake() -> None:
    """Write the text of every kind anew."""
    for kind in KINDS:
        (FOLDER / f"{kind}.txt").write_text(text_of(kind), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    remake()
