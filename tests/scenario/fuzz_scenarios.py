"""Scenario files, mutated: `python -m tests.scenario.fuzz_scenarios --files N --seed S`.

Shipped and bad files are changed by bytes, by tokens and by structure. Whatever comes out is
loaded or refused with a report; no other exception, no hang, no growing memory. What is loaded
must survive being written and read again.
"""

import argparse
import json
import random
import shutil
import signal
import string
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tariffsim.errors import ScenarioError
from tariffsim.scenario import load_scenario, to_yaml
from tariffsim.scenario.nodes import parse, plain
from tariffsim.scenario.scenario_files import shipped_folder

SECONDS_A_FILE = 60  # a file takes milliseconds: more is a hang, also on a busy machine
MEGABYTES = 64
WORDS = """
&a *a !!str !!python/name:os.system .nan -.inf 1e999 -1 0 1 5 25 25% '25 %' 1_000 007 0x1F
999999999999999999999999999999999999 1e-320 null ~ true yes NO 2025 2025Q3 2025Q5 2026-13
2026-01 0000-00 9999-12 2026-01-15 24300 [ ] { } {} [] - ? : , # | > ' " \\ % @ ` --- ...
<< extends combine baseline component_50 component_late ../x.yaml /etc/passwd seed.yaml
policies kind component_tariff product_tariff price_cut rate points start end announced
markets US CN EU all figures devices laptop cn_share data sources cite quality keys run
seeds supply interpolate linear months values per chip threshold __class__ __init__
model_config
"""
NASTY = WORDS.split()
STRANGE = ("\0", "\x1b", "\x85", "\u2028", "\u200b", "\u202e", "\ufeff", "а", "С", "😀", "\t", "\r")


def bytes_changed(rng: random.Random, seeds: list[bytes], data: bytes) -> bytes:
    """A few bytes flipped, put in, taken out, doubled, cut off or taken from another file."""
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice((1, 2, 5, 20, 200)))
        way = rng.randrange(6)
        if way == 0:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        elif way == 1:
            data = data[:at] + rng.choice(string.printable).encode() + data[at:]
        elif way == 2:
            data = data[:at] + data[to:]
        elif way == 3:
            data = data[:at] + data[at:to] * rng.choice((2, 3, 50)) + data[to:]
        elif way == 4:
            data = data[:at]
        else:
            other = rng.choice(seeds)
            start = rng.randrange(len(other) + 1)
            data = data[:at] + other[start : start + rng.choice((5, 50, 500))] + data[at:]
    return data


def tokens_changed(rng: random.Random, seeds: list[bytes], data: bytes) -> bytes:
    """Some words replaced, put in or taken out."""
    text = data.decode("utf-8", "replace")
    words, word = [], ""
    for ch in text:
        if ch.isalnum() or ch in "_.-":
            word += ch
        else:
            words += [word, ch]
            word = ""
    words.append(word)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(words))
        new = rng.choice(NASTY) if rng.random() < 0.9 else rng.choice(STRANGE)
        way = rng.randrange(4)
        if way == 0:
            words[at] = new
        elif way == 1:
            words.insert(at, f" {new} ")
        elif way == 2:
            words[at] = ""
        else:
            words[at] = words[rng.randrange(len(words))]
    return "".join(words).encode("utf-8", "surrogatepass")


def value(rng: random.Random, depth: int = 0) -> object:
    """Any value a file could hold."""
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return rng.choice((0, 1, -1, 0.5, 25, 1e300, -0.0, 5e-324, 10**25, rng.random()))
    if kind == 1:
        return rng.choice(NASTY)
    if kind == 2:
        return rng.choice((None, True, False))
    if kind == 3:
        return f"{rng.choice((2024, 2026, 2030))}-{rng.randrange(14):02d}"
    if kind == 4:
        return "".join(rng.choice(string.printable + "".join(STRANGE)) for _ in range(6))
    if kind == 5:
        return "x" * rng.choice((0, 41, 300))
    if kind == 6:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {f"2026-{m:02d}": value(rng, depth + 2) for m in range(1, rng.randrange(2, 4))}
    return {rng.choice(NASTY): value(rng, depth + 1) for _ in range(rng.randrange(4))}


