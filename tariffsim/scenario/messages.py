"""What pydantic finds wrong, said in the words of the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from tariffsim.errors import Problem
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.fields import FigureTableName, TableName
from tariffsim.scenario.nodes import Node, node_at
from tariffsim.scenario.text import escaped, nearest

Keys = tuple[str | int, ...]
Said = tuple[str, str]
"""What is wrong, and a hint."""
PER_CENT = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)\s*(?:%|per ?cent|percent)\s*", re.IGNORECASE)
YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def keys_of(loc: Sequence[str | int]) -> Keys:
    """Where an error is, without the kind of policy that pydantic names on the way."""
    keys = tuple(loc)
    if len(keys) > 2 and keys[0] == "policies" and keys[2] in INSTRUMENTS:
        keys = keys[:2] + keys[3:]
    return tuple(k for k in keys if k != "[key]")


def dotted(keys: Keys) -> str:
    """A path of keys as text, such as policies.x.markets[0]."""
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{escaped(key)}" if text else escaped(key)
    return text


def kind_at(tree: Node, keys: Keys) -> str:
    """The kind of the policy a path of keys leads into."""
    node = node_at(tree, [*keys[:2], "kind"]) if keys[:1] == ("policies",) else None
    return node.value if node is not None and isinstance(node.value, str) else ""


def problem_at(
    tree: Node, keys: Keys, message: str, hint: str = "", given: str | None = None
) -> Problem:
    """A problem with its place: that of the value, or of the nearest mapping around it."""
    node, depth = tree, 0
    while depth < len(keys) and (child := node_at(node, keys[depth : depth + 1])):
        node, depth = child, depth + 1
    at = node.at if depth == len(keys) else node.key_at
    if given is None:
        given = shown(node) if depth == len(keys) else ""
    return Problem(at.file, at.line, at.column, dotted(keys), message, given, hint)


def shown(node: Node) -> str:
    """What was given: numbers as written, text in quotes."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, tuple):
        return "a list"
    if isinstance(node.value, str):
        return f"'{escaped(node.value)}'"
    return escaped(node.text or "null")


def translate(error: Any, tree: Node) -> Problem | None:
    """One error of pydantic as a problem; None where it is known already."""
    keys = keys_of(error["loc"])
    if any((node := node_at(tree, keys[:n])) and node.is_bad for n in range(len(keys) + 1)):
        return None
    kind = kind_at(tree, keys)
    parameter = catalogue.find([str(k) for k in keys], kind)
    if error["type"] == "missing":
        if (node := node_at(tree, keys)) and node.is_bad:
            return None
        what = f"{parameter.description} Allowed: {parameter.allowed}." if parameter else ""
        return problem_at(tree, keys, "is missing", what)
    if error["type"] == "extra_forbidden":
        return _unknown(tree, keys, kind)
    if error["loc"][-1:] == ("[key]",):
        return _bad_name(tree, keys)
    if error["type"].startswith("union_tag"):
        return _bad_kind(tree, keys)
    say = SAY.get(error["type"], _other)
    message, hint = say(error, parameter, node_at(tree, keys))
    return problem_at(tree, keys, message, hint)


def _unknown(tree: Node, keys: Keys, kind: str) -> Problem:
    """A key that is not known: at the key, not at its value."""
    node = node_at(tree, keys)
    at = node.key_at if node else tree.at
    names = catalogue.names_under([str(k) for k in keys[:-1]], kind)
    hint = nearest(str(keys[-1]), names)
    kind_node = node_at(tree, (*keys[:2], "kind"))
    if kind and kind_node and kind_node.at.file != at.file:
        hint = f"{kind} has no such field; write `{escaped(str(keys[-1]))}: null` to take it away"
    return Problem(at.file, at.line, at.column, dotted(keys), "is not a known key", "", hint)


def _bad_name(tree: Node, keys: Keys) -> Problem:
    node = node_at(tree, keys)
    at = node.key_at if node else tree.at
    name = str(keys[-1])
    tables: tuple[str, ...] = {
        "data": TableName.__args__,  # type: ignore[attr-defined]
        "figures": FigureTableName.__args__,  # type: ignore[attr-defined]
    }.get(str(keys[0]), ())
    if tables and len(keys) == 2:
        message, hint = "is not a known table", nearest(name, tables)
    elif keys[0] == "policies":
        message = "is no name for a policy"
        hint = "use small letters, digits and _, a letter first, at most 40"
    else:
        message, hint = "is no name", "use 1 to 40 characters"
    return Problem(at.file, at.line, at.column, dotted(keys), message, "", hint)


