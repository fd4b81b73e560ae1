"""Where the chips of every part are packaged, and who owns their foundry (MODEL 4.4, 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.policy.restriction import Restriction
from tariffsim.scenario import Scenario
from tariffsim.state.chip_origins import ChipOrigins, regions_in_law
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.tables import Tables


def make_chip_origins(
    scenario: Scenario,
    tables: Tables,
    constants: Constants,
    schedule: TariffSchedule,
    n_lines: int,
    draws: Draws,
) -> ChipOrigins:
    """Origins in law of the chips of every (line, part), drawn where a law asks for them."""
    codes, rule = constants.codes, scenario.trade.origin_rule
    instruments = (law.instrument for law in schedule.laws)
    own = np.arange(len(codes.regions), dtype=np.int8)[None, None]
    shape = n_lines, len(constants.slot_class)
    limits = [i for i in instruments if isinstance(i, Restriction)]
    regions, hit = {"fab": own}, np.zeros((1, 1))
    if rule != "fab" or any(set(limit.origin_rules) != {"fab"} for limit in limits):
        uniforms = {name: draws.uniform(name, 0, *shape) for name in ("packaging", "owner")}
        rules = tables.origin_rules
        chinese = {
            name: np.array([rules.number(code, f"chinese_if_by_{name}") for code in codes.regions])
            for name in uniforms
        }
        if_owned = np.array(
            [
                rules.number(code, "chinese_packaging_if_chinese_owner", missing=share)
                for code, share in zip(codes.regions, chinese["packaging"].tolist(), strict=True)
            ]
        )
        regions |= regions_in_law(codes, chinese, if_owned, uniforms)
    if any(limit.share_of_chips < 1.0 for limit in limits):
        hit = draws.uniform("cut off", 0, *shape)
    of_duties = own
    if rule != "fab":
        is_chinese = regions[rule] == codes.regions.index("CN")
        of_duties = (own + len(codes.regions) * is_chinese).astype(np.int8)
    return ChipOrigins(codes, of_duties, regions, hit)
