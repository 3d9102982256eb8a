"""Less memory and compiled code, with the same results."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from esl.errors import InputError
from esl.models.build import build_network
from esl.models.execution import checkpoint_activations, compile_network, keeping_statistics
from esl.models.logits import Logits
from esl.models.network import as_input
from esl.models.networks.deeplabv2 import DeepLabV2


def _passes(network: nn.Module, precision: torch.dtype = torch.float32) -> tuple[list[Tensor], int]:
    """Gradients and state after a forward and a backward pass, and the bytes kept for the backward pass."""
    torch.manual_seed(5)
    image = as_input(torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8))
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            logits: Logits = network(image)
        for parameter in network.parameters():
            kept.pop(parameter.untyped_storage().data_ptr(), None)
        held = sum(kept.values())
    sum(output.float().square().mean() for output in logits if output is not None).backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return [*gradients, *network.state_dict().values()], held


def _shallow(num_classes: int) -> nn.Module:
    """DeepLab v2 with two blocks in each layer."""
    return DeepLabV2(num_classes, blocks=(2, 2, 2, 2))


@pytest.mark.parametrize(
    ("build", "blocks"),
    [
        pytest.param(partial(build_network, "small"), 7, id="small"),
        pytest.param(partial(build_network, "lraspp_mobilenet_v3_large"), 15, id="lraspp"),
        pytest.param(_shallow, 8, id="shallow"),
        pytest.param(
            partial(build_network, "deeplabv2_resnet101"), 33, id="deeplabv2_resnet101", marks=pytest.mark.slow
        ),
        pytest.param(
            partial(build_network, "deeplabv2_resnet101_torchvision"),
            33,
            id="deeplabv2_resnet101_torchvision",
            marks=pytest.mark.slow,
        ),
        pytest.param(partial(build_network, "fcn_resnet50"), 16, id="fcn_resnet50", marks=pytest.mark.slow),
        pytest.param(
            partial(build_network, "deeplabv3_mobilenet_v3_large"),
            15,
            id="deeplabv3_mobilenet_v3_large",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_checkpointed_activations_give_the_same_bytes_with_less_memory(
    build: Callable[[int], nn.Module], blocks: int
) -> None:
    results = []
    for saving in (False, True):
        torch.manual_seed(0)
        network = build(19).train()
        names = [*network.state_dict()]
        if saving:
            checkpoint_activations(network)
        assert [*network.state_dict()] == names and len(network.blocks()) == blocks  # type: ignore[operator]
        torch.manual_seed(7)  # dropout
        # processors without bfloat16 emulate it slowly: the small network alone uses it
        results.append(_passes(network, torch.bfloat16 if blocks == 7 else torch.float32))
    (plain, most), (saved, least) = results
    assert all(torch.equal(a, b) for a, b in zip(plain, saved, strict=True))
    assert least < most / 2


def test_a_network_without_blocks_is_refused() -> None:
    with pytest.raises(InputError, match=r"compute\.activation_checkpointing: this network has no `blocks"):
        checkpoint_activations(nn.Sequential(nn.Conv2d(3, 3, 1)))


def test_statistics_are_kept_while_the_batch_still_normalises() -> None:
    norm = nn.BatchNorm2d(2)
    norm(torch.randn(4, 2, 3, 3))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    image = torch.randn(4, 2, 3, 3) + 5
    with keeping_statistics(norm):
        kept = norm(image)
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
    assert torch.equal(kept, norm(image)) and abs(kept.mean()) < 1e-5
    assert norm.num_batches_tracked == 2 and norm.momentum == 0.1


class _Convolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, x: Tensor) -> Logits:
        return Logits(self.layer(x).relu() * 2)


@pytest.mark.slow
def test_a_compiled_network_is_called_as_before_and_keeps_its_names() -> None:
    plain, compiled = _Convolution(), _Convolution()
    assert compile_network(compiled, torch.device("cpu")) is None
    image = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(compiled(image).main, plain(image).main)
    assert compiled._compiled_call_impl is not None
    assert compiled.state_dict().keys() == plain.state_dict().keys()


def test_without_a_compiler_the_network_runs_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch._inductor.config

    torch._dynamo.reset()
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", ("/no/such/compiler",))
    monkeypatch.setattr(torch._inductor.config, "force_disable_caches", True)
    network = _Convolution()
    assert "InvalidCxxCompiler" in (compile_network(network, torch.device("cpu")) or "")
    assert network._compiled_call_impl is None
    assert network(torch.rand(1, 3, 8, 8)).main.shape == (1, 4, 8, 8)
