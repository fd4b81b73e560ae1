"""What is refused: the exact text of every kind of error, renamed names, and broken files.

After a change of words: `python -m tests.scenario.test_refusals`, then read the difference.
"""

import csv
import os
import socket
from pathlib import Path

import pytest

from tariffsim.errors import Problem, ScenarioError
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import Scenario, catalogue, load_scenario, replace, with_settings
from tariffsim.scenario.provenance import explain
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.tables import SHIPPED
from tariffsim.tables.renamed import name_hint, new_name
from tests.scenario.fuzz_scenarios import MEGABYTES, fuzz, peak_memory

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


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2,5", "decimals have a point: 2.5"),
        ("12,5", "decimals have a point: 12.5"),
        ("-0,25", "decimals have a point: -0.25"),
        ("0,125", "decimals have a point: 0.125"),
        ("2,5e-3", "decimals have a point: 2.5e-3"),
        ("1.234,5", "decimals have a point: 1234.5"),
        ("1 234,5", "decimals have a point: 1234.5"),
        ("1,234.5", "decimals have a point: 1234.5"),
        ("1,234", "decimals have a point: 1.234; or 1234, if the comma stands between thousands"),
        ("1,234,567", "write 1234567: nothing stands between thousands, and decimals have a point"),
        ("1.234.567", "write 1234567: nothing stands between thousands, and decimals have a point"),
        ("1,2,3", ""),
        ("12,34.5", ""),
        ("12,5 %", "shares are fractions: write 0.125 for 12.5 %"),
    ],
)
def test_a_number_with_a_comma_is_told_in_full(text, hint):
    """Never another number than the one that was written."""
    for given in (f'"{text}"', text):
        found = problems(
            with_settings, load_scenario("component_50"),
            [f"policies.component_tariff.coverage={given}"],
        )  # fmt: skip
        assert [problem.hint for problem in found] == [hint]


def test_a_comma_in_a_whole_number_stands_between_thousands():
    for given, hint in (("1,234", "write 1234: "), ("2,5", "")):
        (problem,) = problems(with_settings, Scenario(), [f"agents.makers={given}"])
        assert problem.hint.startswith(hint)
        assert bool(problem.hint) == bool(hint)


@pytest.mark.parametrize(
    ("setting", "key", "hint"),
    [
        ("policies.component_tariff.rate={2027-01: 0,8}",
         "policies.component_tariff.rate.8", "decimals have a point: 0.8"),
        ("sourcing={elasticity: 3,5}", "sourcing.5", "decimals have a point: 3.5"),
        ("polices=", "polices", "did you mean policies?"),
        ("extends=", "extends", "did you mean extends?"),
        ("sourcing.elastisity=null", "sourcing.elastisity", "did you mean elasticity?"),
        ("policies.component_tarif=", "policies.component_tarif", "did you mean component_tariff?"),
        ("policies.component_tariff.chip_cover=", "policies.component_tariff.chip_cover", ""),
    ],
)  # fmt: skip
def test_settings_without_a_value_name_what_is_known(setting, key, hint):
    (problem,) = problems(with_settings, load_scenario("component_50"), [setting])
    assert (problem.key, problem.hint.startswith(hint)) == (key, True)


@pytest.mark.parametrize(
    "setting",
    [
        "sourcing.elasticity=",
        "sourcing=",
        "policies.component_tariff=",
        "policies.component_tariff.coverage=null",
        "policies.component_tariff.joins={EU: null}",
        "figures={devices: {smartphone: {chip_content: }, laptop: }, markets: }",
        "data.devices=",
        "experiment.vary={sourcing.elasticity: }",
    ],
)
def test_null_returns_what_is_known_to_its_default(setting):
    scenario = load_scenario("component_50")
    again = with_settings(with_settings(scenario, [setting]), [setting])
    assert again.sourcing == Scenario().sourcing
    assert bool(again.policies) == (setting != "policies.component_tariff=")


def test_what_a_policy_has_left_of_another_kind_is_removed_by_null(tmp_path):
    text = "extends: component_50\npolicies: {component_tariff: {kind: product_tariff, %s: }}\n"
    (tmp_path / "x.yaml").write_text(text % "chip_regions")
    assert load_scenario(tmp_path / "x.yaml").policies["component_tariff"].kind == "product_tariff"
    (tmp_path / "x.yaml").write_text(text % "amount_usd")  # of neither, nor inherited
    assert problems(load_scenario, tmp_path / "x.yaml")


