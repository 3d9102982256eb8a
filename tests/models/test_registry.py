"""The registry of networks: names and facts for planning, without importing any network."""

import subprocess
import sys
from importlib.util import find_spec
from pkgutil import resolve_name

import pytest
import torch
from torch import Tensor, nn

from esl.errors import InputError, Problem
from esl.models.build import build_network, network_entry, network_modules
from esl.models.logits import Logits
from esl.models.network import parameter_groups
from esl.models.networks.deeplabv2 import DeepLabV2
from esl.models.pretrained import load_pretrained, pretrained_problem
from esl.models.registry import NETWORKS, TORCHVISION
from tests.models.published_deeplabv2 import QUICK


def test_it_imports_neither_torch_nor_a_network() -> None:
    script = (
        "import sys; from esl.models.registry import NETWORKS\n"
        "print([name for name in sys.modules if name.split('.')[0].startswith('torch') or '.networks' in name])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


@pytest.mark.parametrize("name", NETWORKS)
def test_whatever_an_entry_names_exists(name: str) -> None:
    entry = network_entry(name)
    assert issubclass(resolve_name(entry.factory), nn.Module)
    for module in network_modules(name, pretrained=True):
        assert find_spec(module) is not None
    assert entry.loader is None or callable(resolve_name(entry.loader))
    assert (entry.loader is None) == (entry.weights_hint is None)


def test_the_digest_covers_the_loader_only_where_weights_are_loaded() -> None:
    assert network_modules("small", pretrained=True) == ("esl.models.networks.small",)
    assert network_modules("deeplabv2_resnet101") == ("esl.models.networks.deeplabv2",)
    assert network_modules("deeplabv2_resnet101", pretrained=True) == (
        "esl.models.networks.deeplabv2",
        "esl.models.networks.deeplabv2_weights",
    )


def test_an_unknown_network_is_refused_with_the_likely_one_or_all() -> None:
    for call in (lambda: build_network("smal", 19), lambda: network_modules("smal")):
        with pytest.raises(InputError, match=r"network: unknown network 'smal'; did you mean 'small'\?"):
            call()
    with pytest.raises(
        InputError, match=r"network: unknown network 'x'; known: deeplabv2_resnet101, .*, small; or smp/DECODER/"
    ):
        build_network("x", 19)


@pytest.mark.parametrize("name", ["small", "fcn_resnet50"])
@pytest.mark.parametrize("weights", ["weights.pth", TORCHVISION])
def test_a_network_without_published_weights_refuses_them(name: str, weights: str) -> None:
    message = f"{name} does not start from published weights; set pretrained to null, or take one of deeplabv2_resnet"
    assert str(pretrained_problem(name, weights)).startswith(f"pretrained: {message}")
    with pytest.raises(InputError, match=f"^pretrained: {message}"):
        load_pretrained(name, nn.Identity(), weights)


def test_torchvisions_weights_fit_the_torchvision_form_alone() -> None:
    for name in ("deeplabv2_resnet101", "deeplabv2_resnet101_single"):
        mistake = f"torchvision's weights fit deeplabv2_resnet101_torchvision, not {name}"
        assert pretrained_problem(name, TORCHVISION) == Problem(("pretrained",), mistake)
        with pytest.raises(InputError, match=f"^pretrained: {mistake}"):
            load_pretrained(name, nn.Identity(), TORCHVISION)
        assert pretrained_problem(name, "weights.pth") is None
    assert pretrained_problem("deeplabv2_resnet101_torchvision", TORCHVISION) is None
    assert pretrained_problem("small", None) is None


class _Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 2, 1)
        self.frozen = nn.Conv2d(2, 2, 1).requires_grad_(False)

    def forward(self, image_N3HW: Tensor) -> Logits:
        return Logits(self.frozen(self.layer(image_N3HW)))


def test_a_network_without_groups_of_its_own_gives_one_of_all_that_is_trained() -> None:
    network = _Plain()
    (group,) = parameter_groups(network, 0.5)
    assert group["lr"] == 0.5
    assert [id(parameter) for parameter in group["params"]] == [id(p) for p in network.layer.parameters()]


def test_a_network_with_groups_of_its_own_decides_itself() -> None:
    with torch.device("meta"):
        network = DeepLabV2(5, blocks=QUICK)
    ours, own = parameter_groups(network, 0.5), network.parameter_groups(0.5)
    assert [group["lr"] for group in ours] == [group["lr"] for group in own] == [0.5, 5.0]
    for group, expected in zip(ours, own, strict=True):
        assert [id(p) for p in group["params"]] == [id(p) for p in expected["params"]]


SLOW = ("fcn_resnet50", "fcn_resnet101", "deeplabv3_resnet50", "deeplabv3_resnet101")


@pytest.mark.parametrize(
    "name",
    [
        *("small", "lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "deeplabv2_resnet101"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
    ],
)
def test_a_training_step_works_with_the_smallest_batch_and_no_less(name: str) -> None:
    """Of one image mostly; DeepLab v3 normalises a pooled image by its batch, so that one is too few."""
    smallest = NETWORKS[name].smallest_batch
    network = DeepLabV2(5, blocks=QUICK) if name.startswith("deeplabv2") else build_network(name, 5)
    network.train()(torch.rand(smallest, 3, 64, 64))
    if smallest > 1:
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            network(torch.rand(smallest - 1, 3, 64, 64))