def _bad_kind(tree: Node, keys: Keys) -> Problem | None:
    node = node_at(tree, (*keys, "kind"))
    if node is None or node.value is None:
        hint = "such as `kind: component_tariff`; see `tariffsim list instruments`"
        return problem_at(tree, (*keys, "kind"), "is missing", hint)
    if node.is_bad:
        return None
    hint = nearest(str(node.value), INSTRUMENTS)
    return problem_at(tree, (*keys, "kind"), "is not a known kind of policy", hint)


def _of_range(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    context = error.get("ctx", {})
    limits = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    limit = " and ".join(f"{w} {context[k]:g}" for k, w in limits.items() if k in context)
    return out_of_range(parameter, error["input"], limit)


def out_of_range(parameter: Parameter | None, value: Any, limit: str = "") -> Said:
    """A number outside its bounds; a percentage is put right in the user's own number."""
    if parameter is None:
        return f"must be {limit}", ""
    allowed = parameter.allowed
    allowed = f"between {allowed.replace(' to ', ' and ')}" if " to " in allowed else allowed
    is_rate = parameter.unit.startswith("fraction")
    hint = ""
    if is_rate and isinstance(value, (int, float)) and value > 1 and value / 100 <= 5:
        hint = fraction_hint(f"{value:g}", parameter)
    unit = f" ({parameter.unit})" if parameter.unit not in ("", "number") else ""
    return f"must be {allowed}{unit}", hint


def fraction_hint(number: str, parameter: Parameter) -> str:
    """What to write in place of a percentage."""
    what = "rates" if "rate" in parameter.key else "shares"
    value = f"{float(number) / 100:.12g}"
    return f"{what} are fractions: write {value} for {number} %"


def _number(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    whole = error["type"].startswith("int")
    text = node.value if node is not None and isinstance(node.value, str) else ""
    message = "must be a whole number" if whole else "must be a number"
    return message, number_hint(text, parameter)


def number_hint(text: str, parameter: Parameter | None) -> str:
    """How to write as a number what was given as text."""
    if parameter and (match := PER_CENT.fullmatch(text)):
        if parameter.unit.startswith("fraction"):
            return fraction_hint(match[1], parameter)
        return "write it without the % sign"
    bare = text.replace("_", "").replace(",", "").replace(" ", "")
    try:
        float(bare)
    except ValueError:
        return ""
    if bare == text:
        has_zeros = len(bare) > 1 and bare[0] == "0" and bare[1].isdigit()
        return f"write {bare.lstrip('0') or '0'}" if has_zeros else f"write {bare} without quotes"
    return f"write {bare}"


def _text(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    written = node.text if node and node.value is not None else ""
    return "must be text", f'put it in quotes: "{escaped(written)}"' if written else ""


def _bool(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    written = node.text.lower() if node else ""
    return "must be true or false", f"write {YES_NO[written]}" if written in YES_NO else ""


def _list(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    single = node is not None and isinstance(node.value, (str, int)) and not node.is_bad
    return "must be a list", f"write [{escaped(node.text)}]" if single and node else ""


def _choice(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    allowed = [a.strip("'") for a in re.split(r", | or ", error["ctx"]["expected"])]
    given = node.value if node is not None and isinstance(node.value, str) else ""
    close = nearest(given, allowed) if given else ""
    return f"must be {' or '.join(allowed)}", "" if close.startswith("allowed") else close


def _mapping(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    return "must be a mapping of keys and values", ""


def _own_words(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    message = str(error["ctx"]["error"])
    hint = ""
    if message.startswith("must be a number") and node and isinstance(node.value, str):
        hint = number_hint(node.value, parameter)
    return message, hint


def _length(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    context = error["ctx"]
    if "max_length" in context:
        return f"must have at most {context['max_length']} characters", ""
    return "must not be empty", ""


def _other(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    return str(error["msg"])[0].lower() + str(error["msg"])[1:], ""


SAY: dict[str, Callable[[Any, Parameter | None, Node | None], Said]] = {
    "bool_type": _bool,
    "dict_type": _mapping,
    "finite_number": _number,
    "float_type": _number,
    "greater_than": _of_range,
    "greater_than_equal": _of_range,
    "int_type": _number,
    "less_than": _of_range,
    "less_than_equal": _of_range,
    "literal_error": _choice,
    "model_attributes_type": _mapping,
    "model_type": _mapping,
    "string_too_long": _length,
    "string_too_short": _length,
    "string_type": _text,
    "tuple_type": _list,
    "value_error": _own_words,
}
