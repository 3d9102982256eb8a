"""The log of a training as event files of TensorBoard, written while it trains."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from esl.errors import InputError
from esl.training.resume import Row


@contextmanager
def event_files(folder: Path) -> Iterator[Callable[[Row], None]]:
    """A function that writes one row of the log to event files in ``folder``.

    The files of an earlier start are removed: a resumed training writes the rows before the interruption again.

    Raises:
        InputError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter  # an extra, which takes a second to import
    except ImportError:
        raise InputError(
            "training.tensorboard: TensorBoard is not installed (pip install 'esl[tensorboard]')"
        ) from None
    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(folder) as writer:

        def write(row: Row) -> None:
            for name, value in row.items():
                if name != "iteration":
                    writer.add_scalar(name, value, int(row["iteration"]))
            writer.flush()

        yield write
