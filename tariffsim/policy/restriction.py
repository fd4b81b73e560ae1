"""Measures that deny chips of some origins."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BeforeValidator, WithJsonSchema

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import OF_DUTIES, CodeList, Scope, codes_field, parameter, rate_field
from tariffsim.policy.time_path import TimePath

Rule = Literal["fab", "packaging", "owner"]


class Restriction(Instrument):
    """Denies chips of some regions to lines in its scope, wholly or in part."""

    path_field: ClassVar[str] = "denied"
    without: ClassVar[tuple[str, ...]] = OF_DUTIES
    restricts_supply: ClassVar[bool] = True

    denied: TimePath = rate_field(
        "Share of deliveries denied: one less the share of licences approved; 1 is a ban.", most=1
    )
    markets: CodeList = codes_field(
        "Markets whose products go without, as far as their assembly is in scope.",
        "markets",
        ("US",),
    )
    chip_regions: Scope = codes_field(
        "Regions whose chips are denied; `all` for all of them.", "foundry_regions", ("CN",)
    )
    node_classes: Scope = codes_field("Node classes denied; all if left out.", "node_classes")

    @property
    def origin_rules(self) -> tuple[str, ...]:
        """What makes a chip one of those regions: `fab`, `packaging`, `owner`; all must hold."""
        return ("fab",)

    @property
    def share_of_chips(self) -> float:
        """Share of the chips of those regions that it finds, by part of a product."""
        return 1.0

    def supply_share(self, rate: float, month: int) -> float:
        """The share of licences approved."""
        return 1.0 - rate

    def candidate_share(self, rate: float) -> float:
        """The same: a supplier that is cut off is no candidate."""
        return 1.0 - rate


def _rules(given: Any) -> Any:
    rules = (given,) if isinstance(given, str) else given
    rules = tuple(rules) if isinstance(rules, list) else rules
    names = [rule for rule in rules if isinstance(rule, str)] if isinstance(rules, tuple) else []
    is_wrong = isinstance(given, str) and given not in get_args(Rule)
    if rules == () or is_wrong or len(set(names)) < len(names):
        raise ValueError("must be one of fab, packaging, owner, or several without repetition")
    return rules


_NAMES = {"enum": [*get_args(Rule)]}
Rules = Annotated[
    tuple[Rule, ...],
    BeforeValidator(_rules),
    WithJsonSchema(
        {"anyOf": [_NAMES, {"type": "array", "items": _NAMES, "minItems": 1, "uniqueItems": True}]}
    ),
]


class RestrictionByOrigin(Restriction):
    """A restriction that says what makes a chip one of its regions, and how many it finds."""

    by: Rules = parameter(
        ("fab",), "choice", "What makes a chip one of these regions: the place of its `fab`, that "
        "of its `packaging`, or its `owner`; of several all must hold.",
    )  # fmt: skip
    share: float = parameter(
        1.0, "fraction", "Share of these chips that it finds, drawn by part of a product.",
        ge=0, le=1,
    )  # fmt: skip

    @property
    def origin_rules(self) -> tuple[str, ...]:
        """As given."""
        return self.by

    @property
    def share_of_chips(self) -> float:
        """As given."""
        return self.share
