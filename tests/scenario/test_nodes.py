"""Reading YAML: values by the core schema, and where they stand."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.scenario import nodes
from tariffsim.scenario.nodes import node_at, parse, plain
from tariffsim.scenario.scenario_files import read_scenario


def values(text: str):
    node, problems = parse(text, "x.yaml")
    assert problems == []
    return plain(node)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0101", "0101"),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("2025-07", "2025-07"),
        ("2025-07-15", "2025-07-15"),
        ("2025Q3", "2025Q3"),
        ("2025", 2025),
        ("8541.10", 8541.1),
        ("'8541.10'", "8541.10"),
        ('"5"', "5"),
        ("9" * 40, "9" * 40),
        ("<<", "<<"),
        ("=", "="),
    ],
)
def test_core_schema(text, value):
    assert values(f"a: {text}\n") == {"a": value}
    assert type(values(f"a: {text}\n")["a"]) is type(value)


def test_null_is_left_out():
    assert values("a: null\nb: ~\nc:\nd: 1\n") == {"d": 1}


def test_keys_are_text():
    assert values("{2026: 1, true: 2, NO: 3, 0101: 4, null: 5}") == {
        "2026": 1,
        "true": 2,
        "NO": 3,
        "0101": 4,
        "null": 5,
    }


def test_a_number_that_a_comma_cuts_is_one_problem():
    text = "a: {b: 3,5, c: -1,250,000, d: 2.5, 6: 7, e: x,8, f: true,9}\n"
    node, problems = parse(text, "x.yaml")
    million = "write -1250000: nothing stands between thousands, and decimals have a point"
    assert [(p.column, p.key, p.hint) for p in problems] == [
        (10, "a.5", "decimals have a point: 3.5"),
        (19, "a.250", million),
    ]
    assert list(node_at(node, ["a"]).items) == ["b", "c", "d", "6", "e", "8", "f", "9"]
    assert plain(node)["a"] == {"d": 2.5, "6": 7, "e": "x", "f": True}


def test_places():
    node, _ = parse("run:\n  seeds: 5\npolicies:\n  x: {markets: [US, EU]}\n", "x.yaml")
    assert str(node_at(node, ["run", "seeds"]).at) == "x.yaml:2:10"
    assert str(node_at(node, ["run", "seeds"]).key_at) == "x.yaml:2:3"
    assert str(node_at(node, ["policies", "x", "markets", 1]).at) == "x.yaml:4:21"


def test_line_ends_and_byte_order_mark(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: x\r\nrun: {seeds: 5}\r\n")
    assert values(read_scenario(path)) == {"title": "x", "run": {"seeds": 5}}


def test_directive_and_document_marks_are_allowed():
    assert values("%YAML 1.2\n---\na: 1\n...\n") == {"a": 1}


def test_hostile_files_are_given_up():
    for text in ("[" * 300_000, "{a: " * 200_000, "- " * 200_000, "a: '" + "''" * 400_000):
        node, problems = parse(text, "x.yaml")
        assert node is None
        assert problems


def test_aliases_are_never_expanded():
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    _, problems = parse("\n".join(lines), "x.yaml")
    assert len(problems) <= nodes.MAX_PROBLEMS


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    node, problems = parse(text, "x.yaml")
    assert problems or node is not None


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML without libyaml")
@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [NO, 0101, {c: 2.5}]\nd: >-\n  folded\n  text\n",
        "title: 'x'\nrun: {seeds: 5}\n",
        "a: &x 1\nb: *x\n",
        "a: 1\na: 2\n",
        "a: {b: 3,5, c: -1,250,000, d: {2026-01: 0,8}}\n",
        "%YAML 1.2\n---\na: 1\n---\nb: 2\n",
    ],
)
def test_same_without_libyaml(text, monkeypatch):
    with_library = parse(text, "x.yaml")
    monkeypatch.setattr(nodes, "Loader", yaml.SafeLoader)
    without = parse(text, "x.yaml")
    assert with_library[0] == without[0]
    assert [p.message for p in with_library[1]] == [p.message for p in without[1]]
