"""The gate before a round: is what the teacher says of the target still worth learning from?

Self-training feeds on itself: a teacher that has lost a class, or is sure of everything, makes a student that is worse,
round after round. What is looked at are sums over the target training set, without any label.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Gate:
    """What is tolerated."""

    kept_min: float = 0.05  # share of all pixels that the rule keeps, at least
    kept_max: float = 0.95  # and at most
    class_min: float = 0.0001  # share of all pixels from which on a class may not vanish from one teacher to the next
    entropy_min: float = 0.1  # mean entropy, as a share of that of the teacher before


Thresholds = Mapping[str, Any]
"""The content of a thresholds.json."""


def objections(now: Thresholds, before: Thresholds | None, gate: Gate) -> list[str]:
    """Why the round of ``now`` should not be trained, in words; empty where there is no reason.

    ``before`` is of the same method's round before, whose teacher is this one's own; ``None`` for a first round.
    """
    found = []
    predicted = {name: entry["pixels"] for name, entry in now["classes"].items() if entry["pixels"]}
    if len(predicted) == 1:
        found.append(f"the teacher predicts nothing but {next(iter(predicted))!r}")
    if now["measure"] is not None and not gate.kept_min <= now["kept"] <= gate.kept_max:
        bounds = f"[{gate.kept_min:.1%}, {gate.kept_max:.1%}]"
        found.append(f"{now['kept']:.1%} of all pixels are kept, which lies outside of {bounds}")
    if before is not None:
        total = sum(entry["pixels"] for entry in before["classes"].values())
        had = {name for name, entry in before["classes"].items() if entry["pixels"] >= max(1, gate.class_min * total)}
        if lost := [name for name in now["classes"] if name in had and name not in predicted]:
            found.append(f"the teacher no longer predicts {', '.join(map(repr, lost))}, which the one before did")
        if now["mean_entropy"] < gate.entropy_min * before["mean_entropy"]:
            found.append(
                f"the mean entropy fell from {before['mean_entropy']:.4f} to {now['mean_entropy']:.4f}: the teacher is "
                "sure of everything"
            )
    return found
