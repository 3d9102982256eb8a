"""The config's `training` section: read while jobs are planned, by no stage, so an edit here retrains nothing."""

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator

from esl.data.settings import AugmentationSettings
from esl.settings import subset, without_nulls
from esl.training.settings import (
    OptimizationSettings,
    ScheduleSettings,
    SelfTrainingSettings,
    TargetBatch,
    TargetBatchSettings,
    TargetSettings,
)
from esl.training.terms.build import term_settings
from esl.training.terms.registry import TERMS

WITHOUT_TERM = {"none": "source", "abn": "adapted"}
"""Adaptations of the source stage without a target term -> the teacher of first rounds."""


def term_of(adaptation: str) -> str | None:
    """The target term that an `adaptation` names; ``None`` where it names none."""
    return None if adaptation in WITHOUT_TERM else adaptation


def start_of_rounds(adaptation: str) -> str:
    """The teacher of first rounds, given the `adaptation` of the source stage; with a term it has the term's name."""
    return WITHOUT_TERM.get(adaptation, adaptation)


def _checked_adaptation(name: str, others: Collection[str]) -> str:
    if name not in (*others, *TERMS):
        raise ValueError(f"expected one of {', '.join((*others, *TERMS))}")
    return name


SourceAdaptation = Annotated[str, AfterValidator(lambda name: _checked_adaptation(name, WITHOUT_TERM))]
RoundAdaptation = Annotated[str, AfterValidator(lambda name: _checked_adaptation(name, ["none"]))]


class SourceSettings(ScheduleSettings, TargetBatchSettings):
    """Training of the source model; keys about target images belong to a target term."""

    target_batch: TargetBatch = 1
    adaptation: SourceAdaptation = Field(
        "none",
        description="Which model teaches the first round; it is evaluated next to `source`. `none`: the source model. "
        "`abn`: the model `adapted`, the source model with the batch-norm statistics of the target images (AdaBN, Li "
        "et al. 2016). `minent` or `advent`: the model of that name, trained like the source model with a further "
        "loss: low entropy on the target, or entropy maps like those of the source (Vu et al. 2019). `ema`: the model "
        "of that name, trained on what a moving average of itself predicts for the target. No target label is read.",
        json_schema_extra={"enum": [*WITHOUT_TERM, *TERMS]},
    )


class RoundSettings(ScheduleSettings, SelfTrainingSettings):
    """Training of every self-training round."""

    adaptation: RoundAdaptation = Field(
        "none",
        description="A further loss on the target in addition to the pseudo-labels: `none`, `minent`, `advent`, or "
        "`ema`, online self-training with a moving average of the model as the teacher.",
        json_schema_extra={"enum": ["none", *TERMS]},
    )
    initial: Literal["source", "teacher", "pretrained", "fresh"] = Field(
        "source",
        description="Initial weights of a round: the `source` model (or the model that replaces it as the first "
        "teacher, see `adaptation` of the source stage and `after` of `methods`); its `teacher`, the model before it; "
        "the `pretrained` weights, as in the ESL paper; or `fresh` weights. A student with another network than its "
        "teacher takes one of the last two.",
    )


class TrainingConfig(OptimizationSettings, AugmentationSettings):
    """The config's `training`: how models train."""

    save_every: int = Field(
        200,
        ge=1,
        description="Number of iterations between the states (`last.pt`) that an interrupted training resumes from.",
    )
    snapshot_every: int = Field(
        0,
        ge=0,
        description="Number of iterations between checkpoints that are kept in `{model}/snapshots/` and scored on the "
        "validation labels; the best is reported as `best_snapshot`, marked as chosen by target labels. Most published "
        "figures are made like this, and it is not unsupervised. No stage uses that model. 0: none.",
    )
    tensorboard: bool = Field(
        False,
        description="Write the log also to event files of TensorBoard, in `{model}/tensorboard/`, while a model trains "
        "(the extra `tensorboard`). Changes no result.",
    )
    source: SourceSettings
    round: RoundSettings
    terms: Annotated[dict[str, dict[str, Any]], BeforeValidator(without_nulls)] = Field(
        default_factory=dict,
        validate_default=True,
        description="Settings of the target terms that an `adaptation` names, by term; null removes an entry.",
    )

    @field_validator("terms")
    @classmethod
    def _complete_terms(cls, terms: dict[str, dict[str, Any]], info: ValidationInfo) -> dict[str, dict[str, Any]]:
        """Each term's settings by its own class, defaults included, also of terms that only an adaptation names."""
        parts = [info.data[name] for name in ("source", "round") if name in info.data]  # without invalid ones
        named = {term for part in parts if (term := term_of(part.adaptation))}
        return {
            name: term_settings(name, terms.get(name, {})).model_dump(mode="json")
            for name in [*terms, *sorted(named - terms.keys())]
        }


def target_settings(
    part: SourceSettings | RoundSettings, target_size: str | int, terms: dict[str, dict[str, Any]]
) -> TargetSettings:
    """The target of the source stage with a term, or of a round: `training.source` or `training.round` of the config.

    ``target_size`` is the config's `target.size`, ``terms`` its `training.terms`.
    """
    shared = subset(part, SelfTrainingSettings if isinstance(part, RoundSettings) else TargetBatchSettings)
    term = term_of(part.adaptation)
    own = {} if term is None else term_settings(term, terms.get(term, {})).changed()
    return TargetSettings(**dict(shared), target_size=target_size, term=term, term_settings=own)
