"""AdvEnt: entropy maps of the target that look like those of the source (Vu et al. 2019, section 3.2)."""

from typing import Any

from torch import Tensor

from esl.training.losses import weighted_sum
from esl.training.terms.advent.adversary import Adversary
from esl.training.terms.advent.settings import AdvEntSettings
from esl.training.terms.base import TargetBatch, TargetTerm, TermContext


class AdvEnt(TargetTerm):
    """The network learns to deceive a discriminator for each output, which learns after each of its steps."""

    def __init__(self, settings: AdvEntSettings, context: TermContext) -> None:
        self._weights = (settings.weight, settings.auxiliary_weight)
        self._adversary = Adversary(settings.discriminator_rate, context)

    def loss(self, batch: TargetBatch) -> Tensor:
        """The weighted adversarial loss over the outputs, a scalar."""
        return weighted_sum(self._weights, self._adversary.losses(batch.logits, batch.label))

    def after_step(self, batch: TargetBatch) -> None:
        """One step of every discriminator."""
        self._adversary.step((batch.source_logits, batch.source_label), (batch.logits, batch.label))

    def state_dict(self) -> dict[str, Any]:
        """The discriminators, their optimisers and learning rates."""
        return self._adversary.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that ``state_dict`` returned."""
        self._adversary.load_state_dict(state)
