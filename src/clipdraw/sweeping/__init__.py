"""Sweeps: many runs that differ along axes, gathered on one sheet."""

from clipdraw.sweeping.plan import Cell, Plan, from_dict, plans
from clipdraw.sweeping.session import Sweep, read_plan, sweep, work
from clipdraw.sweeping.tasks import Outcome

__all__ = ["Cell", "Outcome", "Plan", "Sweep", "from_dict", "plans", "read_plan", "sweep", "work"]
