"""Retaliation: China, unless the file says otherwise, taxes chips made in the United States."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.bare_chip_tariff import BareChipTariff
from tariffsim.policy.fields import CodeList, Scope, codes_field


class RetaliatoryTariff(BareChipTariff):
    """A tariff on unmounted chips with the defaults of retaliation; dated, or with a condition.

    It falls on chips, since the data have no devices assembled in the United States for export.
    """

    kind: Literal["retaliatory_tariff"]  # type: ignore[assignment]  # narrower on purpose
    markets: CodeList = codes_field(
        "Markets that levy it; a coalition is a list.", "markets", ("CN",)
    )
    chip_regions: Scope = codes_field(
        "Regions of fabrication covered; `all` for all of them.", "foundry_regions", ("US",)
    )
