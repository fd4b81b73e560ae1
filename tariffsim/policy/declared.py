"""What duties on the chips inside a product have in common: their origin must be declared."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tariffsim.policy.base import Instrument


class DeclaredContent(Instrument):
    """A duty on what is inside, with a rule for importers who cannot tell its origin."""

    unknown_origin_rule: Literal["exempt", "deemed_share", "full_content", "full_value"] = Field(
        default="exempt",
        description="What is due if the importer cannot tell the origin of the chips: nothing, the "
        "duty on a stated share of them, on all of them, or on the whole product.",
        json_schema_extra={"unit": "choice"},
    )
    deemed_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="Share of chips of unknown origin that counts as covered under `deemed_share`.",
        json_schema_extra={"unit": "fraction"},
    )

    @property
    def declares(self) -> str:
        """The content."""
        return "content"

    @property
    def unknown_share(self) -> float:
        """Share of the content that counts as covered where nobody knows."""
        return {"exempt": 0.0, "deemed_share": self.deemed_share}.get(self.unknown_origin_rule, 1.0)
