"""The prior: its convolutions, what it looks at, how pictures are painted with it, and its pull on strokes."""

import pytest
import torch
from torch.nn import functional

from clipdraw import RandomStrokes, optimize, rasterize
from clipdraw.drawing import Canvas
from clipdraw.optimization.recipe import Recipe
from training import flow, guides
from training.components import ComponentNet, principal
from training.convolution import Convolution
from training.empirical import EmpiricalPrior
from training.unet import Text, UNet


def small_net(seed=0):
    torch.manual_seed(seed)
    net = UNet(channels=(64, 64, 64), blocks=(1, 1, 1), condition=32)
    for parameter in net.parameters():  # what starts at zero must take part
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return net


def text(count, pieces=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    vectors = functional.normalize(torch.randn(count, 384, generator=generator), dim=1)
    states = torch.randn(count, pieces, 384, generator=generator)
    return Text(vectors, states, torch.ones(count, pieces, dtype=torch.bool))


@pytest.mark.parametrize("side", [2, 4, 16])
def test_gradients_of_the_convolution_are_those_of_torch(side):
    torch.manual_seed(0)
    ours = Convolution(16, 24).to(memory_format=torch.channels_last)
    x = torch.randn(3, 16, side, side).to(memory_format=torch.channels_last).requires_grad_()
    grad = torch.randn(3, 24, side, side)
    with torch.autocast("cpu", torch.bfloat16):
        y = ours(x)
    found = torch.autograd.grad(y, (x, ours.weight, ours.bias), grad.bfloat16())
    plain = functional.conv2d(x, ours.weight, ours.bias, 1, 1)
    wanted = torch.autograd.grad(plain, (x, ours.weight, ours.bias), grad)
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() < 0.03 * other.abs().max()


def test_a_text_that_is_dropped_has_no_effect():
    net, noisy, times = small_net(), torch.randn(2, 3, 32, 32), torch.tensor([0.2, 0.8])
    one, other = text(2, seed=1), text(2, seed=2)
    assert (net(noisy, times, one) - net(noisy, times, other)).abs().max() > 1e-3
    every = torch.tensor([True, True])
    assert torch.equal(net(noisy, times, one.dropped(every)), net(noisy, times, other.dropped(every)))
    first = torch.tensor([True, False])
    differs = (net(noisy, times, one.dropped(first)) - net(noisy, times, one)).abs().amax((1, 2, 3))
    assert differs[0] > 1e-3
    assert differs[1] == 0


def test_padding_has_no_effect():
    net, noisy, times, short = small_net(), torch.randn(1, 3, 32, 32), torch.tensor([0.5]), text(1)
    states = torch.cat([short.states, torch.full((1, 2, 384), 9.0)], 1)
    padded = Text(short.vectors, states, functional.pad(short.mask, (0, 2)))
    assert torch.allclose(net(noisy, times, short), net(noisy, times, padded), atol=1e-5)


def test_the_reader_gives_the_vectors_of_the_text_side():
    read = flow.Reader()
    found = read(["a red cat", "an enormous house on a hill"])
    with torch.no_grad():
        wanted = read._tower.embed(["a red cat", "an enormous house on a hill"])
    assert (found.vectors * wanted).sum(1).min() > 0.999
    assert found.mask.sum(1).tolist() == [5, 8]


class Knowing(torch.nn.Module):
    """A prior that knows one picture: the velocity that leads there, with guidance or without."""

    def __init__(self, picture):
        super().__init__()
        self.picture = picture

    def forward(self, noisy, times, text):
        return (self.picture - noisy) / (1 - times[:, None, None, None]).clamp(min=1e-3)


@pytest.fixture
def half():
    """Black on the left, white on the right."""
    return torch.cat([-torch.ones(1, 3, 32, 16), torch.ones(1, 3, 32, 16)], 3)


def test_sampling_ends_where_the_velocity_leads(half):
    found = flow.sample(Knowing(half), text(2), torch.Generator().manual_seed(0), steps=7, guidance=3.0)
    assert torch.allclose(found, (half.expand(2, -1, -1, -1) + 1) / 2, atol=1e-3)


@pytest.mark.parametrize("guide", [guides.Distilled, guides.Painted])
def test_strokes_come_to_look_like_what_the_prior_knows(guide, half):
    loss = guide("dark on the left", Knowing(half))
    start = RandomStrokes(24, width=30.0, opacity=(0.5, 1.0))(Canvas(), torch.Generator().manual_seed(0))
    steps = list(optimize(start, [loss], encoder=guides.Blind(), recipe=Recipe(steps=60, resolution=32)))
    image = rasterize(steps[-1].drawing, height=32, width=32)
    assert image[..., 16:].mean() - image[..., :16].mean() > 0.4
    assert steps[-1].losses[loss.name] < 0.5 * steps[0].losses[loss.name]


def test_the_network_learns(half):
    torch.manual_seed(0)
    net, shown = UNet(channels=(64, 64, 64), blocks=(1, 1, 1), condition=32), half.expand(8, -1, -1, -1)
    optimizer, generator = torch.optim.AdamW(net.parameters(), lr=3e-3), torch.Generator().manual_seed(0)
    losses = []
    for _ in range(40):
        loss = flow.loss(net, shown, text(8), generator, dropped=0.1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


@pytest.fixture(scope="module")
def components():
    """Pictures along 8 of 3,072 directions, and what they have in common."""
    torch.manual_seed(0)
    shown = torch.randn(64, 8) * torch.linspace(3, 1, 8) @ torch.randn(8, 3072) / 10
    return shown, {name: torch.from_numpy(array).float() for name, array in principal(shown, 8).items()}


@pytest.fixture
def along(components):
    """A network along 8 of 3,072 directions, with random last layers, and a picture that lies along them."""
    shown, found = components
    torch.manual_seed(0)
    net = ComponentNet(found["mean"], found["directions"], found["spreads"], width=32, blocks=1)
    return net, shown[:4].view(4, 3, 32, 32)


def test_an_untrained_network_along_components_guesses_by_spread_alone(along):
    net, shown = along
    assert torch.allclose(net.mean + net.coordinates(shown) @ net.directions, shown.flatten(1), atol=0.02)
    noise = torch.randn(shown.shape)
    nearly = torch.full((4,), 0.9)
    velocity = net(torch.lerp(noise, shown, 0.9), nearly, text(4))
    guess = torch.lerp(noise, shown, 0.9) + 0.1 * velocity
    assert (guess - shown).square().mean() < 0.05 * (0.1 * noise).square().mean(), "noise beyond the components is gone"
    early = net(noise, torch.zeros(4), text(4)) + noise
    assert torch.allclose(early.flatten(1), net.mean.expand(4, -1), atol=1e-3), "from noise alone: the mean"


def test_both_ways_to_compute_the_loss_along_components_agree(along):
    net, shown = along
    torch.nn.init.normal_(net.end.weight, std=0.02)
    pieces, many = text(4), 400
    given = Text(*(part.repeat(many, *[1] * (part.ndim - 1)) for part in (pieces.vectors, pieces.states, pieces.mask)))
    pictures = shown.repeat(many, 1, 1, 1)
    whole = flow.loss(net, pictures, given, torch.Generator().manual_seed(0), dropped=0.1).mean()
    short = net.loss(net.coordinates(pictures), given, torch.Generator().manual_seed(1), dropped=0.1).mean()
    assert short.item() == pytest.approx(whole.item(), rel=0.15)


def test_a_network_along_components_learns_which_text_means_which_picture(along):
    net, shown = along
    optimizer, generator = torch.optim.AdamW(net.parameters(), lr=3e-3), torch.Generator().manual_seed(0)
    coordinates, given, losses = net.coordinates(shown), text(4), []
    many = Text(given.vectors.repeat(32, 1), given.states.repeat(32, 1, 1), given.mask.repeat(32, 1))
    for _ in range(200):
        loss = net.loss(coordinates.repeat(32, 1), many, generator, dropped=0.0).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    painted = flow.sample(net, given, generator, guidance=1.0) * 2 - 1
    apart = (painted[:, None] - shown.clamp(-1, 1)[None]).square().mean((2, 3, 4))
    assert apart.argmin(1).tolist() == [0, 1, 2, 3]
    assert sum(losses[-20:]) < sum(losses[:20])


def test_the_empirical_prior_paints_what_the_text_means_and_else_anything():
    shown = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    vectors = text(6).vectors
    prior = EmpiricalPrior(shown, vectors)
    asked = Text(vectors[[4, 1]], text(2).states, text(2).mask)
    painted = flow.sample(prior, asked, torch.Generator().manual_seed(1), guidance=1.0) * 2 - 1
    assert torch.allclose(painted, shown[[4, 1]], atol=0.05)
    free = asked.dropped(torch.tensor([True, True]))
    early = prior(torch.zeros(2, 3, 32, 32), torch.zeros(2), free)
    assert torch.allclose(early[0], shown.mean(0), atol=1e-2)
