"""Draws the target images to label: some for scores, others for training, never the same."""

from collections.abc import Sequence

import numpy as np

from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.labelling.contents import Drawn, DrawnImage
from esl.labelling.draws.base import Chosen, Evidence
from esl.labelling.draws.build import draw_named
from esl.labelling.settings import DrawSettings

MEASURE, TRAIN = 0, 1
"""Independent random numbers: another number of images for scores moves none of those for training."""


def draw_images(evidence: Evidence, validation: Index, settings: DrawSettings) -> Drawn:
    """The images to label: of ``validation`` at random for scores, of the training images by the rule of ``settings``.

    A validation set that has labels is scored on them: nothing is drawn of it, and none of its images for training.
    The same image under two names counts once; an id names one image of both sets together.

    Raises:
        InputError: no image is left to draw, or the rule is unknown.
    """
    measure = drawn_for_scores(validation, settings.measure, settings.seed)
    scored = {sample.image_sha256 for sample in (*validation.labelled, *(sample for sample, _ in measure))}
    taken = {sample.id for sample, _ in measure}
    candidates = _distinct([sample for sample in evidence.index.samples if sample.id not in taken], scored)
    if settings.train and not candidates:
        raise InputError(
            f"{evidence.index.root}: every image of {evidence.index.split!r} is one that scores are measured on, so "
            "none is left to label for training; give target.train_split other images than target.val_split"
        )
    rng = np.random.default_rng([settings.seed, TRAIN])
    train = draw_named(settings.draw).choose(candidates, settings.train, evidence, rng)
    return Drawn(rule=settings.draw, seed=settings.seed, measure=_drawn(measure), train=_drawn(train))


def drawn_for_scores(validation: Index, count: int, seed: int) -> list[Chosen]:
    """Images of ``validation`` drawn at random; none if any of it has a label."""
    if validation.labelled:
        return []
    rng = np.random.default_rng([seed, MEASURE])
    return draw_named("random").choose(_distinct(validation.samples, set()), count, Evidence(validation), rng)


def _distinct(samples: Sequence[IndexedSample], without: set[str]) -> list[IndexedSample]:
    """The samples whose image, by content, is not in ``without``, each content once."""
    first = {sample.image_sha256: sample for sample in reversed(samples) if sample.image_sha256 not in without}
    return sorted(first.values(), key=lambda sample: sample.id)


def _drawn(chosen: Sequence[Chosen]) -> dict[str, DrawnImage]:
    return {
        sample.id: DrawnImage(image=sample.image, sha256=sample.image_sha256, score=score) for sample, score in chosen
    }
