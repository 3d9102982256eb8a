"""The output contract of every network, on the small one and on those that are quick enough to build."""

import pytest
import torch
from torchvision.models import segmentation

from esl.models.build import build_network
from esl.models.registry import NETWORKS

QUICK = ["small", "lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large"]
OF_TORCHVISION = [name for name, entry in NETWORKS.items() if "torchvision:" in entry.factory]


@pytest.mark.parametrize(("height", "width"), [(32, 64), (33, 50), (16, 16)])
def test_small_logits_come_at_a_quarter_of_the_size_rounded_up(height: int, width: int) -> None:
    network = build_network("small", 7).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, 3, height, width))
    assert logits.main.shape == (2, 7, -(-height // 4), -(-width // 4))
    assert logits.auxiliary is None


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in OF_TORCHVISION],
)
def test_torchvisions_networks_give_at_their_stride_what_torchvision_upsamples(name: str) -> None:
    torch.manual_seed(0)
    network = build_network(name, 5).eval()
    theirs = getattr(segmentation, name)(weights=None, weights_backbone=None, num_classes=5, aux_loss="ras" not in name)
    theirs.load_state_dict(network.state_dict())
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        ours = network(image)
        mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        expected = theirs.eval()((image - mean) / std)
    for output, key in ((ours.main, "out"), (ours.auxiliary, "aux")):
        if output is None:
            assert key not in expected
            continue
        assert output.shape[-1] in (96 // 8, 96 // 16)
        upsampled = torch.nn.functional.interpolate(output, size=(64, 96), mode="bilinear", align_corners=False)
        torch.testing.assert_close(upsampled, expected[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", QUICK)
def test_in_evaluation_an_image_does_not_depend_on_the_rest_of_its_batch(name: str) -> None:
    network = build_network(name, 5).eval()
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together = network(images).main
        alone = torch.cat([network(image[None]).main for image in images])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", QUICK)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build_network(name, 5).train()
    sum(output.square().sum() for output in network(torch.rand(2, 3, 64, 64)) if output is not None).backward()
    silent = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


@pytest.mark.parametrize("name", QUICK)
def test_the_global_seed_alone_decides_fresh_weights(name: str) -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(torch.cat([value.ravel() for value in build_network(name, 5).parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
