"""Views computed in shares give what they give together."""

import threading

import pytest
import torch

from clipdraw.encoders.builtin.shares import in_shares


@pytest.fixture(autouse=True)
def _threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def network(views):
    return (views * views).sum((1, 2, 3))[:, None] * torch.tensor([1.0, 2.0])


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_rows_and_gradients_do_not_depend_on_the_number_of_threads(count, threads):
    torch.set_num_threads(threads)
    views = torch.rand(count, 3, 4, 4, requires_grad=True)
    rows = in_shares(network, views)
    assert torch.allclose(rows, network(views))
    weights = torch.rand(count, 2)
    (gradient,) = torch.autograd.grad((rows * weights).sum(), views)
    assert torch.allclose(gradient, 2 * views * (weights * torch.tensor([1.0, 2.0])).sum(1)[:, None, None, None])


def test_shares_are_computed_by_threads_of_their_own_with_one_torch_thread_each():
    torch.set_num_threads(2)
    seen = []

    def watched(views):
        seen.append((threading.current_thread().name, torch.get_num_threads(), len(views)))
        return network(views)

    in_shares(watched, torch.rand(7, 3, 4, 4))
    assert sorted(n for *_, n in seen) == [3, 4]
    assert all(name.startswith("clipdraw-views") and threads == 1 for name, threads, _ in seen)
    assert torch.get_num_threads() == 2


def test_nothing_is_kept_for_gradients_that_nobody_asked_for():
    torch.set_num_threads(2)
    assert not in_shares(network, torch.rand(4, 3, 4, 4)).requires_grad
