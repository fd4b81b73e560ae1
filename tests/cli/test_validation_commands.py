"""`validate-model`, `predict` and `score`: what they print and write, and what they refuse."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tariffsim.errors import DataError
from tariffsim.scenario import load_scenario, replace
from tariffsim.validation.crps import crps_ensemble
from tariffsim.validation.predictions import predict, read_prediction, score
from tests.cli.calling import call, json_of

START = 2025 * 12 + 1
SMALL = replace(load_scenario("baseline"), agents__makers=200)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return predict(SMALL, START, 2, range(3))


def test_outcomes_are_scored_and_reported() -> None:
    found = json_of("validate-model", "--ids", "V8, V10", "--seeds", "1", "--out", "mine")
    assert [one["id"] for one in found["outcomes"]] == ["V8", "V10"]
    assert found["counts"]["calibrated"]["ids"] == 2
    assert {path.name for path in Path("mine").iterdir()} == {
        "report.html", "rows.csv", "outcomes.csv",
    }  # fmt: skip
    code, _, err = call("validate-model", "--ids", "V8", "--out", "mine")
    assert (code, "exists, and is not overwritten" in err) == (5, True)


def test_an_outcome_that_is_not_scored_is_refused() -> None:
    code, _, err = call("validate-model", "--ids", "V20")
    assert code == 2
    assert "no outcome 'V20' is scored" in err


def test_shares_of_origins_add_up_and_intervals_are_ordered(table: pd.DataFrame) -> None:
    share = table[table["quantity"] == "origin_share"]
    seeds = [f"seed_{n}" for n in range(3)]
    total = share.groupby(["month", "device"])[seeds].sum()
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)
    ends = table[["low_80", "low_50", "median", "high_50", "high_80"]].to_numpy()
    assert (np.diff(ends, axis=1) >= 0).all()
    assert sorted(table["month"].unique()) == ["2025-02", "2025-03"]
    rate = table[table["quantity"] == "duty_rate"].set_index(["month", "device"])["median"]
    assert 0 < rate["2025-02", "ALL"] < rate["2025-03", "ALL"] < 0.5  # new duties of March 2025


def test_parameters_are_drawn_for_each_seed(table: pd.DataFrame) -> None:
    """What one seed draws shows in that seed alone."""
    draws = {seed: {"trade.growth_factor": 2.0} if seed == 1 else {} for seed in range(3)}
    drawn = predict(SMALL, START, 2, range(3), draws)
    same = [name for name in ("seed_0", "seed_1", "seed_2") if drawn[name].equals(table[name])]
    assert same == ["seed_0", "seed_2"]


def predicted(name: str = "predicted.csv") -> Path:
    words = "predict --from 2025-02 --months 1 --seeds 2 --out"
    assert call(*words.split(), name)[0] == 0
    return Path(name)


def test_a_prediction_is_written_hashed_and_scored() -> None:
    file = predicted()
    first, _, rest = file.read_text(encoding="utf-8").partition("\n")
    assert first == f"# sha256 {hashlib.sha256(rest.encode()).hexdigest()}"
    table = read_prediction(file).set_index(["month", "device", "origin", "quantity"])
    key = ("2025-02", "laptop", "CN", "origin_share")
    seeds = table.loc[key, ["seed_0", "seed_1"]].to_numpy(dtype=float)
    value = float(seeds.mean())
    Path("observed.csv").write_text(
        f"month,device,origin,quantity,value\n{','.join(key)},{value}\n"
        "2025-02,ALL,ALL,duty_rate,0.9\n",
        encoding="utf-8",
    )
    found = json_of("score", file, "observed.csv", "--out", "scored.csv")
    by = {one["quantity"]: one for one in found["summary"]}
    assert by["origin_share"]["crps"] == pytest.approx(float(crps_ensemble(seeds, value)))
    assert (by["origin_share"]["in_50"], by["duty_rate"]["in_80"]) == (1, 0)
    assert len(pd.read_csv("scored.csv")) == 2
    code, _, err = call("predict", "--from", "2025-02", "--months", "1", "--out", file)
    assert (code, "exists, and is not overwritten" in err) == (5, True)


def test_a_prediction_that_was_changed_is_refused() -> None:
    file = predicted()
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("laptop", "latpop", 1), encoding="utf-8")
    code, _, err = call("score", file, "observed.csv")
    assert code == 3
    assert "changed after it was made" in err
    file.write_text("month,value\n", encoding="utf-8")
    assert "must begin with # sha256" in call("score", file, "observed.csv")[2]


def test_all_that_is_wrong_with_observed_figures_is_told(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "observed.csv"
    file.write_text(
        "month,device,origin,quantity,value\n"
        "2025-02,ALL,ALL,duty_rate,0.1\n"
        "2025-02,ALL,ALL,duty_rate,0.2\n"
        "2031-02,ALL,ALL,duty_rate,0.2\n"
        "2025-02,laptop,CN,origin_share,half\n"
        "2025-02,laptop,CN,origin_share,30\n"
        "2025-02,laptop,CN,duty_rate,0.3\n"
        "2025-02,laptpo,CN,origin_share,0.3\n",
        encoding="utf-8",
    )
    with pytest.raises(Exception, match="6 problems") as refused:
        score(table, file)
    text = str(refused.value)
    assert "observed.csv:3:1: month: is there twice" in text
    assert "observed.csv:4:1: month: is not in the prediction (2031-02)" in text
    assert "observed.csv:5:32: value: must be a number" in text
    assert "observed.csv:6:32: value: must be from 0 to 1 (30)" in text
    assert "it is a fraction: 0.3 for 30 %" in text
    assert (
        "observed.csv:7:19: quantity: is not in the prediction (2025-02 laptop CN duty_rate)"
        in text
    )
    assert "observed.csv:8:9: device: is not in the prediction (laptpo)" in text
    assert "did you mean laptop" in text


@pytest.mark.parametrize("rest", ["# made\n", "# made\nmonth,value\n2025-02,1\n"])
def test_what_is_no_table_of_predictions_is_refused(tmp_path: Path, rest: str) -> None:
    file = tmp_path / "p.csv"
    digest = hashlib.sha256(rest.encode()).hexdigest()
    file.write_text(f"# sha256 {digest}\n{rest}", encoding="utf-8")
    with pytest.raises(DataError, match="is not a table of predictions"):
        read_prediction(file)


def test_no_command_writes_over_a_file_or_finds_out_late(tmp_path: Path) -> None:
    file = predicted()
    before = file.read_text(encoding="utf-8")
    Path("observed.csv").write_text(
        "month,device,origin,quantity,value\n2025-02,ALL,ALL,duty_rate,0.1\n", encoding="utf-8"
    )
    code, _, err = call("score", file, "observed.csv", "--out", file)
    assert (code, file.read_text(encoding="utf-8")) == (5, before)
    assert "exists, and is not overwritten" in err
    code, _, err = call("predict", "--out", tmp_path / "nowhere" / "p.csv")
    assert code == 5
    assert "there is no folder" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("predict --from 2030-12", "not all of 2030-12 to 2032-11"),
        ("predict --from soon", "--from"),
        ("score nowhere.csv observed.csv", "there is no such file"),
    ],
)
def test_what_cannot_be_predicted_or_scored_is_refused(words: str, message: str) -> None:
    code, out, err = call(*words.split())
    assert (code, out) == (3 if "score" in words else 2, "")
    assert message in " ".join(err.split())
