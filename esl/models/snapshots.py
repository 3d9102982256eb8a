"""Snapshots of a training: checkpoints of single iterations, in a folder next to the final one."""

from pathlib import Path

from esl.errors import InputError


def snapshot_path(checkpoint: Path, iteration: int) -> Path:
    """The path of the snapshot after ``iteration`` iterations of the training that ends in ``checkpoint``."""
    return checkpoint.with_name("snapshots") / f"{iteration:07d}.pt"


def remove_other_snapshots(checkpoint: Path, every: int, iterations: int) -> None:
    """Removes the snapshots of earlier trainings next to ``checkpoint``; with ``every`` 0, all snapshots."""
    kept = {snapshot_path(checkpoint, number) for number in range(every, iterations, every)} if every else set()
    for stale in set(checkpoint.with_name("snapshots").glob("*.pt")) - kept:
        stale.unlink()


def find_snapshots(checkpoint: Path) -> dict[int, Path]:
    """Iteration -> path of every snapshot next to ``checkpoint``, in order.

    Raises:
        InputError: there are none.
    """
    snapshots = {int(path.stem): path for path in sorted(checkpoint.with_name("snapshots").glob("[0-9]*.pt"))}
    if not snapshots:
        raise InputError(
            f"{checkpoint}: its training kept no snapshots; set training.snapshot_every, delete the file, train again"
        )
    return snapshots
