"""AdvEnt's discriminators, their optimisers, and how they and the network train each other (Vu et al. 2019)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from esl.models.logits import Logits
from esl.training.losses import outputs, upsampled
from esl.training.terms.advent.discriminator import BETAS, Discriminator
from esl.training.terms.base import TermContext
from esl.training.terms.entropy import Domain, adversarial_loss, weighted_self_information

Labelled = tuple[Logits, Tensor]
"""A network's logits (N, C, h, w) of a batch, and the batch's labels (N, H, W); only the size of labels counts."""


class Adversary:
    """One discriminator for each output of the network, trained alongside it."""

    def __init__(self, learning_rate: float, context: TermContext) -> None:
        """Fresh discriminators for every output of the network; the global torch seed decides their weights."""
        self._fabric, self._stride = context.fabric, context.label_stride
        self._discriminators = [
            Discriminator(num_classes) for num_classes in _classes_of_outputs(context.network, context.fabric.device)
        ]
        self._optimizers = [
            torch.optim.Adam(each.parameters(), lr=learning_rate, betas=BETAS) for each in self._discriminators
        ]
        self._schedulers = [LambdaLR(optimizer, context.decay) for optimizer in self._optimizers]
        pairs = zip(self._discriminators, self._optimizers, strict=True)
        self._trained = [context.fabric.setup(discriminator, optimizer) for discriminator, optimizer in pairs]

    def losses(self, target: Logits, label: Tensor) -> list[Tensor]:
        """The adversarial loss of each output, a scalar: low where the discriminator takes its maps for source maps.

        The network minimises it; the discriminators learn nothing from it.
        """
        losses = []
        for discriminator, logits in zip(self._discriminators, outputs(target), strict=True):
            discriminator.requires_grad_(False)  # not through fabric: its processes would wait for gradients
            losses.append(adversarial_loss(discriminator(self._maps(logits, label)), "source"))
        return losses

    def step(self, source: Labelled, target: Labelled) -> None:
        """One optimiser step of every discriminator on detached maps of both domains.

        Each domain's loss counts half, as in ADVENT's public code.
        """
        domains: dict[Domain, Labelled] = {"source": source, "target": target}
        for number, (discriminator, optimizer) in enumerate(self._trained):
            discriminator.requires_grad_(True)
            optimizer.zero_grad()
            losses = []
            for domain, (logits, label) in domains.items():
                map_ = self._maps(outputs(logits)[number].detach(), label)
                losses.append(adversarial_loss(discriminator(map_), domain))
            self._fabric.backward(torch.stack(losses).mean())
            optimizer.step()
            self._schedulers[number].step()

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser and schedule of every discriminator."""
        return {name: [part.state_dict() for part in parts] for name, parts in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that ``state_dict`` returned."""
        for name, parts in self._parts().items():
            for part, content in zip(parts, state[name], strict=True):
                part.load_state_dict(content)

    def _parts(self) -> dict[str, list[Any]]:
        return {
            "discriminators": self._discriminators,
            "optimizers": self._optimizers,
            "schedulers": self._schedulers,
        }

    def _maps(self, logits_NChw: Tensor, label_NHW: Tensor) -> Tensor:
        """Weighted self-information (N, C, H, W) of the softmax of upsampled logits, at the compared pixels."""
        height, width = label_NHW.shape[-2:]
        return weighted_self_information(upsampled(logits_NChw, (height, width), self._stride).softmax(dim=1))


def _classes_of_outputs(network: nn.Module, device: torch.device) -> list[int]:
    """The number of classes of each output, from a forward pass on a black image in evaluation mode."""
    training = network.training
    network.eval()
    with torch.no_grad():
        logits: Logits = network(torch.zeros((1, 3, 64, 64), device=device))
    network.train(training)
    return [output.shape[1] for output in outputs(logits)]
