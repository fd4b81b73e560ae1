"""Assembly against history: `python benchmarks/assembly_moments.py [SEEDS]`.

Prints each published outcome beside what the model gives at the central values, at the fast and
slow ends of the ranges, where nobody moves, and over parameters drawn together.
"""

from __future__ import annotations

import sys

import numpy as np

from tariffsim.experiments.assembly_moments import (
    CENTRAL,
    FAST,
    SLOW,
    STILL,
    Moving,
    assembly_moments,
    joint_draws,
)

PUBLISHED = {
    ("V5", 1): (-1.72, -2.22, -1.22), ("V5", 2): (-2.62, -3.12, -2.12),
    ("V5", 3): (-3.36, -3.86, -2.86), ("V6", 1): (-0.76, -1.16, -0.36),
    ("V6", 2): (-2.0, -2.5, -1.5), ("V8", 1): (-0.3165, -0.5, -0.15),
    ("V8", 2): (-0.9082, -1.0, -0.7), ("V10", 1): (-0.66, -0.86, -0.46),
}  # fmt: skip
"""Value and range of `validation_public.csv`."""
PROTOTYPE = dict(
    zip(PUBLISHED, (-1.58, -2.61, -3.33, -0.69, -1.71, -0.42, -0.85, -0.33), strict=True)
)
"""What another program gave with central values."""


def mean(moving: Moving, seeds: int) -> np.ndarray:
    """Of the moments, over seeds."""
    return np.mean([list(assembly_moments(moving, seed).values()) for seed in range(seeds)], axis=0)


def main(seeds: int) -> None:
    """Print the table."""
    columns = [mean(m, seeds) for m in (CENTRAL, FAST, SLOW, STILL)]
    drawn = np.array([list(assembly_moments(m).values()) for m in joint_draws()])
    low, high = np.quantile(drawn, (0.1, 0.9), axis=0)
    print("moment published range          prototype central   fast   slow nobody  draws 10-90 %")
    for i, (key, (value, least, most)) in enumerate(PUBLISHED.items()):
        ours = " ".join(f"{column[i]:6.2f}" for column in columns)
        inside = "inside" if least <= columns[0][i] <= most else "missed"
        name = f"{key[0]}.{key[1]}"
        print(f"{name:6} {value:9.2f} {least:6.2f} to {most:5.2f} {PROTOTYPE[key]:9.2f}  {ours}  "
              f"{low[i]:6.2f} to {high[i]:5.2f}  {inside}")  # fmt: skip


if __name__ == "__main__":
    main(1 if "--quick" in sys.argv else int(sys.argv[1]) if sys.argv[1:] else 4)
