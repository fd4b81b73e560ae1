"""Random draws keyed by (seed, stream, month), made for all agents whatever the policy.

Two scenarios with one seed therefore differ only where policy matters (common random numbers,
MODEL 7).
"""

from __future__ import annotations

import zlib

import numpy as np

from tariffsim.typing import Float, Float32


class Draws:
    """Streams of one seed. Same key, same numbers: on every machine, in every order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def _generator(self, stream: str, month: int) -> np.random.Generator:
        key = np.random.SeedSequence((self.seed, zlib.crc32(stream.encode()), month + 1))
        return np.random.Generator(np.random.SFC64(key))

    def uniform(self, stream: str, month: int, *shape: int) -> Float:
        """Uniform on [0, 1)."""
        return self._generator(stream, month).random(shape)

    def exponential(self, stream: str, month: int, *shape: int) -> Float:
        """Unit exponential; `-ln` of it is Gumbel noise."""
        return self._generator(stream, month).standard_exponential(shape)

    def exponential_float32(self, stream: str, month: int, *shape: int) -> Float32:
        """Unit exponentials drawn in single precision."""
        return self._generator(stream, month).standard_exponential(shape, dtype=np.float32)
