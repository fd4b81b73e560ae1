"""Where values come from, the list of parameters, the JSON Schema and new files."""

import json
from pathlib import Path

import jsonschema
import pytest

from tariffsim.errors import ScenarioError, StorageError
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import load_scenario, replace
from tariffsim.scenario.catalogue import json_schema, parameters, schema_text
from tariffsim.scenario.provenance import explain
from tariffsim.scenario.scenario_files import shipped_folder, shipped_names
from tariffsim.scenario.writing import new_file
from tariffsim.tables import FIGURE_TABLES

ROOT = Path(__file__).resolve().parents[2]


def test_explain_one_value():
    scenario = load_scenario("component_100")
    (row,) = explain(scenario, "policies.component_tariff.rate")
    assert row.value == {"2026-01": 0.5, "2027-01": 1.0}
    assert row.unit == "fraction"
    assert row.allowed == "0 to 5"
    first, second = row.where.split(" -> ")
    assert first.startswith("component_50.yaml:")
    assert second.startswith("component_100.yaml:")
    assert dict(row.path)["2026-01"] == 0.5
    assert dict(row.path)["2025-01"] == 0.0
    assert row.is_assumption


def test_explain_distinguishes_data_from_assumptions():
    scenario = load_scenario("baseline")
    (share,) = explain(scenario, "supply.china_capacity_share")
    assert "SEMI" in share.citations[0]
    assert dict(share.path)["2030-12"] == pytest.approx(0.40)
    (default,) = explain(scenario, "assembly.new_place_power")
    assert default.where == "default"
    assert default.is_assumption
    (changed,) = explain(
        replace(scenario, supply__learning_spillover=0.5), "supply.learning_spillover"
    )
    assert changed.source == "assumption (set in replace)"
    assert changed.is_assumption


@pytest.fixture
def child(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str, base: str = "baseline"):
        text = f"schema_version: 1\nextends: {base}\n{text}"
        Path("child.yaml").write_text(text, encoding="utf-8")
        return load_scenario("child.yaml")

    return write


def test_a_changed_value_is_not_covered_by_the_source_of_the_old_one(child):
    key, source = "sourcing.elasticity", "sources: {mine: {cite: My own survey., quality: seen"
    (row,) = explain(child("sourcing: {elasticity: 6}\n"), key)
    assert row.source == "assumption (set in child.yaml)"
    assert (row.citations, row.is_assumption) == ((), True)
    text = f"sourcing: {{elasticity: 6}}\n{source}, keys: [{key}]}}}}\n"
    (row,) = explain(child(text), key)
    assert (row.source, row.citations) == ("mine", ("My own survey. (seen)",))
    (before,) = explain(load_scenario("baseline"), key)
    (same,) = explain(child(f"sourcing: {{elasticity: {before.value}}}\n"), key)
    assert same.citations, "the default has its own source"


def test_a_changed_policy_needs_a_source_of_its_own(child):
    key, change = "policies.component_tariff", "policies: {component_tariff: {rate: {2026-01: 0.3}"
    made = child(change + "}}\n", "component_50")
    rows = {row.key: row.source for row in explain(made, key)}
    assert rows[f"{key}.rate"] == "assumption (set in child.yaml)"
    assert rows[f"{key}.announced"] == "component"
    made = child(change + ", source: component}}\n", "component_50")
    (row,) = explain(made, f"{key}.rate")
    assert row.source == "component"


def test_every_number_of_the_baseline_has_a_source():
    for row in explain(load_scenario("baseline")):
        if isinstance(row.value, float):
            assert row.source


def test_explain_a_block_and_everything():
    scenario = load_scenario("component_50")
    assert {row.key.split(".")[0] for row in explain(scenario, "run")} == {"run"}
    assert len(explain(scenario)) > 60
    assert [r.unit for r in explain(scenario, "policies.component_tariff.announced")] == [
        "month or day"
    ]


