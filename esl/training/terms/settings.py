"""The base classes of target terms' settings."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from esl.settings import Number, Settings

if TYPE_CHECKING:
    from esl.training.settings import TrainSettings


class BaseTermSettings(Settings):
    """Settings of a target term: `training.terms.{name}` of the config."""

    def changed(self) -> dict[str, Any]:
        """The values that differ from the defaults."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def conflicts(self, training: "TrainSettings") -> list[str]:
        """Settings of ``training`` that the term cannot work with: a line for each, beginning with its config key."""
        return []


class OutputWeights(BaseTermSettings):
    """Weights of a term that has a loss for each output of the network; published by ADVENT (Vu et al. 2019)."""

    weight: Number = Field(
        1e-3, ge=0, description="Weight of the loss at the main output (section 4.1); the source's cross-entropy has 1."
    )
    auxiliary_weight: Number = Field(
        2e-4, ge=0, description="Weight of the loss at the auxiliary output (ADVENT's public settings)."
    )
