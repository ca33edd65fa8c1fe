import torch

from clipdraw.optimization.colors import nearest, oklab
from clipdraw.optimization.targets import Adaptation, cut_out, difference_of_layers, over

RED, BLUE, WHITE = (0.9, 0.1, 0.1), (0.1, 0.2, 0.8), (1.0, 1.0, 1.0)


def ring(color=RED, side=64, place=(32, 32)):
    """A ring on white, white inside."""
    y, x = torch.meshgrid(torch.arange(side) - place[1], torch.arange(side) - place[0], indexing="ij")
    distance = torch.hypot(x.float(), y.float())
    on = (distance > side / 8) & (distance < side / 4)
    return torch.where(on, torch.tensor(color)[:, None, None], 1.0)


def test_oklab_is_what_css_says():
    colors = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    expected = torch.tensor([[1.0, 0.0, 0.0], [0.628, 0.2249, 0.1258], [0.0, 0.0, 0.0]])
    assert torch.allclose(oklab(colors), expected, atol=1e-3)
    palette = torch.tensor([RED, BLUE, WHITE])
    assert nearest(torch.tensor([[0.5, 0.0, 0.0], [0.3, 0.3, 0.9], [0.9, 0.9, 0.8]]), palette).tolist() == [0, 1, 2]


def test_only_the_white_around_a_picture_is_cut_out():
    layer = cut_out(ring())
    assert layer[3, 2, 2] == 0
    assert layer[3, 32, 32] == 1
    assert layer[:, 32, 43].tolist() == [*torch.tensor(RED).tolist(), 1.0]
    dark = over(layer, torch.tensor([0.1, 0.1, 0.2]))
    assert torch.allclose(dark[:, 2, 2], torch.tensor([0.1, 0.1, 0.2]))
    assert dark[:, 32, 32].tolist() == [1, 1, 1]
    assert torch.allclose(over(layer, torch.ones(3)), ring(), atol=0.02)


def test_a_border_is_no_halo_on_another_paper():
    smooth = torch.nn.functional.interpolate(ring(side=64)[None], size=24, mode="bilinear", antialias=True)[0]
    dark = over(cut_out(smooth), torch.zeros(3))
    outside = torch.hypot(*(torch.stack(torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")) - 11.5)) > 4
    assert dark[1:, outside].max() < 0.25


def test_the_colors_of_a_picture_become_those_of_the_palette():
    layer = Adaptation(palette=((0.7, 0.3, 0.2), (0.0, 0.0, 0.5))).layer(ring())
    assert torch.allclose(layer[:, 32, 43], torch.tensor([0.7, 0.3, 0.2, 1.0]))
    assert layer[3, 32, 32] == 0  # nothing in it is like white
    layer = Adaptation(palette=((0.7, 0.3, 0.2), WHITE)).layer(ring((1.0, 1.0, 0.5)))
    assert torch.allclose(layer[:, 32, 43], torch.tensor([0.7, 0.3, 0.2, 1.0]))  # yellow is no white
    assert torch.allclose(layer[:, 32, 32], torch.ones(4))


def test_one_ink_has_tones():
    half = ring((0.2, 0.2, 0.2))
    half[:, :, 32:] = ring((0.6, 0.6, 0.6))[:, :, 32:]
    layer = Adaptation(palette=(BLUE,)).layer(half)
    dark, light = layer[:, 32, 20], layer[:, 32, 43]
    assert dark[3] > 2 * light[3] > 0.2
    assert torch.allclose(dark[:3] / dark[3], torch.tensor(BLUE))
    assert layer[3, 32, 32] == 0
    free = Adaptation(one_color=True).layer(ring())
    assert free[0, 32, 43] > 3 * free[1, 32, 43]


def test_a_turned_and_a_tiled_picture_has_whole_copies():
    turned = over(Adaptation(order=4).layer(ring(place=(36, 26))), torch.ones(3))
    assert (turned - turned.rot90(1, (1, 2))).abs().mean() < 0.01
    assert (turned[1] < 0.5).float().mean() > 0.02
    tiled = over(Adaptation(tile=True).layer(ring()), torch.ones(3))
    assert (tiled - tiled.roll((32, 32), (1, 2))).abs().mean() < 0.01
    assert max(tiled[1, 0, 7], tiled[1, 7, 0]) < 0.5


def test_the_mirrored_picture_is_that_which_is_then_most_like_the_text():
    pictures = torch.stack([ring(place=(20, 32)), ring(BLUE)])
    mirror, seen = Adaptation(mirror=True), []

    def similarities(candidates):
        seen.append(len(candidates))
        return candidates[:, 2].mean((1, 2)) - candidates[:, 0].mean((1, 2))

    chosen = mirror.choose(pictures, 0, similarities)
    assert torch.allclose(chosen, chosen.flip(2))
    assert (chosen[2] - chosen[0]).mean() > 0.05
    assert seen == [8]
    assert torch.equal(Adaptation().choose(pictures, 1, similarities), pictures[1])


def test_what_is_painted_white_differs_from_nothing():
    painted, nothing = torch.ones(4, 2, 2), torch.zeros(4, 2, 2)
    assert difference_of_layers(painted, nothing) == 0.5
    assert difference_of_layers(painted, painted) == 0
    assert torch.equal(over(painted, torch.ones(3)), over(nothing, torch.ones(3)))


def test_a_picture_keeps_the_margin_whole():
    kept = Adaptation(margin=0.375).layer(ring(place=(40, 32)))
    assert kept[3, :, :23].max() < 0.1
    assert kept[3, :, 41:].max() < 0.1
    assert kept[3].sum() > 40
    assert torch.equal(Adaptation(margin=0.1).layer(ring()), Adaptation().layer(ring()))
