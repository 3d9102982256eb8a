"""The mean teacher: a moving average of the network that is trained (Tarvainen & Valpola 2017)."""

import copy
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from esl.models.execution import batch_norms
from esl.models.network import as_input
from esl.training.terms.ema.settings import Statistics


class Teacher:
    """A copy of the student that follows it slowly; it is no part of the graph and computes in the same precision."""

    def __init__(
        self,
        student: nn.Module,
        fabric: Fabric,
        *,
        alpha: float,
        statistics: Statistics = "average",
        flip: bool = False,
    ) -> None:
        self.network = copy.deepcopy(student).requires_grad_(False).eval()
        if statistics == "batch":
            for norm in batch_norms(self.network):
                norm.train()
        self._student, self._fabric = student, fabric
        self._alpha, self._statistics, self._flip = alpha, statistics, flip

    @torch.no_grad()
    def probability(self, image_N3HW: Tensor) -> Tensor:
        """Softmax of RGB images (N, 3, H, W) uint8 at the network's stride: (N, C, h, w) float32."""
        probability_NChw = self._softmax(image_N3HW)
        if self._flip:
            probability_NChw = (probability_NChw + self._softmax(image_N3HW.flip(-1)).flip(-1)) / 2
        return probability_NChw

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Moves towards the student after its step number ``step``, from 1.

        The first steps keep 1 - 1 / (step + 1) of the teacher: it then is the mean of its start and of all students.
        """
        average = get_ema_multi_avg_fn(min(1 - 1 / (step + 1), self._alpha))  # type: ignore[no-untyped-call]
        average([*self.network.parameters()], [*self._student.parameters()], None)
        if self._statistics == "batch":  # its own passes update them
            return
        pairs = [*zip(self.network.buffers(), self._student.buffers(), strict=True)]
        averaged = [pair for pair in pairs if self._statistics == "average" and pair[0].is_floating_point()]
        if averaged:
            average([mine for mine, _ in averaged], [theirs for _, theirs in averaged], None)
        for mine, theirs in pairs:
            if self._statistics == "copy" or not mine.is_floating_point():
                mine.copy_(theirs)

    def state_dict(self) -> dict[str, Any]:
        """Weights and statistics."""
        return self.network.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that ``state_dict`` returned."""
        self.network.load_state_dict(state)

    def _softmax(self, image_N3HW: Tensor) -> Tensor:
        with self._fabric.autocast():
            logits: Tensor = self.network(as_input(image_N3HW)).main
        return logits.float().softmax(dim=1)
