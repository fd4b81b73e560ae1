"""The month is one page: every phase body there, arithmetic in kernels, nothing hidden."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import tariffsim
from tariffsim import month
from tariffsim.month import PHASES
from tariffsim.state.economy import Economy
from tests.economies import COMPLIANT, component, merged, product, run, scenario

PACKAGE = Path(tariffsim.__file__).parent
ROOMS = [PACKAGE / "month.py", *sorted((PACKAGE / "behaviour").glob("*.py"))]
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.FloorDiv, ast.Mod, ast.MatMult)
EXCEPTIONS: dict[tuple[str, str], str] = {}
"""Functions that may compute, by module and name, each with its reason; at most five."""


UFUNCS = {"add", "divide", "exp2", "expm1", "float_power", "log", "log1p", "matmul", "multiply",
          "negative", "power", "reciprocal", "sqrt", "subtract", "true_divide"}  # fmt: skip
"""Functions of numpy that are operators by another name."""


def computes(node: ast.AST) -> bool:
    """Whether a node is an arithmetic operator on values, or a function that is one."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Attribute):
        return node.attr in UFUNCS and getattr(node.value, "id", "") == "np"
    return isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ARITHMETIC)


def computing(tree: ast.AST) -> bool:
    """Whether there is any arithmetic below a node."""
    return any(computes(node) for node in ast.walk(tree))


@pytest.mark.parametrize("code", ["a * b", "a += b", "-a", "np.multiply(a, b)", "np.power(a, 2)"])
def test_arithmetic_is_noticed(code: str) -> None:
    assert computing(ast.parse(code))
    assert not computing(ast.parse("np.where(a > 0, a, -1)"))


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.stem)
def test_arithmetic_is_in_kernels(path: Path) -> None:
    """Phases and behaviour gather, call and assign; what computes is a kernel with a test."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
             and computing(node)}  # fmt: skip
    assert found <= {name for module, name in EXCEPTIONS if module == path.stem}
    if not found:
        assert not computing(tree)


def test_exceptions_are_few_and_exist() -> None:
    assert len(EXCEPTIONS) <= 5
    for (module, name), reason in EXCEPTIONS.items():
        (path,) = (room for room in ROOMS if room.stem == module)
        assert f"def {name}(" in path.read_text(encoding="utf-8")
        assert reason


def test_every_phase_is_on_the_page_and_nothing_else() -> None:
    """`month.py` has the phases, each with its sentence; no function with their signature stands
    anywhere else."""
    own = [f for _, f in inspect.getmembers(month, inspect.isfunction)
           if f.__module__ == month.__name__]  # fmt: skip
    assert set(own) == set(PHASES)
    assert all(phase.__doc__ for phase in PHASES)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and path.name != "month.py":
                arguments = [argument.arg for argument in node.args.args]
                returns = ast.unparse(node.returns) if node.returns else ""
                assert (arguments, returns) != (["economy", "draws"], "None"), node.name


# One duty engine.


def test_the_page_has_one_way_to_assess_duties() -> None:
    """No world has a path of its own: declarations are there in every scenario."""
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "has_claims" not in text, path
        assert "declarations is None" not in text, path
        assert "declarations is not None" not in text, path


POLICIES = {
    "component": component(0.5, unknown_origin_rule="full_value"),
    "per chip": component(0.1, per="chip", unknown_origin_rule="deemed_share"),
    "threshold": component(0.5, threshold=0.001),
    "product": product(0.25, assembly_countries=["CN"]),
    "trigger": product(0.1, only_with_chips_from=["CN"]),
    "stacked": {
        "policies": {
            name: {"kind": "product_tariff", "rate": rate, "start": "2025-01",
                   "assembly_countries": ["CN", "VN"], "stacking_group": "one"}
            for name, rate in (("a", 0.1), ("b", 0.2))
        }
    },
}  # fmt: skip


@pytest.mark.parametrize("policies", POLICIES.values(), ids=POLICIES)
def test_informed_and_honest_importers_pay_the_statutory_duty(policies: dict) -> None:
    """Whoever knows the origin and never evades pays what each law asks of the true product."""
    for economy in run(scenario(COMPLIANT, merged(policies), makers=150), seed=3, months=3):
        assert economy.importers.knows_origin.all()
        assert not economy.flows.evaded_duty.any()
        assert not economy.flows.compliance_cost.any()
        for number, duty in statutory(economy).items():
            np.testing.assert_allclose(economy.instrument_duty[number], duty, rtol=1e-12)


def statutory(economy: Economy) -> dict[int, np.ndarray]:
    """USD a unit of each law on products, the highest of a stacking group alone."""
    shipments, cell = economy.shipments(), economy.flow_cells
    due = {}
    for number, rate in economy.policy.regime:
        law = economy.tariff_schedule.laws[number]
        if not law.instrument.taxes_bare_chips:
            duty = law.instrument.duty(shipments, rate) * law.scope[cell]
            due[number] = duty * law.instrument.is_triggered(shipments)
    groups = {n: economy.tariff_schedule.laws[n].instrument.stacking_group for n in due}
    highest = {
        group: np.max([due[n] for n in due if groups[n] == group], axis=0)
        for group in groups.values() if group is not None
    }  # fmt: skip
    return {
        n: np.where(duty == highest[groups[n]], duty, 0.0) if groups[n] else duty
        for n, duty in due.items()
    }
