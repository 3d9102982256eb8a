"""MinEnt: low entropy on the target (Vu et al. 2019, section 3.1)."""

from torch import Tensor

from esl.training.losses import outputs, upsampled, weighted_sum
from esl.training.terms.base import TargetBatch, TargetTerm, TermContext
from esl.training.terms.entropy import minent_loss
from esl.training.terms.minent.settings import MinEntSettings


class MinEnt(TargetTerm):
    """The mean normalised entropy of every output."""

    def __init__(self, settings: MinEntSettings, context: TermContext) -> None:
        self._weights = (settings.weight, settings.auxiliary_weight)
        self._stride = context.label_stride

    def loss(self, batch: TargetBatch) -> Tensor:
        """The weighted sum over the outputs, a scalar."""
        height, width = batch.label.shape[-2:]
        maps = (upsampled(output, (height, width), self._stride) for output in outputs(batch.logits))
        return weighted_sum(self._weights, [minent_loss(logits.softmax(dim=1)) for logits in maps])
