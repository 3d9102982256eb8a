"""AdvEnt's two discriminators, their optimisers, and how they and the network train each other (Vu et al. 2019)."""

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from esl.models.logits import Logits
from esl.training.losses import upsampled
from esl.training.terms.advent.discriminator import BETAS, Discriminator
from esl.training.terms.entropy import Domain, adversarial_loss, weighted_self_information

Seen = tuple[Logits, tuple[int, int]]
"""What a network says of a batch of pictures, and (H, W) of the pictures."""


class Adversary:
    """One discriminator for each output of the network, trained beside it."""

    def __init__(self, network: nn.Module, learning_rate: float, fabric: Fabric) -> None:
        """Fresh discriminators for every output of ``network``; the global torch seed decides their weights."""
        self._fabric = fabric
        pairs = []
        for num_classes in _classes_of_outputs(network, fabric.device):
            discriminator = Discriminator(num_classes)
            pairs.append((discriminator, torch.optim.Adam(discriminator.parameters(), lr=learning_rate, betas=BETAS)))
        self._own = pairs
        self._pairs = [fabric.setup(discriminator, optimizer) for discriminator, optimizer in pairs]
        self._rate = learning_rate

    def losses(self, target: Logits, size: tuple[int, int], stride: int) -> list[Tensor]:
        """For each output, how well its target maps are told from source maps: what the network shall make smaller.

        The discriminators themselves learn nothing from it.
        """
        losses = []
        for (discriminator, _), logits in zip(self._own, outputs(target), strict=True):
            discriminator.requires_grad_(False)  # not through fabric: its processes would wait for gradients
            losses.append(adversarial_loss(discriminator(self_information(logits, size, stride)), "source"))
        return losses

    def step(self, source: Seen, target: Seen, stride: int, factor: float) -> None:
        """One step of every discriminator on maps of both domains, which are not trained; ``factor`` scales its rate.

        Each domain's loss counts half, as in ADVENT's public code.
        """
        domains: dict[Domain, Seen] = {"source": source, "target": target}
        for number, (discriminator, optimizer) in enumerate(self._pairs):
            discriminator.requires_grad_(True)
            for group in optimizer.param_groups:
                group["lr"] = self._rate * factor
            optimizer.zero_grad()
            losses = []
            for domain, (logits, size) in domains.items():
                map_ = self_information(outputs(logits)[number].detach(), size, stride)
                losses.append(adversarial_loss(discriminator(map_), domain))
            self._fabric.backward(torch.stack(losses).mean())
            optimizer.step()

    def state_dict(self) -> list[dict[str, Any]]:
        """Weights and optimiser of every discriminator."""
        return [{"network": net.state_dict(), "optimizer": optimizer.state_dict()} for net, optimizer in self._own]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Puts back what ``state_dict`` returned."""
        for (net, optimizer), state in zip(self._own, states, strict=True):
            net.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])


def outputs(logits: Logits) -> list[Tensor]:
    """The outputs that a network has: the main one, and the auxiliary one where there is one."""
    return [logits.main] if logits.auxiliary is None else [logits.main, logits.auxiliary]


def self_information(logits_NChw: Tensor, size: tuple[int, int], stride: int) -> Tensor:
    """Weighted self-information of the softmax of upsampled logits, as AdvEnt trains (not as maps are made)."""
    return weighted_self_information(upsampled(logits_NChw, size, stride).softmax(dim=1))


def _classes_of_outputs(network: nn.Module, device: torch.device) -> list[int]:
    """The number of classes of each output; found by a look at a black picture, which moves no statistics."""
    training = network.training
    network.eval()
    with torch.no_grad():
        found = [output.shape[1] for output in outputs(network(torch.zeros((1, 3, 64, 64), device=device)))]
    network.train(training)
    return found
