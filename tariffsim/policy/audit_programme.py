"""More audits of importers, better ones, and higher penalties."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, DEVICE_SCOPE
from tariffsim.policy.time_path import TimePath


class AuditProgramme(Instrument):
    """Audits on top of those of `compliance`; detection and penalty count where they are higher."""

    path_field = "audits"
    without = (*DEVICE_SCOPE, *ASSEMBLY_SCOPE)
    path_bounds = (0.0, 12.0)

    kind: Literal["audit_programme"]
    audits: TimePath = Field(
        description="Audits of an importer a year, added to those there are.",
        json_schema_extra={"unit": "per year", "ge": 0, "le": 12},
    )
    detection: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Part of all audits that find what was hidden, if that is more than before.",
        json_schema_extra={"unit": "fraction"},
    )
    penalty_multiple: float = Field(
        default=0.0,
        ge=0,
        le=1000,
        description="Penalty over the duty evaded, if that is more than before.",
        json_schema_extra={"unit": "ratio"},
    )

    def enforcement(self, rate: float) -> tuple[float, float, float]:
        """Audits, and the programme's detection and penalty while it has any audits."""
        return (rate, self.detection, self.penalty_multiple) if rate else (0.0, 0.0, 0.0)
