"""What every policy instrument has: dates, scope, and a short fixed list of effects.

An instrument says what its base is (`duty` of shipments, points on a path, a factor); dates,
scope, foresight and stacking are the same for all and are handled around it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr

from tariffsim.policy.fields import (
    FORM,
    Code,
    CodeList,
    Condition,
    LongCode,
    LongCodes,
    Scope,
    codes_field,
    parameter,
)
from tariffsim.policy.strength import Chance, PartOfMonths, Strength, chance_in, chance_of, weighted
from tariffsim.policy.time_path import EndMoment, Joins, Moment, TimePath
from tariffsim.typing import Float, part_of_month

if TYPE_CHECKING:
    from tariffsim.policy.shipments import Built, Shipments

Rule = Literal["exempt", "deemed_share", "full_content", "full_value"]


class Instrument(BaseModel):
    """Base of all instruments: neutral outside its dates and its scope."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )

    path_field: ClassVar[str] = "rate"
    """Name of the dated field that says how strong the measure is; zero is neutral."""
    without: ClassVar[tuple[str, ...]] = ()
    """Fields of the scope without a meaning here; a file that sets one is refused."""
    taxes_bare_chips: ClassVar[bool] = False
    """Whether `duty` is asked about unmounted chips, not about products."""
    taxes_content: ClassVar[bool] = False
    """Whether `duty` is on the chips inside products alone."""
    restricts_supply: ClassVar[bool] = False
    """Whether `supply_share` and `candidate_share` are asked about deliveries of chips."""
    meets_home_assembly: ClassVar[bool] = False
    """Whether its markets cover what is assembled there, besides what is sold there."""

    kind: str
    announced: Moment | None = parameter(
        None, "month or day", "Month from which agents expect it; the start if left out."
    )
    start: Moment | None = parameter(
        None, "month or day", "First month or day in force; the first date of the path if left out."
    )
    end: EndMoment | None = parameter(
        None, "month or day", "Last month or day in force; open if left out."
    )
    withdrawn: Moment | None = parameter(
        None, "month or day", "Month from which agents no longer expect it, not after the start: "
        "what is withdrawn never comes into force.",
    )  # fmt: skip
    belief: float = parameter(
        1.0, "fraction", "Probability that agents give to it until it is in force: they expect "
        "its strength times this.", ge=0, le=1,
    )  # fmt: skip
    enacted: bool = parameter(
        True, "yes or no", "Whether it comes into force; a threat does not, has no dates, and is "
        "expected at its belief on every later date while it is announced and not withdrawn.",
    )  # fmt: skip
    when: Condition | None = parameter(
        None,
        "condition",
        "Condition in place of a first date, on another policy by name or kind: "
        f"`{FORM}`. It holds until that policy lapses.",
    )
    end_known: bool = parameter(
        True, "yes or no", "Whether agents know the end in advance; else they expect it to stay."
    )
    markets: CodeList = codes_field(
        "Markets that levy it; a coalition is a list.", "markets", ("US",)
    )
    joins: Joins = parameter(
        {}, "month by market", "Markets that join later than the start, each with its first "
        "month; the others levy it from the start.",
    )  # fmt: skip
    devices: Scope = codes_field("Device groups it covers; all if left out.", "devices")
    assembly_countries: Scope = codes_field(
        "Countries of assembly it covers; all if left out.", "origins"
    )
    exempt_devices: CodeList = codes_field("Device groups left out.", "devices", ())
    exempt_assembly_countries: CodeList = codes_field(
        "Countries of assembly left out.", "origins", ()
    )
    coverage: float = parameter(
        1.0, "fraction", "Share of the trade in its scope to which it applies, where lists cut "
        "across device groups or some goods are excluded.", ge=0, le=1,
    )  # fmt: skip
    stacking_group: LongCode | None = parameter(
        None, "name", "Of the duties in one group only the highest is due on a product; all add up "
        "if left out. An instrument of the tariff calendar, by its name, is a group of its rows.",
    )  # fmt: skip
    replaces: LongCodes = parameter(
        (), "names", "Instruments of the tariff calendar, or ids of rows, that are not levied "
        "while this is in force, as far as its markets, devices and countries go.",
    )  # fmt: skip
    source: Code | None = parameter(None, "key", "Key of the source of these figures.")
    _part: PartOfMonths | None = PrivateAttr(None)
    _chance: Chance | None = PrivateAttr(None)

    def in_part(self, part: PartOfMonths) -> Self:
        """The measure in one part of each month, at zero in the rest of it."""
        copy = self.model_copy()
        copy._part = part
        return copy

    def with_chance(self, chance: Chance) -> Self:
        """The measure with what agents give for it, whatever its own dates and belief say."""
        copy = self.model_copy()
        copy._chance = chance
        return copy

    @property
    def part_number(self) -> int:
        """Number of the part of each month in which it is looked at; 0 for whole months."""
        return 0 if self._part is None else self._part.number

    def _looked_at(self, month: int) -> tuple[float, float]:
        """The moments of a month between which it is looked at."""
        return (month, month + 1) if self._part is None else self._part.within(month)

    @property
    def path(self) -> TimePath:
        """How strong the measure is over time."""
        path: TimePath = getattr(self, self.path_field)
        return path

    @classmethod
    def bounds(cls) -> tuple[float, float, str]:
        """Least and most that the path may be, and its unit."""
        extra: Any = cls.model_fields[cls.path_field].json_schema_extra
        return extra["ge"], extra["le"], extra["unit"]

    @property
    def limits(self) -> tuple[float, float, str]:
        """The same, where they depend on another field."""
        return self.bounds()

    @property
    def is_dated(self) -> bool:
        """Whether there is a first date; a threat needs none."""
        return not (self.enacted and self.start is None and self.path.first_moment is None)

    @property
    def starts(self) -> float:
        """Moment from which it is in force, a threat from which it is one; the scenario checks."""
        if not self.enacted:
            return self.announced or 0
        start = self.start if self.start is not None else self.path.first_moment
        return start if start is not None else 0

    @property
    def ends(self) -> float | None:
        """Moment at which it is over; None if it is open."""
        return self.end + 1 if self.end is not None and self.end == int(self.end) else self.end

    @property
    def first_month(self) -> int:
        """First month in force (month count), whole or in part."""
        return int(self.starts)

    @property
    def last_month(self) -> int | None:
        """Last month in force, whole or in part; None if it is open."""
        return None if self.ends is None else math.ceil(self.ends) - 1

    @property
    def known_from(self) -> int:
        """Month from which agents count with the measure."""
        return self.first_month if self.announced is None else int(self.announced)

    @property
    def is_law(self) -> bool:
        """Whether it comes into force at all: it is no threat, and is not withdrawn."""
        return self.enacted and self.withdrawn is None

    @property
    def is_certain(self) -> bool:
        """Whether agents count it in full as soon as they know it."""
        return self._chance is None and self.belief == 1.0 and self.is_law

    @property
    def chance(self) -> Chance:
        """Probability that agents give to it, by month."""
        if self._chance is not None:
            return self._chance
        starts = self.first_month if self.enacted else None
        return chance_of(self.known_from, self.belief, starts, self.withdrawn)

    def chance_in(self, now: int) -> float:
        """The probability in a month: none before it is announced."""
        if self.is_certain:
            return float(now >= self.known_from)
        return chance_in(self.chance, now)

    def is_news_in(self, month: int) -> bool:
        """Whether agents believe it more or less than in the month before."""
        return self.chance_in(month) != self.chance_in(month - 1)

    def by_entry(self) -> list[Self]:
        """The measure as its markets enter it: those from the start on, then those that join."""
        entry = {market: self.joins.get(market, self.starts) for market in self.markets}
        if not self.joins:
            return [self]
        return [
            self.model_copy(
                update={
                    "markets": tuple(m for m, month in entry.items() if month == first),
                    "start": first, "announced": self.known_from, "joins": {},
                }
            )
            for first in sorted(set(entry.values()))
        ]  # fmt: skip

    @property
    def names_others(self) -> tuple[str, ...]:
        """Policies that it names and needs, besides that of its condition."""
        return ()

    @property
    def tax_base(self) -> tuple[object, ...]:
        """What the duty is on: of several in a stacking group the highest is due by product."""
        return (self.kind,)

    def rate_in_force(self, month: int) -> Strength:
        """Strength in a month, by the days in force: zero before the first date of the path too."""
        return self._rate_by_law(month) if self.is_law else Strength(0.0)

    def _rate_by_law(self, month: int) -> Strength:
        """The same of what may never be law, as if it were."""
        begins, ends = self._looked_at(month)
        begins = max(begins, self.starts, self.path.first_moment or 0)
        ends = ends if self.ends is None else min(ends, self.ends)
        if begins >= ends:
            return Strength(0.0)
        part = part_of_month(month, begins, ends)
        return Strength(self.path.over(begins, ends) * part, part)

    def changes_in(self, month: int) -> bool:
        """Whether its strength in a month is not that of the month before."""
        return self.rate_in_force(month) != self.rate_in_force(month - 1)

    def rate_expected(
        self, month: int, now: int, foresight: str, knows_end: bool | None = None
    ) -> float:
        """Strength that agents expect in `now` for a later month, times its probability.

        Who does not know the end (`end_known` unless told) expects it to stay as it is at the end.
        """
        if foresight == "none":
            return self.rate_in_force(now)
        chance = self.chance_in(now)
        return weighted(self.rate_if_enacted(month, now, knows_end), chance) if chance else 0.0

    def rate_if_enacted(self, month: int, now: int, knows_end: bool | None = None) -> Strength:
        """The strength that agents who know of it expect if it comes into force."""
        knows_end = self.end_known if knows_end is None else knows_end
        last = self.last_month
        whole = self if self._part is None else self.in_part(PartOfMonths({}, 0))
        if knows_end or last is None or not now <= last <= month or not whole._rate_by_law(last):
            return self._rate_by_law(month)
        stays = self.path.over(max(last, self.starts), self.ends or last + 1)
        part = part_of_month(month, *self._looked_at(month))
        return Strength(stays * part, part)

    @property
    def replaced(self) -> tuple[str, ...] | None:
        """Instruments of the tariff calendar, or ids of rows, that it replaces; None for all."""
        return self.replaces

    def replaced_share(self, rate: float) -> float:
        """Share of them that is not levied while it is in force, even at a rate of zero."""
        return self.coverage

    # Effects. Each has a neutral element; an instrument overrides the ones it has.

    def chosen(self, field: str, codes: tuple[str, ...]) -> Float:
        """One for each code that a field of codes names (all without the field), zero else."""
        from tariffsim.policy.shipments import mask

        return mask(codes, getattr(self, field, None))

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """USD a unit due on shipments in scope, before any trigger; neutral element 0, summed."""
        return 0.0 * shipments.customs_value

    @property
    def has_memory(self) -> bool:
        """Whether its rate depends on imports or on capacity built: see `counted`, `relief`."""
        return False

    def counted(self, shipments: Shipments) -> Float:
        """What each unit counts towards the imports of the year; asked of those with memory."""
        return 0.0 * shipments.customs_value

    @property
    def counted_unit(self) -> str:
        """Unit of what is counted."""
        return ""

    def rate_given(self, rate: float, imports_to_date: float, imports: float) -> float:
        """Mean strength over `imports` more, with so much imported since January.

        Whatever the months are like, their mean must be that of the year as a whole (from 0).
        """
        return rate

    def relief(self, rate: float, imports: float, built: Built) -> float:
        """Share of the duty waived for what was built in its market; neutral element 0.

        `rate` is the statutory rate of the month, `imports` the mean a month of what counts.
        """
        return 0.0

    def expected_relief(self, rate: float, imports: float, built: Built) -> float:
        """The share that agents expect in a year: what is charged if nothing changes."""
        return self.relief(rate, imports, built)

    @property
    def depends_on_chip_origin(self) -> bool:
        """Whether the origin of the chips inside decides what is due, or what may be delivered."""
        regions = [getattr(self, name, None) for name in ("chip_regions", "only_with_chips_from")]
        return any(named is not None for named in regions) and not self.taxes_bare_chips

    @property
    def is_separable(self) -> bool:
        """Whether the duty is a sum over chip slots, with no trigger on the whole product."""
        return True

    def is_triggered(self, shipments: Shipments) -> Any:
        """Whether the duty is due at all (rows of booleans); True unless there is a trigger."""
        return True

    def covers(self, shipments: Shipments) -> Any:
        """Which chips can pull the trigger (parts of the shipments, booleans)."""
        return False

    @property
    def declares(self) -> str:
        """What importers declare for it, perhaps falsely: `origin`, `content`, or nothing.

        A duty for which they declare nothing is paid by all.
        """
        return ""

    @property
    def depends_on_knowledge(self) -> bool:
        """Whether what is due depends on the importer's knowing the origin of its chips."""
        return self.declares == "content"

    def part_duties(self, shipments: Shipments, rate: float) -> Float:
        """USD a unit by part that is declared by itself, summing to `duty`; one part if whole."""
        return self.duty(shipments, rate)[..., None]

    def part_values(self, shipments: Shipments) -> Float:
        """USD a unit of each part: the value that a false declaration conceals."""
        return shipments.customs_value[..., None]

    def unknown_duty(self, shipments: Shipments, rate: float) -> Float:
        """USD a unit where the origin of chips is not known, before any trigger."""
        return self.duty(shipments, rate)

    def is_triggered_unknown(self, shipments: Shipments) -> Any:
        """Whether a duty is due at all where the origin of chips is not known."""
        return self.is_triggered(shipments)

    def tracing_share(self, rate: float) -> float:
        """Share of imports whose importers must trace their chips; neutral element 0, highest."""
        return 0.0

    def enforcement(self, rate: float) -> tuple[float, float, float]:
        """Audits a year (summed), detection and penalty multiple (highest); neutral elements 0."""
        return 0.0, 0.0, 0.0

    def price_discount(self, rate: float) -> float:
        """Added to China's price discount, a fraction; neutral element 0, summed."""
        return 0.0

    def capacity_share(self, rate: float) -> float:
        """Added to China's planned capacity share, a fraction; neutral element 0, summed."""
        return 0.0

    def share_made_up(self, rate: float) -> float:
        """The same where others make up for it, so that the world's plan stays."""
        return 0.0

    def capacity_loss(self, rate: float) -> float:
        """Share of the capacity of the regions and node classes it names that is lost.

        Neutral element 0; what several leave is multiplied.
        """
        return 0.0

    def counter_subsidy(self, rate: float) -> float:
        """Share of component duties that China rebates; neutral element 0, summed."""
        return 0.0

    def capacity_grant(self, rate: float) -> float:
        """USD a month awarded to foundries of the regions it names; neutral element 0, summed."""
        return 0.0

    def granted_investment(self, rate: float) -> float:
        """USD a month of capital cost of what those grants build; neutral element 0, summed."""
        return 0.0

    def investment_credit(self, rate: float) -> float:
        """Share of capital cost refunded in the regions it names; neutral element 0, summed."""
        return 0.0

    def refund(self, measure: str, paid: int, rate: float) -> float:
        """Share of the duty that a measure took in a month, paid back by now; neutral 0, highest.

        `measure` is the policy, instrument or row that its law is of, `paid` the month (month
        count).
        """
        return 0.0

    def demand_factors(self, rate: float) -> Mapping[str, float]:
        """Factors on `units` and on `chips` of the scope; neutral element 1, multiplied."""
        return {}

    def preference(self, rate: float) -> float:
        """Added to the utility of chips of the regions it names; neutral element 0, summed."""
        return 0.0

    @property
    def is_foreseen(self) -> bool:
        """Whether a choice depends on what it will be: on duties, audits, supply or origins."""
        own = type(self)
        asks = own.duty is not Instrument.duty or own.enforcement is not Instrument.enforcement
        return asks or self.restricts_supply or self.avoids_chips or self.depends_on_chip_origin

    @property
    def avoids_chips(self) -> bool:
        """Whether `avoided_share` is asked about suppliers of chips."""
        return type(self).avoided_share is not Instrument.avoided_share

    def avoided_share(self, rate: float) -> float:
        """Share of demand lost with chips of the regions it names; neutral element 0."""
        return 0.0

    def supply_share(self, rate: float, month: int) -> float:
        """Delivered share in a month; neutral element 1, multiplied."""
        return 1.0

    def candidate_share(self, rate: float) -> float:
        """Delivered share of a new supplier; as `supply_share`."""
        return 1.0


