"""Scenarios: what is shipped, how they build on each other, changes, hashes, round trips."""

import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariffsim.charts import CHARTS
from tariffsim.errors import ScenarioError
from tariffsim.scenario import Scenario, load_scenario, replace, to_yaml, with_settings
from tariffsim.scenario.scenario_files import shipped_folder, shipped_names
from tariffsim.tables import load_tables
from tariffsim.typing import format_month

SHIPPED = {
    "baseline",
    "no_expansion",
    "whole_product_china",
    "whole_product_china_10",
    "whole_product_china_50",
    "whole_product_all",
    "whole_product_content",
    "component_50",
    "component_100",
    "component_late",
    "component_allied",
    "specific_per_chip",
    "bare_chip_2027",
    "chips_act",
    "chips_act_component",
    "no_expansion_unfilled",
    "component_unknown_exempt",
    "chips_232_phase2",
    "taiwan_quota",
    "chip_content_25_15",
    "one_for_one",
    "shortage_2026",
    "eu_chips_act_2",
}


def load(tmp_path: Path, text: str, name: str = "x.yaml") -> Scenario:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_scenario(tmp_path / name)


def reloaded(scenario: Scenario, folder: Path) -> Scenario:
    for table, path in scenario.data_files.items():
        target = folder / scenario.data[table]
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return load(folder, to_yaml(scenario), "resolved.yaml")


def test_the_promised_scenarios_are_shipped():
    assert set(shipped_names()) >= SHIPPED
    assert shipped_names()[0] == "baseline"


@pytest.mark.parametrize("name", shipped_names())
def test_shipped_scenario(name, tmp_path):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.title
    assert len(scenario.description) > 100
    assert scenario.sources
    assert all(policy.source for policy in scenario.policies.values())
    again = reloaded(scenario, tmp_path)
    assert again == scenario
    assert again.content_hash == scenario.content_hash
    assert to_yaml(again) == to_yaml(scenario)
    assert load_scenario(shipped_folder() / f"{name}.yaml") == scenario


