"""How much memory a process has had; in a module that imports nothing large."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_mb() -> float:
    """The most memory that this process has had so far, in 10^6 bytes; where there is /proc, else as `getrusage` says.

    On Linux `ru_maxrss` begins with the peak of the process that started this one, `VmHWM` doesn't.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