def structure_changed(rng: random.Random, seeds: list[bytes], data: bytes) -> bytes:
    """Values and keys of a file changed, moved, or put in; the file stays valid YAML."""
    node, _ = parse(data.decode("utf-8", "replace"), "x")
    tree = plain(node) if node is not None else {}
    for _ in range(rng.choice((1, 1, 2, 3))):
        place: object = tree
        while isinstance(place, dict) and place and rng.random() < 0.75:
            inner = place[rng.choice(list(place))]
            if not isinstance(inner, dict):
                break
            place = inner
        if not isinstance(place, dict):
            break
        key = rng.choice(list(place)) if place and rng.random() < 0.7 else rng.choice(NASTY)
        way = rng.randrange(4)
        if way == 0:
            place.pop(key, None)
        elif way == 1 and place:
            place[key] = place[rng.choice(list(place))]
        else:
            place[key] = value(rng)
    return json.dumps(tree, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


CHANGES = (bytes_changed, tokens_changed, structure_changed)


def seeds_of(folder: Path) -> list[bytes]:
    """Files to start from: the shipped ones, the bad ones and a whole resolved one."""
    paths = [*sorted(shipped_folder().glob("*.yaml")), *sorted(folder.rglob("*.yaml"))]
    resolved = to_yaml(load_scenario("component_50")).encode()
    return [*(path.read_bytes() for path in paths), resolved]


def _too_slow(signal_number: int, frame: object) -> None:
    raise TimeoutError(f"more than {SECONDS_A_FILE} s")


@contextmanager
def time_limit() -> Iterator[None]:
    """End what hangs, where the system can."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_A_FILE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def check_report(error: ScenarioError) -> None:
    """A report has a reason, and shows no character that a terminal would obey."""
    assert error.problems, "refused without a reason"
    assert all(line.isprintable() for line in str(error).split("\n")), "raw characters shown"


def try_file(path: Path) -> str:
    """Load one file; says what came of it."""
    try:
        scenario = load_scenario(path)
    except ScenarioError as error:
        check_report(error)
        return "denied"
    path.write_text(to_yaml(scenario), encoding="utf-8")
    again = load_scenario(path)
    assert again == scenario, "does not survive being written"
    assert again.content_hash == scenario.content_hash
    return "loaded"


def fuzz(files: int, seed: int) -> tuple[Counter[str], list[tuple[bytes, BaseException]]]:
    """Try many files; what came of them, and those that broke something."""
    seeds = seeds_of(Path(__file__).parent / "bad_scenarios")
    counts: Counter[str] = Counter()
    broken: list[tuple[bytes, BaseException]] = []
    with tempfile.TemporaryDirectory() as folder:
        for table in shipped_folder().rglob("*.csv"):
            copy = Path(folder) / table.relative_to(shipped_folder())
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(table, copy)
        path = Path(folder) / "seed.yaml"
        for number in range(files):
            rng = random.Random(f"{seed} {number}")
            data = rng.choice(CHANGES)(rng, seeds, rng.choice(seeds))
            path.write_bytes(data)
            try:
                with time_limit():
                    counts[try_file(path)] += 1
            except (Exception, RecursionError) as error:
                counts["broken"] += 1
                broken.append((data, error))
    return counts, broken


def peak_memory(files: int, seed: int) -> float:
    """Megabytes at most in use while files are tried."""
    tracemalloc.start()
    fuzz(files, seed)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> int:
    """Try many files and keep those that break something."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    arguments = parser.parse_args()
    start = time.perf_counter()
    counts, broken = fuzz(arguments.files, arguments.seed)
    seconds = time.perf_counter() - start
    print(f"seed {arguments.seed}: {dict(counts)} in {seconds:.0f} s")
    for number, (data, error) in enumerate(broken[:20]):
        path = Path(tempfile.gettempdir()) / f"broken_scenario_{number}.yaml"
        path.write_bytes(data)
        print(f"{path}: {type(error).__name__}: {str(error)[:200]!r}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
