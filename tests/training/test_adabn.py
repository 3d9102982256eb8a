"""Adaptive batch norm: the statistics of the target, no weight moved, no label read."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream
from esl.errors import InputError
from esl.labels.png import train_id_table
from esl.models.build import build_network
from esl.training.adabn import adapt_batch_norm


def _stream(index: Index) -> Stream:
    """The images of an index, whole and without labels; half of them flipped on average."""
    files = [(index.image(sample), None) for sample in index.samples]
    pairs = Pairs(files, train_id_table(CLASS_SETS["cityscapes19"]), None)
    return Stream(pairs, AugmentationSettings(crop="24x16", min_scale=1.0, colour=0, blur=0), (0, 1))


def test_the_statistics_become_the_mean_and_variance_of_the_target_images(small_index: Index, fabric: Fabric) -> None:
    norm, stream = nn.BatchNorm2d(3), _stream(small_index)
    images = np.stack([stream[position][0] for position in range(5)]) / 255
    adapt_batch_norm(norm, stream, batch=5, fabric=fabric, workers=0)
    np.testing.assert_allclose(norm.running_mean, images.mean(axis=(0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, images.var(axis=(0, 2, 3), ddof=1), rtol=1e-5)


def test_batches_are_filled_and_weigh_the_same(small_index: Index, fabric: Fabric) -> None:
    norm, stream = nn.BatchNorm2d(3), _stream(small_index)
    batches = [[0, 1], [2, 3], [4, 5]]  # the pass ends within a second epoch: position 5 fills the last batch
    means = [np.mean([stream[position][0].numpy() / 255 for position in batch], axis=(0, 2, 3)) for batch in batches]
    adapt_batch_norm(norm, stream, batch=2, fabric=fabric, workers=0)
    np.testing.assert_allclose(norm.running_mean, np.mean(means, axis=0), rtol=1e-5)


def test_only_statistics_change(small_index: Index, fabric: Fabric) -> None:
    torch.manual_seed(0)
    network = build_network("small", 19).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    adapt_batch_norm(network, _stream(small_index), batch=2, fabric=fabric, workers=0)
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert changed == {name for name in before if name.endswith(buffers)}
    assert not network.training
    assert {module.momentum for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {0.1}


def test_a_network_without_batch_norm_is_refused(small_index: Index, fabric: Fabric) -> None:
    with pytest.raises(InputError, match="abn needs a network with batch norm"):
        adapt_batch_norm(nn.Conv2d(3, 19, 1), _stream(small_index), batch=2, fabric=fabric, workers=0)
