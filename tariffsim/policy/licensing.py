"""Licences on exports of chips, granted slowly: deliveries fall to the share approved."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.restriction import Restriction


class Licensing(Restriction):
    """Deliveries to lines in its scope need a licence, and only a part of them gets one.

    The share denied may change over time, and stays at its last value.
    """

    kind: Literal["licensing"]
