"""What pydantic finds wrong, in the words of the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tariffsim.errors import Problem, closest, escaped, in_quotes, nearest
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.nodes import NOT_A_KEY, Node, node_at
from tariffsim.tables import FIGURE_TABLES, TABLE_NAMES
from tariffsim.tables.csv_text import comma_hint
from tariffsim.tables.figure_tables import FigureTable
from tariffsim.tables.renamed import new_name, now_called

Keys = tuple[str | int, ...]
Said = tuple[str, str]
"""What is wrong, and a hint."""
PER_CENT = re.compile(r"\s*([-+]?\d+(?:[.,]\d+)?)\s*(?:%|per ?cent|percent)\s*", re.IGNORECASE)
YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
NOT_A_KIND = "is not a known kind of policy"
NOT_A_TABLE = "is not a known table"
MISSING = "is missing"
NO_DATE = "has no first date"
NOT_A_POLICY = "is not a policy of this scenario"
NOT_A_SOURCE = "is not a source of this scenario"
IN_A_BASE = (
    MISSING,
    NO_DATE,
    "is not among the sources",
    "is not a key of this scenario",
    NOT_A_POLICY,
    NOT_A_SOURCE,
    "names neither a policy of this scenario nor a kind of instrument",
)
"""What is not said of a file that builds on another which cannot be read: it may be there."""


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
    is_there = depth == len(keys)
    if given is None:
        given = shown(node) if is_there else ""
    return (node.at if is_there else node.key_at).problem(message, given, hint, dotted(keys))


def unknown_codes(
    codes: Sequence[str], table: FigureTable, tree: Node, keys: Keys
) -> Iterator[Problem]:
    """Codes of a list that are not in their table, or are given twice."""
    for index, code in enumerate(codes):
        if code not in table.codes:
            message = f"is not a code of {table.name}"
            yield problem_at(tree, (*keys, index), message, nearest(code, table.codes))
        elif code in codes[:index]:
            yield problem_at(tree, (*keys, index), "is given twice")


def problem_at_key(tree: Node, keys: Keys, message: str, hint: str = "") -> Problem:
    """A problem of a key, not of its value."""
    node = node_at(tree, keys)
    return (node.key_at if node else tree.at).problem(message, "", hint, dotted(keys))


def shown(node: Node) -> str:
    """What was given: numbers as written, text in quotes."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, tuple):
        return "a list"
    if isinstance(node.value, str):
        return f"'{escaped(node.value)}'"
    return escaped(node.text or "null")


def current_names(tree: Node) -> tuple[Node, list[Problem]]:
    """The tree with today's names, and a problem for every key and kind that has none of them.

    Values under an old name are thus checked as well, and none of them is reported as missing. A
    policy of no known kind is checked as one of the kind that it is most like.
    """
    problems: list[Problem] = []
    return _current(tree, (), problems), problems


def _current(node: Node, keys: tuple[str, ...], problems: list[Problem]) -> Node:
    if len(keys) > 2 or not isinstance(node.value, dict):
        return node
    entries, kind = dict(node.items), ""
    if len(keys) == 2 and keys[0] == "policies":
        entries = _of_known_kind(node, keys, problems)
        kind = str(entries["kind"].value)
    found = {}
    for key, child in entries.items():
        path = (*keys, key)
        names = [name.rpartition(".")[2] for name in new_name("key", ".".join(path)).split()]
        if names and set(names) <= set(catalogue.names_under(keys, kind)):
            hint, new = now_called(" ".join(names)), names[-1]
            problems.append(child.key_at.problem(NOT_A_KEY, "", hint, dotted(path)))
            if new in entries:
                continue  # the value under the new name counts
            key = new
        found[key] = _current(child, path, problems)
    return replace(node, value=found)


