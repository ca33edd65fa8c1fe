"""Runs: one configuration executed into a folder, from Python or from the command line."""

from clipdraw.run.comparison import Comparison, Result, compare
from clipdraw.run.session import Run, chosen_device, draw, prepare, resume, versions

__all__ = ["Comparison", "Result", "Run", "chosen_device", "compare", "draw", "prepare", "resume", "versions"]
