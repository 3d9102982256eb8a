"""The time that a call takes."""

import time
from collections.abc import Callable


def best_ms(call: Callable[[], object], repeats: int = 7) -> float:
    """Milliseconds of the fastest of several calls: the one that other processes disturbed least."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds)
