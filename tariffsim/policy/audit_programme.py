"""More audits of importers, better ones, and higher penalties."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, DEVICE_SCOPE, parameter, rate_field
from tariffsim.policy.time_path import TimePath


class AuditProgramme(Instrument):
    """Audits on top of those of `compliance`; detection and penalty count where they are higher."""

    path_field = "audits"
    without = (*DEVICE_SCOPE, *ASSEMBLY_SCOPE)

    kind: Literal["audit_programme"]
    audits: TimePath = rate_field(
        "Audits of an importer a year, added to the base rate.", most=12, unit="per year"
    )
    detection: float = parameter(
        0.0, "fraction", "Share of all audits that find evasion, if higher than before.", ge=0, le=1
    )
    penalty_multiple: float = parameter(
        0.0, "ratio", "Penalty over the duty evaded, if higher than before.", ge=0, le=1000
    )

    def enforcement(self, rate: float) -> tuple[float, float, float]:
        """Audits, and the programme's detection and penalty while it has any audits."""
        return (rate, self.detection, self.penalty_multiple) if rate else (0.0, 0.0, 0.0)
