"""Runs: one configuration executed into a folder, from Python or from the command line."""

from clipdraw.runs.comparison import Comparison, Result, compare
from clipdraw.runs.films import film
from clipdraw.runs.session import (
    Run,
    draw,
    encoder_of,
    prepare,
    resume,
    versions,
    warn_of_truncation,
)

__all__ = [
    "Comparison",
    "Result",
    "Run",
    "compare",
    "draw",
    "encoder_of",
    "film",
    "prepare",
    "resume",
    "versions",
    "warn_of_truncation",
]