def test_a_misspelt_field_of_an_inherited_policy_gets_the_nearest(tmp_path):
    text = "extends: component_50\npolicies: {component_tariff: {chip_regoins: [CN]}}\n"
    (tmp_path / "x.yaml").write_text(text)
    (problem,) = problems(load_scenario, tmp_path / "x.yaml")
    assert problem.hint == "did you mean chip_regions?"


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


# Names that were changed before the first release


def renamed(kind: str) -> list[tuple[str, str]]:
    """Old and new names of one kind in the table."""
    with (SHIPPED / "renamed.csv").open(encoding="utf-8", newline="") as stream:
        return [(row["old"], row["new"]) for row in csv.DictReader(stream) if row["kind"] == kind]


def problems(action, *arguments, **changes) -> list[Problem]:
    with pytest.raises(ScenarioError) as caught:
        action(*arguments, **changes)
    return list(caught.value.problems)


def told(found: list[Problem], new: str) -> list[Problem]:
    names = " and ".join(f"`{name}`" for name in new.split())
    return [problem for problem in found if problem.hint == f"is now called {names}"]


def kind_with(field: str) -> str:
    """An instrument that has this field."""
    return next(kind for kind in INSTRUMENTS if field in catalogue.of_instrument(kind))


@pytest.mark.parametrize(("old", "new"), renamed("key"))
def test_a_renamed_key_is_refused_with_its_new_name(old, new, tmp_path):
    block, *middle, old_field = old.replace("*", "mine").split(".")
    *others, new_field = [name.rpartition(".")[2] for name in new.split()]
    base = Scenario()
    if middle:
        kind = kind_with(new_field)
        text = f"policies:\n  mine: {{kind: {kind}, start: 2026, {old_field}: 1, ends: 1}}\n"
        column = text.index(old_field) - text.index("\n")
        base = replace(base, policies__mine={"kind": kind, "start": "2026", new_field: 1})
    else:
        text = f"{block}:\n  {old_field}: 1\n  nothing: 1\n"
        column = 3
    (tmp_path / "x.yaml").write_text(text)
    found = problems(load_scenario, tmp_path / "x.yaml")
    assert len(found) == 2, "the other unknown key is reported as well, and nothing is missing"
    said = " ".join([*others, new_field])
    (problem,) = told(found, said)
    assert (problem.line, problem.column) == (2, column)
    assert problem.key == old.replace("*", "mine")
    assert problem.message == "is not a known key"
    assert told(problems(with_settings, base, [f"{problem.key}=1"]), said)
    assert told(problems(replace, base, **{problem.key.replace(".", "__"): 1}), said)


@pytest.mark.parametrize(("old", "new"), renamed("instrument"))
def test_a_renamed_instrument_is_refused_with_its_new_name(old, new, tmp_path):
    (tmp_path / "x.yaml").write_text(f"policies:\n  mine: {{kind: {old}, rate: 2}}\n")
    found = problems(load_scenario, tmp_path / "x.yaml")
    (problem,) = told(found, new)
    assert (problem.line, problem.column) == (2, 16)
    assert problem.message == "is not a known kind of policy"
    assert len(found) > 1, "the fields are checked as those of the new kind"
    assert told(problems(replace, Scenario(), policies__mine={"kind": old}), new)
    when = {"kind": "price_cut", "points": 0.1, "when": f"{old} in force"}
    assert told(problems(replace, Scenario(), policies__mine=when), new)


@pytest.mark.parametrize(("old", "new"), renamed("scenario"))
def test_a_renamed_scenario_is_refused_with_its_new_name(old, new, tmp_path):
    assert told(problems(load_scenario, old), new)
    for key in ("extends", "compare_with"):
        (tmp_path / "x.yaml").write_text(f"{key}: {old}\nrun: {{seeds: many}}\n")
        found = problems(load_scenario, tmp_path / "x.yaml")
        (problem,) = told(found, new)
        assert (problem.line, problem.column, problem.key) == (1, len(key) + 3, key)
        assert len(found) == 2


def test_new_names_are_known():
    fields = {field for kind in INSTRUMENTS for field in catalogue.of_instrument(kind)}
    for new in (name for _, names in renamed("key") for name in names.split()):
        assert new in catalogue.blocks() or ("*" in new and new.rpartition(".")[2] in fields)
    assert {new for _, new in renamed("instrument")} <= set(INSTRUMENTS)
    assert {new for _, new in renamed("scenario")} <= set(shipped_names())