README = (shipped_folder() / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[`(\w+)`\]\S+ \| (.+?) \| `(\w+)` \|$", README, re.MULTILINE)


def test_every_shipped_scenario_is_listed_once_with_its_question_and_its_chart():
    assert sorted(name for name, _, _ in ROWS) == sorted(shipped_names())
    assert len(ROWS) == README.count("\n| [`")
    no_question = {name for name, question, _ in ROWS if not question.endswith("?")}
    assert no_question == {"before_301", "hindcast_2017_no_301"}
    assert {chart for _, _, chart in ROWS} <= {c.name for c in CHARTS if c.kind == "comparison"}


def test_every_scenario_that_a_description_names_is_shipped():
    kinds = re.compile(r"\b(?:component|whole_product|no_expansion|chip\w*|bare_chip)_\w+\b")
    for name in shipped_names():
        said = re.sub(r"\bpolicies\.\S+", "", load_scenario(name).description)
        assert set(kinds.findall(said)) <= set(shipped_names()), name


def test_the_sources_that_scenarios_cite_are_in_the_table():
    known = set(load_tables().sources)
    for name in shipped_names():
        for source in load_scenario(name).sources.values():
            assert set(re.findall(r"\bS\d+\b", source.cite)) <= known, (name, source.cite)


def test_labels_belong_to_one_file_and_change_no_result(tmp_path):
    (tmp_path / "base.yaml").write_text("title: A long title\nlabel: Short\n", encoding="utf-8")
    (tmp_path / "own.yaml").write_text("extends: ./base.yaml\n", encoding="utf-8")
    base, own = (load_scenario(tmp_path / f"{name}.yaml") for name in ("base", "own"))
    assert [s.short_name for s in (base, replace(base, label=None), own)] == [
        "Short", "A long title", "own",
    ]  # fmt: skip
    assert base.content_hash == own.content_hash
    (tmp_path / "own.yaml").write_text(f"label: {'x' * 41}\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match="label: must have at most 40 characters"):
        load_scenario(tmp_path / "own.yaml")


def test_titles_and_hashes_differ():
    scenarios = [load_scenario(name) for name in shipped_names()]
    assert len({s.title for s in scenarios}) == len(scenarios)
    assert len({s.content_hash for s in scenarios}) == len(scenarios)


def test_late_is_the_same_measure_three_years_later():
    early = load_scenario("component_50").policies["component_tariff"]
    late = load_scenario("component_late").policies["component_tariff"]
    for month in range(2025 * 12, 2034 * 12):
        assert late.rate_in_force(month + 36) == early.rate_in_force(month)
    assert late.known_from == early.known_from + 36


def test_validating_imports_nothing_heavy():
    code = (
        "import sys; from tariffsim.scenario import load_scenario; load_scenario('component_50');"
        "print([m for m in ('numpy', 'pandas', 'scipy', 'mesa', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_extends_merges_and_null_returns_to_the_default(tmp_path):
    load(tmp_path, "supply: {learning: 0.1, experience_years: 20}\nrun: {seeds: 3}\n", "a.yaml")
    scenario = load(tmp_path, "extends: a.yaml\nsupply: {learning: null, variable_cost_share: 0.6}")
    assert scenario.supply.learning == Scenario().supply.learning
    assert scenario.supply.experience_years == 20
    assert scenario.supply.variable_cost_share == 0.6
    assert scenario.run.seeds == 3


def test_dated_path_is_replaced_whole(tmp_path):
    text = "extends: component_50\npolicies: {component_tariff: {rate: {2028-01: 0.1}}}\n"
    path = load(tmp_path, text).policies["component_tariff"].rate
    assert [format_month(m) for m in path.months] == ["2028-01"]


def test_combine_lays_differences_in_order(tmp_path):
    load(tmp_path, "extends: baseline\nrun: {seeds: 3}\nsupply: {learning: 0.1}\n", "a.yaml")
    load(tmp_path, "extends: baseline\nrun: {seeds: 4}\n", "b.yaml")
    ab = load(tmp_path, "extends: baseline\ncombine: [a.yaml, b.yaml]\n", "ab.yaml")
    ba = load(tmp_path, "combine: [b.yaml, a.yaml, component_50]\n", "ba.yaml")
    assert (ab.run.seeds, ba.run.seeds) == (4, 3)
    assert ab.supply.learning == 0.1
    assert set(ba.policies) == {"component_tariff"}


def test_a_base_is_laid_once(tmp_path):
    """The base that two differences share does not undo the first of them."""
    load(tmp_path, "extends: baseline\nrun: {seeds: 3}\n", "a.yaml")
    load(tmp_path, "extends: baseline\nsupply: {learning: 0.1}\n", "b.yaml")
    both = load(tmp_path, "combine: [a.yaml, b.yaml]\n")
    assert both.run.seeds == 3


def test_title_and_description_are_not_inherited(tmp_path):
    scenario = load(tmp_path, "extends: component_50\n")
    assert (scenario.title, scenario.description) == ("", "")


def test_trail(tmp_path):
    scenario = load(tmp_path, "extends: component_50\nrun: {seed: 7}\n")
    trail = [str(at).rsplit("/", 1)[-1] for at in scenario.trail("run.seed")]
    assert trail[0].startswith("baseline.yaml:")
    assert trail[1:] == ["x.yaml:2:13"]
    assert scenario.trail("assembly.shift_hazard") == ()
    assert [str(at) for at in replace(scenario, run__seed=1).trail("run.seed")][-1] == "replace"
    assert scenario.trail("run.seeds") == ()


def test_with_changes():
    scenario = load_scenario("component_50")
    changed = replace(
        scenario,
        run__seeds=5,
        policies__component_tariff__rate={"2026": 0.1},
        supply={"learning": 0.1},
    )
    assert changed.run.seeds == 5
    assert changed.run.end == scenario.run.end
    assert changed.policies["component_tariff"].rate.at(2027 * 12) == 0.1
    assert replace(changed, policies=None).policies == {}
    assert replace(changed, supply__learning=None).supply.learning == 0.08
    assert replace("baseline", run__seeds=2).run.seeds == 2
    assert replace(scenario, **{"run.seeds": scenario.run.seeds}) == scenario
    assert scenario.run.seeds == 20


def test_with_adds_a_policy_to_a_scenario_made_in_python():
    policy = {"kind": "price_cut", "start": "2026", "points": 0.05}
    scenario = replace(Scenario(), policies__cut=policy, title="x")
    assert scenario.policies["cut"].first_month == 2026 * 12
    again = replace(scenario, policies__copy=scenario.policies["cut"])
    assert again.policies["copy"] == again.policies["cut"]


def test_with_takes_numpy_numbers():
    np = pytest.importorskip("numpy")
    assert replace(Scenario(), run__seeds=np.intp(3)).run.seeds == 3


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"run__seeds": 5.0}, "run.seeds: must be a whole number"),
        ({"run__sedes": 5}, "did you mean seeds"),
        ({"supply__learning": float("nan")}, "supply.learning"),
        ({"title": "a\x00b"}, "U\\+0000"),
        ({"policies__x": 3}, "policies.x: must be a mapping"),
        ({"run": 5}, "run: must be a mapping"),
        ({"data__devices": "../devices.csv"}, "inside the folder"),
    ],
)
def test_with_refuses(changes, text):
    with pytest.raises(ScenarioError, match=text):
        replace(Scenario(), **changes)


def test_settings():
    scenario = load_scenario("component_50")
    changed = with_settings(
        scenario,
        ["run.seeds=5", "policies.component_tariff.rate={2026-01: 0.3}", "supply.learning=null"],
    )
    assert changed.run.seeds == 5
    assert changed.policies["component_tariff"].rate.values == (0.3,)
    with pytest.raises(ScenarioError) as caught:
        with_settings(scenario, ["run.seeds", "run.sedes=3", "run.start=[", "=", "run.end=2020"])
    assert len(caught.value.problems) == 5


