"""What duties on the chips inside a product have in common: their origin must be declared."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import parameter

Rule = Literal["exempt", "deemed_share", "full_content", "full_value"]


class DeclaredContent(Instrument):
    """A duty on what is inside, with a rule for importers who do not know its origin."""

    unknown_origin_rule: Rule = parameter(
        "exempt", "choice", "What is due if the importer does not know the origin of the chips: "
        "nothing, the duty on a stated share of them, on all of them, or on the whole product.",
    )  # fmt: skip
    deemed_share: float = parameter(
        0.3, "fraction", "Share of chips of unknown origin that counts as covered under "
        "`deemed_share`.", ge=0, le=1,
    )  # fmt: skip

    @property
    def declares(self) -> str:
        """The content."""
        return "content"

    @property
    def unknown_share(self) -> float:
        """Share of the content that counts as covered if the origin is not known."""
        return {"exempt": 0.0, "deemed_share": self.deemed_share}.get(self.unknown_origin_rule, 1.0)
