"""Snapshots of a training beside its checkpoint, each a checkpoint of its own: what an iteration had come to."""

from pathlib import Path

from esl.errors import InputError


def snapshot_path(checkpoint: Path, iteration: int) -> Path:
    """Where the snapshot after ``iteration`` iterations lies, of the training that ends in ``checkpoint``."""
    return checkpoint.with_name("snapshots") / f"{iteration:07d}.pt"


def remove_other_snapshots(checkpoint: Path, every: int, iterations: int) -> None:
    """Removes what trainings before left beside ``checkpoint``; ``every`` 0 keeps none."""
    kept = {snapshot_path(checkpoint, number) for number in range(every, iterations, every)} if every else set()
    for stale in set(checkpoint.with_name("snapshots").glob("*.pt")) - kept:
        stale.unlink()


def find_snapshots(checkpoint: Path) -> dict[int, Path]:
    """Iteration -> snapshot, in order, of those beside ``checkpoint``.

    Raises:
        InputError: there is none.
    """
    found = {int(path.stem): path for path in sorted(checkpoint.with_name("snapshots").glob("[0-9]*.pt"))}
    if not found:
        raise InputError(
            f"{checkpoint}: its training kept no snapshots; set training.snapshot_every, delete the file, train again"
        )
    return found
