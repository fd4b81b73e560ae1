"""Units that the tables imply, beside those that are published."""

from __future__ import annotations

import pandas as pd

from tariffsim.tables import History, Tables


def units_of_devices(tables: Tables, history: History) -> pd.DataFrame:
    """By device group, millions of units a year that the US buys.

    `imported` are imports over the value of a unit, `implied` adds what is assembled at home;
    `published` lies from `low` to `high`, and `ratio` is implied over published; all three are
    NaN where nobody publishes any. `designs` is how many designs all markets together buy at
    the volume of one (`design_units_month`). `period` is the year that is published.
    """
    devices = tables.devices
    value = dict.fromkeys(devices.codes, 0.0)
    for row in tables.imports:
        if row.device in value:
            value[row.device] += row.customs_value_usd

    def figures(parameter: str) -> pd.Series:
        return pd.Series(devices.numbers(parameter), index=devices.codes)

    imported = pd.Series(value) / figures("unit_value_usd") / 1e6
    implied = imported / (1 - figures("us_home_assembly_share"))
    world = implied * sum(tables.markets.numbers("size_relative_to_us"))
    published = history.units_sold.set_index("device").reindex(devices.codes)
    return pd.DataFrame(
        {
            "imported": imported,
            "implied": implied,
            "published": published["units_m"],
            "low": published["low"],
            "high": published["high"],
            "ratio": implied / published["units_m"],
            "designs": 1e6 * world / (12 * figures("design_units_month")),
            "period": published["period"],
            "note": published["note"],
        }
    )
