"""What files that ask for much take: `python -m benchmarks.limits`. Prints a table in Markdown.

Each file is read and rasterized by the command line in a process of its own, with its default limits or others.
Seconds are of processors; memory is the most that the process had, PyTorch's 250 MB included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 224 224">'
CHILD = """
import resource, sys
from clipdraw.cli import main
from benchmarks.memory import peak_mb
try:
    main()
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{used.ru_utime + used.ru_stime:.1f} {peak_mb():.0f}")
"""


def curve(random: Random, reach: float = 224) -> str:
    """Path data of one curve."""
    numbers = [random.uniform(0, reach) for _ in range(8)]
    return "M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}".format(*numbers)


def paths(count: int, attributes: str, reach: float = 224) -> str:
    """Paths of one curve each."""
    random = Random(0)
    return "".join(f'<path fill="none" d="{curve(random, reach)}" {attributes}/>' for _ in range(count))


def clips(levels: int) -> str:
    """Groups in groups, each clipped by a rectangle that is turned a little more."""
    return "".join(
        f'<clipPath id="c{k}"><rect width="{99 + k}" height="150"/></clipPath>'
        f'<g transform="rotate(1)" clip-path="url(#c{k})">'
        for k in range(levels)
    )


FILES: dict[str, Callable[[], str]] = {
    "16 strokes": lambda: paths(16, 'stroke="red" stroke-width="6"'),
    "100,000 paths": lambda: paths(100_000, 'stroke="#123456"', 20),
    "249,000 elements": lambda: "<g></g>" * 249_000 + paths(1, 'stroke="red"'),
    "a path of 199,000 cubics": lambda: f'<path d="M0 0{"C1 200 90 5 200 99" * 199_000}" stroke="red"/>',
    "150 nested opacities": lambda: '<g opacity=".99">' * 150 + paths(20_000, 'stroke="red"') + "</g>" * 150,
    "90 nested clips": lambda: clips(90) + paths(20_000, 'stroke="red"') + "</g>" * 90,
    "large coordinates": lambda: paths(20_000, 'stroke="red" stroke-width="5000000"', 9e6),
    "wide strokes": lambda: paths(3000, 'stroke="red" stroke-width="300" stroke-opacity=".5"'),
}


def measure(file: Path, options: list[str]) -> str:
    """A row of the table, without the name."""
    command = [sys.executable, "-c", CHILD, "rasterize", str(file), "--out", str(file.with_suffix(".png")), "-q"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, env=os.environ)
    seconds, megabytes = done.stdout.split()[-2:]
    return f"{seconds} | {megabytes} | {done.stderr.strip() or 'done'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("options", nargs="*", help="of clipdraw rasterize, after --: --size 8192 --limit-seconds 100")
    parser.add_argument("--only", choices=FILES, action="append")
    given = parser.parse_args()
    print("| file | seconds | megabytes | |\n|---|---|---|---|")
    with TemporaryDirectory() as folder:
        for name in given.only or FILES:
            file = Path(folder) / "x.svg"
            file.write_text(f"{HEAD}{FILES[name]()}</svg>", encoding="utf-8")
            print(f"| {name} | {measure(file, given.options)} |", flush=True)


if __name__ == "__main__":
    main()
