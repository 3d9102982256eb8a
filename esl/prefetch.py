"""Work done ahead in threads, so that reading, computing and writing overlap.

numpy, h5py, Pillow, ISA-L and torch let go of the interpreter's lock while they work.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(work: Callable[[T], R], items: Iterable[T], workers: int = 1) -> Iterator[R]:
    """``work`` on each of ``items``, in threads, in the order of the items.

    At most 2 * ``workers`` items are under way or wait to be taken, so memory does not grow with their number. Items
    are drawn in the thread that takes results, which without ``workers`` also does the work. An error of ``work`` is
    raised where its result is taken, and nothing more is begun.
    """
    if not workers:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        begun: deque[Future[R]] = deque()
        try:
            for item in items:
                begun.append(pool.submit(work, item))
                if len(begun) == 2 * workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
