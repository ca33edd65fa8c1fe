import shutil
from dataclasses import replace

import pytest
import torch

from clipdraw.config import resolve
from clipdraw.errors import ConfigError, InputError, MissingExtraError, WeightsError
from clipdraw.optimization import diffusion
from clipdraw.optimization.diffusion import Guide
from clipdraw.optimization.loop import Optimization
from clipdraw.optimization.losses import Frame, Prompt
from clipdraw.optimization.parameterization import Pixels
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.views import Views

tiny_diffusion = pytest.importorskip("tests.tiny_diffusion", reason="the extra diffusion is not installed")

WHOLE = Views(count=1, enabled=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_diffusion.save(tmp_path_factory.mktemp("epsilon"))


@pytest.fixture(scope="module")
def velocity(tmp_path_factory):
    return tiny_diffusion.save(tmp_path_factory.mktemp("velocity"), prediction="v_prediction")


def frame(image, views=3, seed=5):
    embeddings = torch.nn.functional.normalize(torch.ones(views, 3), dim=1)
    return Frame(Pixels(image.detach()), image, embeddings, 0.0, generator=torch.Generator().manual_seed(seed))


def parts_of(folder):
    """The model's parts, read without the code under test, in their order: U-Net, autoencoder, text encoder."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel

    kinds = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}
    return [kind.from_pretrained(folder / name).eval() for name, kind in kinds.items()]


def formula(folder, image, text_tokens, settings, seed=5, velocity=False):
    """Noise step, and the gradient of score distillation with respect to the image, written down step by step."""
    unet, vae, text_encoder = parts_of(folder)
    random = torch.Generator().manual_seed(seed)
    leaf = image.detach().clone().requires_grad_()
    latents = vae.encode(2 * leaf[None] - 1).latent_dist.mean * 0.18215
    first, last = (round(999 * fraction) for fraction in settings["steps"])
    step = int(torch.randint(first, last + 1, (), generator=random))
    noise = torch.randn(latents.shape, generator=random)
    betas = torch.linspace(1e-4**0.5, 0.02**0.5, 1000) ** 2
    alpha = (1 - betas).cumprod(0)[step]
    with torch.no_grad():
        noisy = alpha.sqrt() * latents + (1 - alpha).sqrt() * noise
        told = []
        for tokens in text_tokens:
            vectors = text_encoder(torch.tensor([tokens]))[0]
            each = unet(noisy, step, encoder_hidden_states=vectors).sample
            told.append(alpha.sqrt() * each + (1 - alpha).sqrt() * noisy if velocity else each)
        seen = told[0] + settings["guidance"] * (told[1] - told[0])
        gradient = (1 - alpha) * (seen - noise)
    (latents * gradient / latents.numel()).sum().backward()
    return step, leaf.grad


EMPTY, CAT = [52] + [53] * 11, [52, 2, 0, 26 + 19] + [53] * 8


@pytest.mark.parametrize("guidance", [1.0, 7.5, 100.0])
@pytest.mark.parametrize("kind", ["folder", "velocity"])
def test_the_gradient_is_that_of_the_formula(kind, guidance, request):
    where = request.getfixturevalue(kind)
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1)).requires_grad_()
    settings = {"guidance": guidance, "steps": (0.2, 0.8)}
    guide = Guide("cat", str(where), weight=2.0, precision="float32", views=WHOLE, **settings)
    guide.build(encoder_like())(frame(image)).backward()
    _, wanted = formula(where, image, (EMPTY, CAT), settings, velocity=kind == "velocity")
    assert wanted.abs().max() > 1e-5
    assert torch.allclose(image.grad, 2.0 * 3 * wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


def encoder_like():
    from tests.conftest import TinyEncoder

    return TinyEncoder()


def test_the_text_counts_unless_guidance_is_0(folder):
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))

    def value(text, guidance):
        guide = Guide(text, str(folder), guidance=guidance, precision="float32", views=WHOLE)
        return guide.build(encoder_like())(frame(image)).item()

    assert value("cat", 0.0) == value("dog", 0.0)
    assert value("cat", 50.0) != value("dog", 50.0)


@pytest.mark.parametrize("steps", [(0.0, 0.0), (1.0, 1.0), (0.3, 0.4)])
def test_noise_stays_within_the_steps(steps, folder, monkeypatch):
    seen = []
    noise = diffusion.Denoiser.noise

    def noted(self, noisy, step, texts, guidance):
        seen.append(step)
        return noise(self, noisy, step, texts, guidance)

    monkeypatch.setattr(diffusion.Denoiser, "noise", noted)
    term = Guide("cat", str(folder), steps=steps, precision="float32").build(encoder_like())
    moment = frame(torch.rand(3, 16, 16))
    for _ in range(12):
        term(moment)
    assert all(round(999 * steps[0]) <= step <= round(999 * steps[1]) for step in seen)
    assert len(set(seen)) > 1 or steps[0] == steps[1]


def test_the_value_falls_as_a_picture_follows_the_guide(folder, encoder):
    """With the noise held fixed, the guide is a fixed field that gradient descent follows."""
    term = Guide("cat", str(folder), guidance=1.0, steps=(0.5, 0.5), precision="float32", views=WHOLE).build(encoder)
    pixels = Pixels(torch.full((3, 16, 16), 0.5), rate=0.05)
    optimizer = torch.optim.Adam([pixels.logits], lr=0.05)
    values = []
    for _ in range(30):
        value = term(frame(pixels.image(16)))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert values[-1] < values[0]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_differs_little(precision, folder, encoder):
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(1))
    whole, half = (
        Guide("cat", str(folder), precision=each, guidance=1.0).build(encoder)(frame(image)).item()
        for each in ("float32", precision)
    )
    assert half != whole
    assert half == pytest.approx(whole, rel=0.05)


def test_a_guided_run_goes_on_after_a_break_to_the_same_bits(folder, encoder, drawing):
    def begun():
        losses = Prompt("red"), Guide("cat", str(folder), precision="float32")
        return Optimization(drawing, losses, encoder=encoder, recipe=Recipe(steps=6), seed=2)

    whole, first, second = begun(), begun(), begun()
    for _ in range(6):
        whole.step()
    for _ in range(3):
        first.step()
    second.restore(first.state())
    for _ in range(3):
        last = second.step()
    for one, other in zip(whole.drawing.parameters(), second.drawing.parameters(), strict=True):
        assert torch.equal(one, other)
    assert last.losses["guide"] > 0


def test_settings_make_a_guide_toward_the_weightiest_prompt(folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    given = {"also": ["a dog:2"], "guide": {"model": "model", "weight": 3, "steps": [0.1, 0.2]}}
    config = resolve("a cat", given)
    assert config.guide.model == str(tmp_path / "model")
    guide = config._losses()[-1]
    assert guide == Guide("a dog", str(tmp_path / "model"), 3.0, steps=(0.1, 0.2))
    assert not any(isinstance(loss, Guide) for loss in resolve("a cat", {})._losses())


def test_a_guide_without_a_model_is_left_out():
    on, off = resolve("a cat", {}), resolve("a cat", {"guide.weight": 5.0})
    assert on._losses() == off._losses()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"weight": 0}, "weight is above 0"),
        ({"guidance": -1}, "guidance is from 0 to 10,000"),
        ({"steps": (0.5, 0.4)}, r"steps lie in \[0, 1\], least first"),
        ({"steps": (0.5, 1.1)}, r"steps lie in \[0, 1\], least first"),
    ],
)
def test_what_is_out_of_range_is_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Guide("cat", "model", **settings)
    with pytest.raises(InputError, match=message):
        resolve("a cat", {f"guide.{name}": value for name, value in settings.items()})


def test_an_unknown_precision_is_refused():
    with pytest.raises(ConfigError, match=r"guide\.precision is one of auto, float32"):
        resolve("a cat", {"guide.precision": "int8"})


def test_models_that_cannot_guide_are_refused(folder, tmp_path, encoder):
    for name, change, message in (
        ("none", None, "no folder"),
        ("part", lambda copy: (copy / "vae" / "diffusion_pytorch_model.safetensors").unlink(), "has no vae/diffusion"),
        ("other", lambda copy: (copy / "model_index.json").write_text('{"_class_name": "Flux"}'), "it is a Flux"),
        (
            "broken",
            lambda copy: (copy / "unet" / "config.json").write_text("{"),
            "not a diffusion model that can guide",
        ),
    ):
        if change:
            change(shutil.copytree(folder, tmp_path / name))
        with pytest.raises(WeightsError, match=message):
            Guide("cat", str(tmp_path / name)).build(encoder)


def test_pickled_weights_are_not_read(folder, tmp_path, encoder):
    copy = shutil.copytree(folder, tmp_path / "pickled")
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(WeightsError, match="has no unet/diffusion_pytorch_model"):
        Guide("cat", str(copy)).build(encoder)


def test_without_diffusers_the_extra_is_named(encoder, monkeypatch):
    monkeypatch.setattr(diffusion, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"install 'clipdraw\[diffusion\]'"):
        Guide("cat", "someone/model").build(encoder)


def test_guides_are_equal_by_their_settings():
    assert Guide("a", "m") == Guide("a", "m") != replace(Guide("a", "m"), guidance=1.0)