def test_explain_knows_the_unit_of_a_specific_duty():
    (row,) = explain(load_scenario("specific_per_chip"), "policies.component_tariff.rate")
    assert (row.unit, row.allowed) == ("USD a chip", "0 to 1000")


def test_explain_figures():
    scenario = replace(load_scenario("baseline"), figures__devices={"laptop": {"cn_share": 0.09}})
    (row,) = explain(scenario, "figures.devices.laptop.cn_share")
    assert (row.value, row.where, row.low) == (0.09, "replace", 0.03)
    assert "by value" in row.meaning
    (row,) = explain(scenario, "figures.devices.smartphone.unit_value_usd")
    assert row.where == "devices.csv"
    assert row.citations[0].startswith("S1 ")


def test_every_figure_of_the_tables_has_a_meaning():
    scenario = load_scenario("baseline")
    for table, spec in FIGURE_TABLES.items():
        assert all(known.meaning.endswith(".") for known in spec.parameters.values())
        assert len(explain(scenario, f"figures.{table}")) == len(
            getattr(scenario.tables(), table).figures
        )


def test_explain_unknown_key():
    with pytest.raises(ScenarioError, match=r"did you mean supply\.learning\?"):
        explain(load_scenario("baseline"), "supply.lerning")


def test_every_parameter_is_described():
    found = parameters()
    assert len({p.key for p in found}) == len(found)
    for parameter in found:
        assert parameter.description.endswith("."), parameter.key
        assert parameter.unit, parameter.key
        assert parameter.allowed, parameter.key
        if parameter.low is not None and not parameter.is_path:
            assert parameter.low <= parameter.default <= parameter.high, parameter.key


def test_schema_is_current():
    stored = (ROOT / "schema/scenario-1.json").read_text(encoding="utf-8")
    assert stored == schema_text(), "write it anew: tariffsim schema > schema/scenario-1.json"


def test_schema_is_draft_7_and_accepts_what_is_shipped():
    schema = json_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for name in shipped_names():
        text = (shipped_folder() / f"{name}.yaml").read_text(encoding="utf-8")
        validator.validate(_core(text))


def _core(text: str):
    from tariffsim.scenario.nodes import parse, plain

    return json.loads(json.dumps(plain(parse(text, "x")[0])))


@pytest.mark.parametrize(
    "wrong",
    [
        {"suply": {}},
        {"supply": {"learning": 0.9}},
        {"run": {"seeds": "5"}},
        {"policies": {"x": {"kind": "quota"}}},
        {"policies": {"x": {"kind": "component_tariff", "chip_region": ["CN"]}}},
        {"policies": {"x": {"kind": "component_tariff", "rate": "25 %"}}},
        {"policies": {"50 %": {"kind": "component_tariff"}}},
    ],
)
def test_schema_refuses(wrong):
    assert not jsonschema.Draft7Validator(json_schema()).is_valid(wrong)


def test_schema_describes_every_field():
    schema = json_schema()
    for model in INSTRUMENTS.values():
        for name, field in schema["definitions"][model.__name__]["properties"].items():
            assert field.get("description") or name == "kind"


@pytest.mark.parametrize("base", shipped_names())
def test_new_file_is_commented_and_loads(base, tmp_path):
    path = new_file(tmp_path / "mine.yaml", base)
    made, shipped = load_scenario(path), load_scenario(base)
    assert made.content_hash == shipped.content_hash
    assert path.read_text(encoding="utf-8").count("#") > 30


def test_new_file_never_overwrites(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("precious\n")
    with pytest.raises(StorageError, match="not overwritten"):
        new_file(path)
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere.yaml")
    with pytest.raises(StorageError):
        new_file(tmp_path / "link.yaml")
    assert path.read_text() == "precious\n"
    with pytest.raises(StorageError):
        new_file(tmp_path / "no/such/folder/x.yaml")
    with pytest.raises(ScenarioError):
        new_file(tmp_path / "y.yaml", "no_such_base")