def _of_known_kind(policy: Node, keys: Keys, problems: list[Problem]) -> dict[str, Node]:
    """Fields of a policy, with a known kind; without those that only other kinds have."""
    entries = dict(policy.items)
    kind = entries.get("kind")
    given = kind.value if kind and isinstance(kind.value, str) else ""
    if given in INSTRUMENTS:
        return entries
    path, new = dotted((*keys, "kind")), new_name("instrument", given)
    if kind is None or kind.value is None:
        hint = "such as `kind: component_tariff`; see `tariffsim list instruments`"
        problems.append((kind.at if kind else policy.key_at).problem(MISSING, "", hint, path))
    elif not kind.is_bad:
        hint = now_called(new) if new else nearest(given, INSTRUMENTS)
        problems.append(kind.at.problem(NOT_A_KIND, shown(kind), hint, path))
    if not new:
        near = closest(given, INSTRUMENTS)
        new = near or _most_like(entries)
        own = catalogue.of_instrument(new)
        others = {field for each in INSTRUMENTS for field in catalogue.of_instrument(each)}
        entries = {f: node for f, node in entries.items() if f in own or f not in others}
        unsaid = {f for f, p in own.items() if p.is_required and f not in entries and not near}
        entries |= dict.fromkeys(unsaid, replace(policy, value=None, is_bad=True))
    return entries | {"kind": replace(kind or policy, value=new, is_bad=False)}


def _most_like(fields: Iterable[str]) -> str:
    """The kind that has most of these fields, and refuses the fewest of all."""

    def likeness(kind: str) -> tuple[int, int]:
        model = INSTRUMENTS[kind]
        known = len({*fields} & {*catalogue.of_instrument(kind)})
        return known, -len(model.without)

    return max(INSTRUMENTS, key=likeness)


def translate(error: Any, tree: Node) -> Problem | None:
    """One error of pydantic as a problem; None where it is known already."""
    keys = keys_of(error["loc"])
    if any((node := node_at(tree, keys[:n])) and node.is_bad for n in range(len(keys) + 1)):
        return None
    kind = kind_at(tree, keys)
    parameter = catalogue.find([str(k) for k in keys], kind)
    is_cut = parameter and parameter.is_path and (node := node_at(tree, keys)) and node.has_bad
    if is_cut and error["type"] == "value_error":
        return None  # it may lack what was reported already
    if error["type"] == "missing":
        what = f"{parameter.description} Allowed: {parameter.allowed}." if parameter else ""
        return problem_at(tree, keys, MISSING, what)
    if error["type"] == "extra_forbidden":
        return _unknown(tree, keys, kind)
    if error["loc"][-1:] == ("[key]",):
        return _bad_name(tree, keys)
    say = SAY.get(error["type"], _other)
    message, hint = say(error, parameter, node_at(tree, keys))
    return problem_at(tree, keys, message, hint)


def _unknown(tree: Node, keys: Keys, kind: str) -> Problem:
    names = catalogue.names_under([str(k) for k in keys[:-1]], kind)
    hint = nearest(str(keys[-1]), names)
    node, kind_node = node_at(tree, keys), node_at(tree, (*keys[:2], "kind"))
    if node and kind_node and _is_left_over(keys, node, kind_node):
        hint = f"{kind} has no such field; write `{escaped(str(keys[-1]))}: null` to remove it"
    return problem_at_key(tree, keys, NOT_A_KEY, hint)


def _is_left_over(keys: Keys, node: Node, kind: Node) -> bool:
    """Whether this is a field of the kind that a policy had in a file it builds on."""
    is_field = any(str(keys[-1]) in catalogue.of_instrument(each) for each in INSTRUMENTS)
    return is_field and len(kind.trail) > 1 and kind.at.file != node.key_at.file