def test_values_under_an_old_name_are_checked(tmp_path):
    old, new = "cannot_tell_share", "unknown_origin_share"
    (tmp_path / "x.yaml").write_text(f"compliance: {{{old}: 44}}\n")
    found = problems(load_scenario, tmp_path / "x.yaml")
    assert {problem.hint for problem in found} == {
        f"is now called `{new}`", "shares are fractions: write 0.44 for 44 %",
    }  # fmt: skip
    (tmp_path / "x.yaml").write_text(f"compliance: {{{old}: 44, {new}: 0.4}}\n")
    assert len(problems(load_scenario, tmp_path / "x.yaml")) == 1


def test_a_renamed_key_is_told_wherever_a_key_is_named():
    old, new = "compliance.honesty", "compliance.evasion_cost"
    assert told(problems(explain, Scenario(), old), new)
    assert told(problems(replace, Scenario(), experiment__vary={old: [1, 2]}), new)
    source = {"cite": "x", "quality": "seen", "keys": [old]}
    assert told(problems(replace, Scenario(), sources__mine=source), new)


def test_new_name_of_other_kinds():
    assert new_name("metric", "cost_per_point") == "cost_per_pp"
    assert new_name("key", "policies.any.refused") == "policies.any.denied"
    assert new_name("metric", "honesty") == new_name("key", "policies.refused") == ""
    assert name_hint("metric", "cost_per_poin", ["cost_per_pp"]) == "did you mean cost_per_pp?"


# Whatever a file holds, it is loaded or refused

FUZZ_FILES = int(os.environ.get("TARIFFSIM_FUZZ_FILES", "10000"))


def check_fuzz(files: int, seed: int) -> None:
    counts, broken = fuzz(files, seed)
    assert broken == []
    assert counts["loaded"] > files / 50
    assert counts["denied"] > files / 5


def test_fuzz_some_files():
    check_fuzz(2_000, seed=1)


@pytest.mark.slow
def test_fuzz_many_files():
    check_fuzz(FUZZ_FILES, seed=2)


def test_fuzz_memory_is_bounded():
    assert peak_memory(300, seed=2) < MEGABYTES


def remake() -> None:
    """Write the text of every kind anew."""
    for kind in KINDS:
        (FOLDER / f"{kind}.txt").write_text(text_of(kind), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    remake()


# Names of instruments that have a comma, and rows that are not in the baseline

METALS = '"Section 232 metals, {}"'
QUOTES = f"the name has a comma: write it in quotes, {METALS}"
NAMING = {
    "repeals": "kind: repeal, share: 1, start: 2027-01, repeals",
    "replaces": "kind: product_tariff, rate: 0.1, start: 2027-01, replaces",
    "refunds": "kind: duty_refund, share: {2027-01: 1}, refunds",
}


@pytest.mark.parametrize("field", NAMING)
@pytest.mark.parametrize(
    ("names", "at", "hints"),
    [
        ("[Section 232 metals, Annex I-B]", [0], [QUOTES.format("Annex I-B")]),
        ("[IEEPA fentanyl, section 232  metals,on content]", [1], [QUOTES.format("on content")]),
        (
            "[Section 232 metals, Annex I-B, Section 232 metals, on content]",
            [0, 2],
            [QUOTES.format("Annex I-B"), QUOTES.format("on content")],
        ),
        (
            "[Section 232 metals]",
            [0],
            [f"did you mean {METALS.format('Annex I-B')} or {METALS.format('on content')}?"],
        ),
        ("[Section 232 metals Annex I-B]", [0], [f"did you mean {METALS.format('Annex I-B')}?"]),
        ("[C12]", [0], ["it is in the calendar, but not in the baseline (`in_baseline` is no)"]),
        (f"[{METALS.format('Annex I-B')}]", [], []),
    ],
)
def test_names_with_a_comma_and_rows_outside_the_baseline(
    field: str, names: str, at: list[int], hints: list[str]
) -> None:
    settings = [f"policies.r={{{NAMING[field]}: {names}}}"]
    if not at:
        assert with_settings(load_scenario("baseline"), settings).policies["r"]
        return
    with pytest.raises(ScenarioError) as refused:
        with_settings(load_scenario("baseline"), settings)
    problems = refused.value.problems
    assert [p.key for p in problems] == [f"policies.r.{field}[{index}]" for index in at]
    assert [p.hint for p in problems] == hints


def test_a_list_that_is_left_out_around_a_name_with_a_comma() -> None:
    settings = [f"policies.r={{{NAMING['repeals']}: 'Section 232 metals, Annex I-B'}}"]
    with pytest.raises(ScenarioError) as refused:
        with_settings(load_scenario("baseline"), settings)
    (problem,) = refused.value.problems
    quoted = METALS.format("Annex I-B")
    assert problem.hint == (
        f"write [Section 232 metals, Annex I-B], or [{quoted}] if it is one name"
    )
