"""Count the mutants that the tests of the core killed: `python -m benchmarks.mutants`, after `mutmut run`.

Prints a table in Markdown, and with `--survivors` the change that each survivor makes. Exits with 1 if mutants are
unchecked or fewer than 90 % were killed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files

LEAST_PERCENT = 90
KILLED = ("killed", "timeout")


def results() -> dict[Path, dict[str, str]]:
    """The status of each mutant by its name, by file."""
    found = {}
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        found[path] = {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
    return found


def row(name: str, statuses: Counter[str]) -> str:
    """A line of the table."""
    total, killed = statuses.total(), sum(statuses[status] for status in KILLED)
    return f"| {name} | {total} | {killed} | {total - killed} | {100 * killed / max(total, 1):.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survivors", action="store_true", help="show what each survivor changes")
    arguments = parser.parse_args()
    files = results()
    total: Counter[str] = Counter()
    print("| File | Mutants | Killed | Survived | Killed, % |\n| --- | ---: | ---: | ---: | ---: |")
    for path, statuses in files.items():
        counts = Counter(statuses.values())
        total += counts
        print(row(f"`{path.relative_to('src/clipdraw')}`", counts))
    print(row("all", total))
    if arguments.survivors:
        for path, statuses in files.items():
            for name, status in statuses.items():
                if status not in (*KILLED, "not checked"):
                    print(f"\n{name}: {status}\n{get_diff_for_mutant(name, path=path)}")
    killed = sum(total[status] for status in KILLED)
    sys.exit(bool(total["not checked"]) or 100 * killed < LEAST_PERCENT * total.total())


if __name__ == "__main__":
    main()