def _bad_name(tree: Node, keys: Keys) -> Problem:
    tables = {"data": TABLE_NAMES, "figures": FIGURE_TABLES}.get(str(keys[0]), ())
    if tables and len(keys) == 2:
        message, hint = NOT_A_TABLE, nearest(str(keys[-1]), tables)
    elif keys[0] == "policies":
        message = "is not a valid name for a policy"
        hint = "use lower-case letters, digits and _, a letter first, at most 40"
    else:
        message, hint = "is not a valid name", "use 1 to 40 characters"
    return problem_at_key(tree, keys, message, hint)


def _of_range(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    if parameter is not None:
        return out_of_range(parameter, error["input"])
    limits = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    context = error.get("ctx", {})
    limit = " and ".join(f"{w} {context[k]:g}" for k, w in limits.items() if k in context)
    return f"must be {limit}", ""


def out_of_range(parameter: Parameter, value: Any) -> Said:
    """A number outside its bounds; a percentage is put right in the user's own number."""
    allowed = parameter.allowed
    allowed = f"between {allowed.replace(' to ', ' and ')}" if " to " in allowed else allowed
    is_rate = parameter.unit.startswith("fraction")
    hint = ""
    if is_rate and isinstance(value, (int, float)) and 1 < value <= 500:
        hint = fraction_hint(f"{value:g}", parameter)
    unit = f" ({parameter.unit})" if parameter.unit not in ("", "number") else ""
    return f"must be {allowed}{unit}", hint


def fraction_hint(number: str, parameter: Parameter) -> str:
    """What to write in place of a percentage."""
    what = "rates" if "rate" in parameter.key else "shares"
    value = f"{float(number) / 100:.12g}"
    return f"{what} are fractions: write {value} for {number} %"


def number_hint(text: str, parameter: Parameter | None) -> str:
    """How to write as a number what was given as text."""
    if parameter and (match := PER_CENT.fullmatch(text)):
        if parameter.unit.startswith("fraction"):
            return fraction_hint(match[1].replace(",", "."), parameter)
        return "write it without the % sign"
    if hint := comma_hint(text, parameter is not None and parameter.kind == "whole number"):
        return hint
    bare = text.replace("_", "").replace(" ", "")
    try:
        float(bare)
    except ValueError:
        return ""
    if bare == text:
        has_zeros = len(bare) > 1 and bare[0] == "0" and bare[1].isdigit()
        return f"write {bare.lstrip('0') or '0'}" if has_zeros else f"write {bare} without quotes"
    return f"write {bare}"


def _text_of(node: Node | None) -> str:
    """The value, if it is a text."""
    return node.value if node is not None and isinstance(node.value, str) else ""


def _number(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    what = "a whole number" if error["type"].startswith("int") else "a number"
    return f"must be {what}", number_hint(_text_of(node), parameter)


def _text(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    written = node.text if node and node.value is not None else ""
    return "must be text", f'put it in quotes: "{escaped(written)}"' if written else ""


def _bool(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    word = YES_NO.get(node.text.lower()) if node else None
    return "must be true or false", f"write {word}" if word else ""


def _list(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    if node is None or not isinstance(node.value, (str, int)):
        return "must be a list", ""
    text = escaped(node.text)
    may_be_one = "," in text and parameter is not None and not parameter.table
    one = f", or [{in_quotes(text)}] if it is one name" if may_be_one else ""
    return "must be a list", f"write [{text}]{one}"


def _choice(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    allowed = [a.strip("'") for a in re.split(r", | or ", error["ctx"]["expected"])]
    close = nearest(_text_of(node), allowed)
    return f"must be {' or '.join(allowed)}", "" if close.startswith("allowed") else close


def _mapping(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    return "must be a mapping of keys and values", ""


def _own_words(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    message = str(error["ctx"]["error"])
    is_number = message.startswith("must be a number")
    return message, number_hint(_text_of(node), parameter) if is_number else ""


def _length(error: Any, parameter: Parameter | None, node: Node | None) -> Said:
    most = error["ctx"].get("max_length")
    return f"must have at most {most} characters" if most else "must not be empty", ""


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