def test_hash_is_over_what_a_run_depends_on(tmp_path):
    scenario = load_scenario("component_50")
    same = replace(scenario, title="Other words", sources__new={"cite": "x", "quality": "seen"})
    assert same.content_hash == scenario.content_hash
    assert same != scenario
    assert replace(scenario, run__seeds=3).content_hash != scenario.content_hash
    figure = {"laptop": {"cn_share": 0.09}}
    assert replace(scenario, figures__devices=figure).content_hash != scenario.content_hash
    spelled = load(tmp_path, "supply: {learning: 8e-2}\nrun: {end: 2030Q4, start: 2025}\n")
    assert spelled.content_hash == Scenario().content_hash


def test_pickle_and_hash():
    scenario = load_scenario("component_50")
    copy = pickle.loads(pickle.dumps(scenario))
    assert copy == scenario
    assert hash(copy) == hash(scenario)
    assert copy.trail("run.seeds") == scenario.trail("run.seeds")
    assert copy.name == "component_50"
    assert len({copy, scenario}) == 1


def test_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_scenario("baseline").run.seeds = 3


def test_replaced_table_travels_with_the_scenario(tmp_path):
    table = Path(__file__).resolve().parents[2] / "tariffsim/data/node_classes.csv"
    (tmp_path / "mine").mkdir()
    text = table.read_text(encoding="utf-8")
    text = text.replace("chip_price_usd,1.60", "chip_price_usd,1.70")
    (tmp_path / "mine/classes.csv").write_text(text, encoding="utf-8")
    (tmp_path / "base").mkdir()
    load_text = "data: {node_classes: ../mine/classes.csv}\n"
    (tmp_path / "base/a.yaml").write_text(load_text)
    scenario = load(tmp_path, "extends: base/a.yaml\n")
    assert scenario.tables().node_classes.number("A", "chip_price_usd") == 1.70
    assert scenario.content_hash != Scenario().content_hash
    assert (
        replace(scenario, run__seeds=3).tables().node_classes.number("A", "chip_price_usd") == 1.7
    )
    out = tmp_path / "out"
    out.mkdir()
    shutil.copyfile(scenario.data_files["node_classes"], out / "node_classes.csv")
    text = to_yaml(scenario, {"node_classes": "node_classes.csv"})
    (out / "scenario.yaml").write_text(text, encoding="utf-8")
    saved = load_scenario(out / "scenario.yaml")
    assert saved == scenario
    assert saved.content_hash == scenario.content_hash
    assert saved != Scenario()


# Round trip: any valid scenario, written and read again, is the same.

share = st.floats(0, 1, allow_nan=False)
month = st.integers(2024 * 12, 2031 * 12).map(format_month)
hidden = ["Cs", "Cc", "Cf", "Zl", "Zp", "Cn", "Co"]
text = st.text(st.characters(codec="utf-8", exclude_categories=hidden), max_size=30)
path = st.one_of(
    share,
    st.dictionaries(month, share, min_size=1, max_size=4),
    st.dictionaries(month, share, min_size=1, max_size=3).map(
        lambda points: points | {"interpolate": "linear"}
    ),
)
codes = st.lists(st.sampled_from(["US", "EU", "JK", "CN"]), min_size=1, unique=True)
component = st.fixed_dictionaries(
    {"kind": st.just("component_tariff"), "rate": path, "start": month},
    optional={
        "per": st.sampled_from(["value", "chip"]),
        "markets": codes,
        "chip_regions": st.just("all") | st.just(["CN", "TW"]),
        "node_classes": st.lists(st.sampled_from("ABCD"), min_size=1, unique=True),
        "threshold": share,
        "stacking_group": text.filter(bool),
        "end_known": st.booleans(),
    },
)
cut = st.fixed_dictionaries(
    {"kind": st.just("price_cut"), "points": path, "start": month},
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "title": text,
        "description": text,
        "run": st.fixed_dictionaries({}, optional={"seeds": st.integers(1, 1000)}),
        "supply": st.fixed_dictionaries(
            {}, optional={"learning": st.floats(0, 0.5), "variable_cost_share": share}
        ),
        "trade": st.fixed_dictionaries({}, optional={"tariffs_in_force": st.booleans()}),
        "policies": st.dictionaries(
            st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), component | cut, max_size=3
        ),
        "sources": st.dictionaries(
            text.filter(bool),
            st.fixed_dictionaries(
                {"cite": text.filter(bool), "quality": st.sampled_from(["data", "seen"])}
            ),
            max_size=2,
        ),
        "figures": st.fixed_dictionaries(
            {},
            optional={
                "devices": st.fixed_dictionaries(
                    {"laptop": st.fixed_dictionaries({"cn_share": share})}
                )
            },
        ),
    },
)


@settings(max_examples=60, deadline=None)
@given(changes)
def test_round_trip(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("round")
    scenario = replace(Scenario(), **changes)
    again = reloaded(scenario, folder)
    assert again == scenario
    assert again.content_hash == scenario.content_hash
    assert to_yaml(again) == to_yaml(scenario)


GUIDE = (Path(__file__).resolve().parents[2] / "docs/how_to_write_a_scenario.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_examples_of_the_guide_load(block, tmp_path):
    assert load(tmp_path, block).title


def test_python_of_the_guide_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL):
        exec(compile(block, "guide", "exec"), {})
    assert "sourcing" in capsys.readouterr().out
