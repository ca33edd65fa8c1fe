"""Sweeps: many runs that differ along axes, gathered on one sheet."""

from clipdraw.runs.sweep.plan import Cell, Plan, from_dict, plans
from clipdraw.runs.sweep.run import Sweep, read_plan, sweep, work
from clipdraw.runs.sweep.workers import Outcome

__all__ = ["Cell", "Outcome", "Plan", "Sweep", "from_dict", "plans", "read_plan", "sweep", "work"]
