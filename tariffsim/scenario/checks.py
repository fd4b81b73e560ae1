"""What must hold between the fields of a scenario and the data tables; what is hardly meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from tariffsim.errors import DataError, Problem, in_quotes, nearest
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.fields import condition
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.doubt_remarks import Doubted, idle_belief, never_expected
from tariffsim.scenario.factors import Unfit, factor_of
from tariffsim.scenario.messages import Keys, out_of_range, problem_at, unknown_codes
from tariffsim.scenario.nodes import Node, Position, node_at, node_of
from tariffsim.scenario.scenario import CircularConditionError, Scenario
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.tables import Tables, load_tables
from tariffsim.tables.renamed import name_hint
from tariffsim.tables.units import unusual_figures
from tariffsim.typing import format_moment, format_month, one_name, parse_moment, parse_month


def problems_of(scenario: Scenario, tree: Node) -> Iterator[Problem]:
    """All that is wrong with a scenario whose fields are each valid."""
    tables, broken = _tables(scenario)
    for problem in broken:
        yield _placed(problem, scenario, tree)
    if scenario.compare_with not in shipped_names():
        hint = name_hint("scenario", scenario.compare_with, shipped_names())
        yield problem_at(tree, ("compare_with",), "is not a shipped scenario", hint)
    yield from _ranges(scenario, tree)
    yield from _paths(scenario, tree)
    yield from _conditions(scenario, tree)
    sources = node_at(tree, ["sources"])
    own = {key for key, node in sources.items.items() if is_given(node)} if sources else {}
    for name, policy in scenario.policies.items():
        at: Keys = ("policies", name)
        yield from _dates(policy, at, tree)
        yield from _threat(policy, at, tree)
        yield from _codes(policy, at, tables, tree)
        yield from _other_fields(policy, at, {*own, *tables.sources}, tree)
    yield from unknown_codes(scenario.agents.focus, tables.markets, tree, ("agents", "focus"))
    yield from _calendar_names(scenario, tables, tree)
    yield from _refunds(scenario, tables, tree)
    yield from _sources(scenario, tree)
    yield from _experiment(scenario, tree)


def _other_fields(
    policy: Instrument, at: Keys, sources: Collection[str], tree: Node
) -> Iterator[Problem]:
    # the highest duty of each month is not the highest of the means of a year that agents expect
    of_months = ("stacking_group",) if policy.has_memory else ()
    for field in (*policy.without, *of_months):
        if getattr(policy, field) != type(policy).model_fields[field].get_default():
            message = f"does not apply to the instrument {policy.kind}"
            yield problem_at(tree, (*at, field), message, "leave it out", given="")
    fields = ("free_chips_per_chip", "credit_per_usd")
    offsets = [f for f in fields if _is_set(policy, f)]
    if len(offsets) > 1:
        message = f"is given beside {offsets[0]}"
        yield problem_at(tree, (*at, offsets[1]), message, "give one of them", given="")
    if getattr(policy, "all_in", False) and policy.path.interpolate == "linear":
        message = "goes with steps only: a rate that includes the ordinary duty is not a line"
        yield problem_at(tree, (*at, policy.path_field, "interpolate"), message, given="")
    if policy.source is not None and policy.source not in sources:
        hint = nearest(policy.source, sources)
        yield problem_at(tree, (*at, "source"), "is not among the sources", hint)


def _is_set(policy: Instrument, field: str) -> bool:
    """Whether a policy has the field and it is not at its default."""
    info = type(policy).model_fields.get(field)
    return info is not None and getattr(policy, field) != info.get_default(
        call_default_factory=True
    )


def _conditions(scenario: Scenario, tree: Node) -> Iterator[Problem]:
    """A policy with a condition names another, has no dates of its own, and is in no circle."""
    policies = scenario.policies
    waiting = {name: policy for name, policy in policies.items() if policy.when is not None}
    for name, policy in waiting.items():
        at: Keys = ("policies", name)
        of, _ = condition(policy.when or "")
        if of not in policies and of not in INSTRUMENTS:
            hint = name_hint("instrument", of, [*policies, *INSTRUMENTS])
            message = "names neither a policy of this scenario nor a kind of instrument"
            yield problem_at(tree, (*at, "when"), message, hint)
        if policy.start is not None or policy.path.months:
            field = "start" if policy.start is not None else policy.path_field
            message = "has a date although the policy has a condition (`when`)"
            yield problem_at(tree, (*at, field), message, "give a number without dates", given="")
    try:
        dated = scenario.dated_policies
    except CircularConditionError as error:
        yield problem_at(tree, ("policies",), "depend on each other", given=str(error))
        return
    for name in waiting:
        yield from _dates(dated[name], ("policies", name), tree) if name in dated else ()


def _calendar_names(scenario: Scenario, tables: Tables, tree: Node) -> Iterator[Problem]:
    """What policies replace is there; what shares a group with them is not in the base year."""
    rows = [row for row in tables.calendar if row.in_baseline]
    held = {one_name(row.instrument) for row in rows if row.in_2024_base}
    known = list(dict.fromkeys(name for row in rows for name in (row.instrument, row.id) if name))
    for name, policy in scenario.policies.items():
        at: Keys = ("policies", name, "repeals" if policy.kind == "repeal" else "replaces")
        for index, hint in _unknown_names(policy.replaced or (), known, tables):
            message = "is neither an instrument nor an id of the tariff calendar"
            hint = hint or nearest((policy.replaced or ())[index], map(in_quotes, known))
            yield problem_at(tree, (*at, index), message, hint)
        if one_name(policy.stacking_group or "") in held:
            message = "names an instrument of the calendar that is in the duties of 2024"
            hint = f"use `replaces: [{in_quotes(policy.stacking_group or '')}]`, or another name"
            yield problem_at(tree, ("policies", name, "stacking_group"), message, hint)


def _unknown_names(
    given: Sequence[str], known: Sequence[str], tables: Tables
) -> Iterator[tuple[int, str]]:
    """Places in a list of what is no known name, once for a name cut at its commas, with hints.

    The hint is empty unless a name lacks its quotes or what follows its comma, or is of rows that
    are not in the baseline.
    """
    names = [one_name(name) for name in given]
    unknown = {name for name in names if name not in map(one_name, known)}
    by_pieces = {tuple(map(one_name, name.split(","))): name for name in known if "," in name}
    cut = {
        place: whole
        for first in range(len(names) if unknown else 0)
        for pieces, whole in by_pieces.items()
        if tuple(names[first : first + len(pieces)]) == pieces
        for place in range(first, first + len(pieces))
    }
    left_out = {one_name(name) for row in tables.calendar for name in (row.instrument, row.id)} - {
        ""
    }
    told = set()
    for index, name in enumerate(names):
        if name not in unknown or cut.get(index) in told:
            continue
        hint, longer = "", sorted(each for each in known if one_name(each).startswith(f"{name},"))
        if index in cut:
            told.add(cut[index])
            hint = f"the name has a comma: write it in quotes, {in_quotes(cut[index])}"
        elif name in left_out:
            hint = "it is in the calendar, but not in the baseline (`in_baseline` is no)"
        elif longer:
            hint = f"did you mean {' or '.join(map(in_quotes, longer))}?"
        yield index, hint


def _refunds(scenario: Scenario, tables: Tables, tree: Node) -> Iterator[Problem]:
    """What is paid back is a duty of this scenario or of the calendar, paid before the refund."""
    rows = [row for row in tables.calendar if row.in_baseline]
    kinds = {
        "a policy": [
            n for n, p in scenario.policies.items() if type(p).duty is not Instrument.duty
        ],
        "an instrument of the tariff calendar": sorted({row.instrument for row in rows}),
        "the id of a row of it": [row.id for row in rows if row.id],
    }
    duties = [duty for names in kinds.values() for duty in names]
    in_words = [duty for duty in duties if duty not in {row.id for row in rows}]
    for name, policy in scenario.policies.items():
        refunds, at = getattr(policy, "refunds", ()), ("policies", name, "refunds")
        for index, hint in _unknown_names(refunds, duties, tables):
            of = refunds[index]
            message = "names neither a duty of this scenario nor one of the tariff calendar"
            for names in (duties, in_words):
                hint = hint or name_hint("duty", of, map(in_quotes, names))
            yield problem_at(tree, (*at, index), message, hint)
        for index, of in enumerate(refunds):
            same = [kind for kind, names in kinds.items() if one_name(of) in map(one_name, names)]
            if len(same) > 1:
                message = f"is the name of more than one duty: {' and '.join(same)}"
                yield problem_at(tree, (*at, index), message, "give each a name of its own")
        since = getattr(policy, "paid_since", None)
        if since is not None and policy.is_dated and since >= policy.first_month:
            given = f"{format_month(since)}, first month {format_month(policy.first_month)}"
            message = "must be before the refund's first month"
            yield problem_at(tree, ("policies", name, "paid_since"), message, given=given)


def is_given(node: Node | None) -> bool:
    """Whether there is a value, good or bad."""
    return node is not None and (node.value is not None or node.is_bad)


def _tables(scenario: Scenario) -> tuple[Tables, tuple[Problem, ...]]:
    try:
        return scenario.tables(), ()
    except DataError as error:
        return load_tables(), error.problems


def _placed(problem: Problem, scenario: Scenario, tree: Node) -> Problem:
    """A problem of the tables at its place in the scenario, if it comes from there."""
    for table, path in scenario.data_files.items():
        if problem.file == str(path) and not problem.line and not problem.key:
            return problem_at(tree, ("data", table), problem.message, problem.hint)
        if problem.file == str(path) and scenario._folder and path.is_relative_to(scenario._folder):
            return replace(problem, file=path.relative_to(scenario._folder).as_posix())
    if not problem.key.startswith(("figures.", "data.")):
        return problem
    found = problem_at(tree, tuple(problem.key.split(".")), problem.message, problem.hint)
    return replace(found, given=found.given or problem.given)


def _ranges(scenario: Scenario, tree: Node) -> Iterator[Problem]:
    run, agents = scenario.run, scenario.agents
    if run.start > run.end:
        given = f"{format_month(run.start)} to {format_month(run.end)}"
        yield problem_at(tree, ("run", "end"), "must not be before run.start", given=given)
    if agents.importers_min > agents.importers_max:
        given = f"{agents.importers_min} and {agents.importers_max}"
        at = ("agents", "importers_max")
        yield problem_at(tree, at, "must be at least agents.importers_min", given=given)
    if scenario.supply.discount_cost_share + scenario.supply.discount_subsidy_share > 1:
        at = ("supply", "discount_subsidy_share")
        yield problem_at(tree, at, "must not exceed 1 together with discount_cost_share")


def _paths(scenario: Scenario, tree: Node) -> Iterator[Problem]:
    for key, parameter in catalogue.blocks().items():
        if parameter.is_path:
            block, field = key.split(".")
            path = getattr(getattr(scenario, block), field)
            yield from _within(path, parameter, (block, field), tree)
    for name, policy in scenario.policies.items():
        for field, parameter in catalogue.of_policy(policy).items():
            if parameter.is_path:
                at = ("policies", name, field)
                yield from _within(getattr(policy, field), parameter, at, tree)


def _within(path: TimePath, parameter: Parameter, at: Keys, tree: Node) -> Iterator[Problem]:
    """Every value of a dated path is held to the bounds of its field."""
    wrong = [i for i, value in enumerate(path.values) if not parameter.holds(value)]
    dates = _dates_written(node_at(tree, at)) if wrong and path.months else {}
    for index in wrong:
        message, hint = out_of_range(parameter, path.values[index])
        date = dates.get(path.months[index]) if dates else None
        yield problem_at(tree, (*at, date) if date else at, message, hint)


def _dates_written(node: Node | None) -> dict[float, str]:
    """The dates of a path as the file writes them, by month."""
    found: dict[float, str] = {}
    for key in node.items if node else ():
        with suppress(ValueError):  # reported already
            found[parse_moment(key)] = key
    return found


def _dates(policy: Instrument, at: Keys, tree: Node) -> Iterator[Problem]:
    field = policy.path_field
    if policy.start is None and is_given(node_at(tree, [*map(str, at), "when"])):
        return  # dated by its condition
    if not policy.is_dated:
        hint = f"give `start`, or dates in `{field}`: {{2026-01: {policy.path.values[0]:g}}}"
        yield problem_at(tree, at, "has no first date", hint, given="")
        return
    first, ends = f"first in force {format_moment(policy.starts)}", policy.ends
    if policy.end is not None and ends is not None and ends <= policy.starts:
        given = f"{format_moment(policy.end, last=True)}, {first}"
        yield problem_at(tree, (*at, "end"), "must not be before the start", given=given)
    if policy.announced is not None and policy.announced > policy.starts:
        given = f"{format_moment(policy.announced)}, {first}"
        yield problem_at(tree, (*at, "announced"), "must not be after the start", given=given)
    if policy.withdrawn is not None and policy.withdrawn > policy.starts and policy.enacted:
        given = f"{format_moment(policy.withdrawn)}, {first}"
        message = "must not be after the start: what is in force has an `end`"
        yield problem_at(tree, (*at, "withdrawn"), message, given=given)
    if policy.withdrawn is not None and policy.withdrawn < (policy.announced or 0):
        given = (
            f"{format_moment(policy.withdrawn)}, announced {format_moment(policy.announced or 0)}"
        )
        yield problem_at(
            tree, (*at, "withdrawn"), "must not be before it is announced", given=given
        )
    yield from _joins(policy, at, tree)


DATES = ("start", "end", "when", "joins", "first_day", "days")
"""Fields that date a measure."""


def _threat(policy: Instrument, at: Keys, tree: Node) -> Iterator[Problem]:
    """What is only threatened has no dates but those of the threat."""
    if policy.enacted:
        return
    fields = [field for field in DATES if getattr(policy, field, None) not in (None, {})]
    for field in (*fields, *([policy.path_field] if policy.path.months else [])):
        message = "has a date although the policy is a threat (`enacted` is false)"
        hint = "give a number without dates" if field == policy.path_field else "leave it out"
        yield problem_at(tree, (*at, field), message, hint, given="")
    if policy.announced is None:
        hint = "give the month from which agents expect it: `announced`"
        yield problem_at(tree, (*at, "enacted"), "is a threat that nobody knows of", hint, given="")


def _joins(policy: Instrument, at: Keys, tree: Node) -> Iterator[Problem]:
    """Markets that join are among the markets, and join while the measure is in force."""
    first, last = policy.first_month, policy.last_month
    for market, month in policy.joins.items():
        where: Keys = (*at, "joins", market)
        given = f"{format_month(month)}, first month {format_month(first)}"
        if market not in policy.markets:
            hint = nearest(market, policy.markets)
            yield problem_at(tree, where, "is not among the markets of the policy", hint)
        elif month < first:
            yield problem_at(tree, where, "must not be before the start", given=given)
        elif last is not None and month > last:
            given = f"{format_month(month)}, last month {format_month(last)}"
            yield problem_at(tree, where, "must not be after the end", given=given)


def _codes(policy: Instrument, at: Keys, tables: Tables, tree: Node) -> Iterator[Problem]:
    for field, parameter in catalogue.of_instrument(policy.kind).items():
        codes = getattr(policy, field) if parameter.table else None
        if codes is None:
            continue
        if not codes and parameter.default != ():
            hint = "name at least one, or leave it out"
            yield problem_at(tree, (*at, field), "is empty", hint, given="")
        yield from unknown_codes(codes, getattr(tables, parameter.table), tree, (*at, field))


def _sources(scenario: Scenario, tree: Node) -> Iterator[Problem]:
    """A source may name the keys of the values that it supports; they must exist."""
    known = {*catalogue.blocks()}
    for name, source in scenario.sources.items():
        for index, key in enumerate(source.keys):
            if key not in known and not is_given(node_at(tree, key.split("."))):
                at: Keys = ("sources", name, "keys", index)
                hint = name_hint("key", key, known)
                yield problem_at(tree, at, "is not a key of this scenario", hint)


def _experiment(scenario: Scenario, tree: Node) -> Iterator[Problem]:
    """What an experiment varies must be there, and be varied within its bounds."""
    for key, given in scenario.experiment.vary.items():
        try:
            factor_of(key, given, scenario)
        except Unfit as unfit:
            yield problem_at(tree, ("experiment", "vary", key), str(unfit), unfit.hint)


def blame(scenario: Scenario, keys: Sequence[str], message: str, hint: str) -> Problem:
    """A problem of several values together, at the one that was changed most often.

    That is the one that a file sets over the value of another, or over a default.
    """
    key = max(keys, key=lambda key: len(scenario.trail(key)))
    given = scenario.model_dump(mode="json", exclude_unset=True)
    tree = scenario._tree or node_of(given, Position(scenario.name))
    return problem_at(tree, tuple(key.split(".")), message, hint)


def rates_above_one(scenario: Scenario) -> Iterator[str]:
    """One sentence for each rate of more than 100 %, which is mostly per cent written as such."""
    for name, policy in scenario.policies.items():
        parameter = catalogue.of_policy(policy)[policy.path_field]
        highest = max(policy.path.values)
        if parameter.unit.startswith("fraction") and highest > 1:
            yield f"{scenario.name}: policies.{name}.{policy.path_field} {_in_per_cent(highest)}"
    if "tariff_calendar" in scenario.data_files:
        usual = {(row.instrument, row.rate) for row in load_tables().calendar}
        rows = (r for r in scenario.tables().calendar if (r.instrument, r.rate) not in usual)
        found = {
            (row.instrument, row.date or row.announced): row.rate
            for row in rows
            if (row.rate or 0) > 1
        }
        for (instrument, date), rate in found.items():
            file, where = scenario.data["tariff_calendar"], f"{instrument} from {date}"
            yield f"{scenario.name}: {file}: rate of {where} {_in_per_cent(rate or 0.0)}"


def _in_per_cent(rate: float) -> str:
    return f"is {rate:g}, that is {100 * rate:.6g} %: {rate / 100:.6g} is {rate:g} %"


def remarks(scenario: Scenario) -> Iterator[str]:
    """A sentence for rates above 100 %, dates that disagree or lie outside of the run."""
    yield from rates_above_one(scenario)
    yield from _unusual_data(scenario)
    start, end = scenario.run.start, scenario.run.end
    dated = scenario.dated_policies
    for name in scenario.policies:
        lead = f"{scenario.name}: policies.{name}"
        if name not in dated:
            yield f"{lead} does nothing: its condition is never met"
            continue
        policy = dated[name]
        first = policy.first_month
        doubted = doubted_policy(policy)
        if reason := never_expected(doubted, scenario):
            yield f"{lead} does nothing: {reason}"
            continue
        if reason := idle_belief(doubted, scenario):
            yield f"{lead}.belief has no effect: {reason}"
        yield from (f"{lead}{words}" for words in _steps_never_taken(policy))
        if policy.end is not None and policy.ends is not None and policy.ends <= start:
            when, run = format_moment(policy.end, last=True), format_month(start)
            yield f"{lead} does nothing: it ends in {when}, before the run starts in {run}"
        elif first > end:
            does = "does nothing" if policy.known_from > end else "is only expected"
            when, run = format_month(first), format_month(end)
            yield f"{lead} {does}: it starts in {when}, after the run ends in {run}"
        for market, month in policy.joins.items():
            if first <= end < month:
                when, run = format_month(month), format_month(end)
                told = f"it joins in {when}, after the run ends in {run}"
                yield f"{lead} is only expected in {market}: {told}"
        since = getattr(policy, "paid_since", None)
        if since is not None and since < start:
            run = format_month(start)
            yield f"{lead} pays back no duty from before the run starts in {run}: it is not known"
    if scenario.trade.expected_persistence < 1 and scenario.sourcing.foresight == "none":
        yield (
            f"{scenario.name}: trade.expected_persistence has no effect: with sourcing.foresight "
            "none agents take duties for lasting"
        )
    yield from start_after_base_year(scenario)


def doubted_policy(policy: Instrument) -> Doubted:
    """What agents may know of a policy."""
    gone = None if policy.withdrawn is None else int(policy.withdrawn)
    return Doubted(policy.known_from, policy.first_month, gone, policy.belief, policy.enacted)


def _unusual_data(scenario: Scenario) -> Iterator[str]:
    """Own amounts far from those shipped, and imports on which no duty was collected."""
    for words in unusual_figures(scenario.figures, vars(load_tables())):
        yield f"{scenario.name}: {words}"
    imports = scenario.tables().imports if "us_imports_2024" in scenario.data_files else ()
    if imports and not any(row.calculated_duty_usd for row in imports):
        file = scenario.data["us_imports_2024"]
        yield f"{scenario.name}: {file}: no duty was collected on any good: base duties are 0"


def _steps_never_taken(policy: Instrument) -> Iterator[str]:
    """Dates of a path that lie outside of the months in force."""
    months, field = policy.path.months, policy.path_field
    if not months:
        return
    if policy.start is not None and policy.start < months[0]:
        yield (
            f".start ({format_moment(policy.start)}) is before the first date of `{field}`: the "
            f"policy is neutral until {format_moment(months[0])}"
        )
    late = [m for m in months if policy.ends is not None and m >= policy.ends]
    if late:
        dates = ", ".join(map(format_moment, late))
        yield f".{field} has steps that never come ({dates}): the policy ends before"
    early = [m for m in months[1:] if policy.start is not None and m <= policy.start]
    if early:
        yield (
            f".{field} has steps that never come (before {format_moment(early[-1])}): the policy "
            "starts after"
        )


BASE_YEAR = 2024
"""Year of the data: trade, shares and duties before the first month are those of this year."""


def start_after_base_year(scenario: Scenario) -> Iterator[str]:
    """A sentence for a run that starts later than the month after the base year.

    Runs that start before it take the base year for an earlier one on purpose: they are hindcasts.
    """
    first = parse_month(f"{BASE_YEAR + 1}-01")
    if scenario.run.start > first:
        start, before = (format_month(scenario.run.start - n) for n in (0, 1))
        yield (
            f"{scenario.name}: run.start {start} takes the world of {BASE_YEAR}, the year of the "
            f"data, for that of {before}: what growth and duties do between {format_month(first)} "
            f"and {before} is left out; to have it, start in {format_month(first)} and read the "
            f"months from {start}"
        )
