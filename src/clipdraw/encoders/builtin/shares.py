"""Views computed in shares, one thread each, instead of every operation by all threads.

With eight small views the operations of a network are so short that threads spend longer meeting after each than
computing; here they meet twice a step.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from threading import Barrier
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_SMALLEST = 2  # views that are worth a thread

Network = Callable[[Tensor], Tensor]
"""From views (views, ...) to one row each; frozen, and each row depends on its own view alone."""


def in_shares(network: Network, views: Tensor) -> Tensor:
    """What `network(views)` returns, computed by as many threads as torch is set to use.

    Differentiable once, in the views alone.
    """
    count = min(torch.get_num_threads(), len(views) // _SMALLEST)
    if count < 2 or views.device.type != "cpu":
        return network(views)
    return _Shares.apply(views, network, count)


class _Shares(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, views: Tensor, network: Network, count: int) -> Tensor:
        differentiable = ctx.needs_input_grad[0]

        def compute(share: Tensor) -> tuple[Tensor, Tensor]:
            with torch.set_grad_enabled(differentiable):
                share = share.detach().requires_grad_(differentiable)
                return share, network(share)

        ctx.shares = list(_threads(count).map(compute, views.tensor_split(count)))
        return torch.cat([rows.detach() for _, rows in ctx.shares])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        def compute(share: tuple[Tensor, Tensor], by_rows: Tensor) -> Tensor:
            views, rows = share
            return torch.autograd.grad(rows, views, by_rows)[0]

        parts = _threads(len(ctx.shares)).map(compute, ctx.shares, grad.tensor_split(len(ctx.shares)))
        return torch.cat(list(parts)), None, None


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads in each of which torch computes alone."""
    before, barrier = torch.get_num_threads(), Barrier(count)

    def compute_alone() -> None:
        torch.get_num_threads()  # makes torch set this thread up, which it would else do later and anew
        torch.set_num_threads(1)
        barrier.wait()

    pool = ThreadPoolExecutor(count, thread_name_prefix="clipdraw-views", initializer=compute_alone)
    list(pool.map(id, range(count)))
    torch.set_num_threads(before)  # the setting is also the default of threads to come
    return pool
