"""Runs: one configuration executed into a folder, from Python or from the command line."""

from clipdraw.runs.comparison import Comparison, Result, compare
from clipdraw.runs.films import film
from clipdraw.runs.judge import Judge, judge_of
from clipdraw.runs.session import (
    Run,
    draw,
    encoder_of,
    note_unread,
    prepare,
    resume,
    versions,
)

__all__ = [
    "Comparison",
    "Judge",
    "Result",
    "Run",
    "compare",
    "draw",
    "encoder_of",
    "film",
    "judge_of",
    "note_unread",
    "prepare",
    "resume",
    "versions",
]
