"""Losses of entropy maps, shared by MinEnt and AdvEnt (ADVENT, Vu et al. 2019).

Shape suffixes: N images, C classes, H W pixels.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Domain = Literal["source", "target"]

DOMAIN_LABELS: dict[Domain, float] = {"source": 0.0, "target": 1.0}
"""The discriminator's label of each domain (as in ADVENT's public code)."""

EPSILON = 1e-30
"""Added to a probability before its logarithm is taken: 0 log 0 = 0, and the gradient stays finite (public code)."""


def weighted_self_information(probability_NCHW: Tensor) -> Tensor:
    """- p_c log2 p_c / log2 C per class (Vu et al. 2019, section 3.2): the discriminator's input.

    (N, C, H, W) float in [0, 1] -> (N, C, H, W) float32; the sum over the classes is the normalised entropy.

    >>> weighted_self_information(torch.tensor([0.5, 0.25, 0.25, 0.0]).reshape(1, 4, 1, 1)).flatten().abs().tolist()
    [0.25, 0.25, 0.25, 0.0]
    """
    probability = probability_NCHW.float()
    return -probability * torch.log2(probability + EPSILON) / math.log2(probability.shape[1])


def minent_loss(probability_NCHW: Tensor) -> Tensor:
    """The mean normalised entropy of all pixels, in [0, 1] (Vu et al. 2019, section 3.1), a float32 scalar.

    ``probability_NCHW`` (N, C, H, W) float in [0, 1], the softmax of upsampled logits. Unlike
    ``normalised_entropy`` of ``esl.labels.measures.entropy`` its gradient is finite at a probability of 0.

    >>> minent_loss(torch.tensor([[0.5, 1.0], [0.5, 0.0]]).reshape(1, 2, 1, 2)).item()
    0.5
    """
    return weighted_self_information(probability_NCHW).sum(dim=1).mean()


def adversarial_loss(discriminator_logits: Tensor, domain: Domain) -> Tensor:
    """Binary cross-entropy of logits of any shape against one domain's label, averaged: a float32 scalar.

    The discriminator learns the label of each map's own domain (ADVENT halves both losses); the network learns to have
    its target maps taken for ``source``.

    >>> round(adversarial_loss(torch.zeros(1, 1, 2, 2), "source").item(), 4)
    0.6931
    """
    logits = discriminator_logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, DOMAIN_LABELS[domain]))
