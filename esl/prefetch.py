"""Work done ahead in threads, so that reading, computing and writing overlap.

numpy, h5py, Pillow, ISA-L and torch release the interpreter's lock while they work. Python 3.14 can do the same:
``Executor.map(..., buffersize=...)``.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(work: Callable[[T], R], items: Iterable[T], workers: int = 1) -> Iterator[R]:
    """``work`` on each of ``items``, in threads, in the order of the items.

    At most 2 * ``workers`` results are in progress or waiting, so memory does not grow with the number of items. The
    calling thread draws the items; with ``workers`` 0 it also does the work. An error in ``work`` is raised when its
    result is taken, and no further item is started.
    """
    if not workers:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[R]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(work, item))
                if len(pending) == 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
