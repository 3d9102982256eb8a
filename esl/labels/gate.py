"""The gate before a round: are the teacher's predictions on the target still worth learning from?

Self-training feeds on itself: a teacher that has lost a class, or is sure of everything, makes a student that is worse,
round after round. The gate checks sums over the target training set, without any label.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from esl.errors import Problem
from esl.labels.thresholds import Thresholds
from esl.settings import Number, Settings


class GateSettings(Settings):
    """Checks every teacher before a round is trained, and stops collapsed ones."""

    action: Literal["stop", "warn", "ignore"] = Field(
        "stop",
        description="What happens when a check fails: `stop` the workflow before the round is trained; `warn` in the "
        "log and in gate.json; `ignore`: no check.",
    )
    kept_min: Number = Field(0.05, ge=0, le=1, description="Smallest share of all pixels that a method may keep.")
    kept_max: Number = Field(0.95, ge=0, le=1, description="Largest share of all pixels that a method may keep.")
    class_min: Number = Field(
        0.0001,
        ge=0,
        le=1,
        description="A class that the previous teacher predicted for at least this share of all pixels may not vanish.",
    )
    entropy_min: Number = Field(
        0.1, ge=0, le=1, description="Smallest mean entropy, as a share of that of the previous teacher."
    )

    @model_validator(mode="after")
    def _kept_min_is_less(self) -> Self:
        if self.kept_min > self.kept_max:
            raise ValueError(f"kept_min: expected at most kept_max, {self.kept_max}, but got {self.kept_min}")
        return self


def objections(now: Thresholds, previous: Thresholds | None, gate: GateSettings) -> list[Problem]:
    """The failed checks of the round of ``now``, whose text gives the reason not to train it.

    ``previous`` belongs to the same method's previous round; ``None`` for a first round.
    """
    found = []
    predicted = {name: entry.pixels for name, entry in now.classes.items() if entry.pixels}
    if len(predicted) == 1:
        found.append(Problem((), f"the teacher predicts only {next(iter(predicted))!r}"))
    if now.measure is not None and now.kept is not None and not gate.kept_min <= now.kept <= gate.kept_max:
        bounds = f"[{gate.kept_min:.1%}, {gate.kept_max:.1%}]"
        found.append(Problem((), f"{now.kept:.1%} of all pixels are kept, which is outside of {bounds}"))
    if previous is not None:
        enough = max(1, gate.class_min * sum(entry.pixels for entry in previous.classes.values()))
        before = {name for name, entry in previous.classes.items() if entry.pixels >= enough}
        if lost := [name for name in now.classes if name in before and name not in predicted]:
            names = ", ".join(map(repr, lost))
            found.append(Problem((), f"the teacher no longer predicts {names}, which the previous one did"))
        if now.mean_entropy < gate.entropy_min * previous.mean_entropy:
            fall = f"from {previous.mean_entropy:.4f} to {now.mean_entropy:.4f}"
            found.append(Problem((), f"the mean entropy fell {fall}: the teacher is sure of everything"))
    return found


def unchecked(now: Thresholds) -> list[Problem]:
    """The checks that ``objections`` cannot make for the round of ``now``, with the reason."""
    if now.kept is None:
        text = f"the kept share: thresholds of {now.method} depend on the image, so pseudo_labels.json has it"
        return [Problem((), text)]
    return []