class DeclaredContent(Instrument):
    """A duty on what is inside, with a rule for importers who do not know its origin."""

    unknown_origin_rule: Rule = parameter(
        "full_content", "choice", "What is due if the importer does not know the origin of the "
        "chips: nothing, the duty on a stated share of them, on all of them (the burden of proof "
        "is the importer's), or on the whole product.",
    )  # fmt: skip
    deemed_share: float = parameter(
        0.3, "fraction", "Share of chips of unknown origin that counts as covered under "
        "`deemed_share`.", ge=0, le=1,
    )  # fmt: skip
    deemed_markup: float = parameter(
        0.1, "fraction", "Mark-up on that share, so that knowing pays.", 0, 0.3, ge=0, le=10
    )

    @property
    def declares(self) -> str:
        """The content."""
        return "content"

    @property
    def unknown_share(self) -> float:
        """Share of the content that counts as covered if the origin is not known."""
        deemed = min(1.0, self.deemed_share * (1 + self.deemed_markup))
        return {"exempt": 0.0, "deemed_share": deemed}.get(self.unknown_origin_rule, 1.0)

    @property
    def unknown_base(self) -> tuple[object, ...]:
        """What the duty is on if the origin is not known: the share, and whether of the content."""
        return self.unknown_share, self.unknown_origin_rule == "full_value"
