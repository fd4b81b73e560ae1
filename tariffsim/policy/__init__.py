"""Policy instruments. A file here that defines an `Instrument` is found by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import get_args

from tariffsim.policy.base import Instrument
from tariffsim.policy.strength import PartOfMonths, Strength, part_of, weighted


def _found() -> Iterator[type[Instrument]]:
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        for thing in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            is_instrument = isinstance(thing, type) and issubclass(thing, Instrument)
            if is_instrument and thing.__module__.endswith(module.name) and kind_of(thing):
                yield thing


def kind_of(instrument: type[Instrument]) -> tuple[str, ...]:
    """The literal that an instrument is named by in files; none for what is only built upon."""
    return get_args(instrument.model_fields["kind"].annotation)


INSTRUMENTS: dict[str, type[Instrument]] = {
    kind_of(instrument)[0]: instrument for instrument in _found()
}

__all__ = ["INSTRUMENTS", "Instrument", "PartOfMonths", "Strength", "part_of", "weighted"]
