"""Work done ahead: in order, bounded, and never swallowing an error."""

import threading
import time
from collections.abc import Iterator

import pytest

from esl.prefetch import prefetch


@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.01 / (1 + number))
        return number * number

    assert list(prefetch(slow_at_first, range(20), workers)) == [number * number for number in range(20)]


def test_nothing_to_do_gives_nothing() -> None:
    assert list(prefetch(str, [])) == []


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_no_more_than_twice_as_many_items_as_workers_are_drawn_ahead(workers: int) -> None:
    drawn = []

    def items() -> Iterator[int]:
        for number in range(50):
            drawn.append(number)
            yield number

    for taken, _ in enumerate(prefetch(str, items(), workers)):
        assert len(drawn) - taken <= max(1, 2 * workers)


def test_workers_work_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=10)  # passed only by three at once
    assert len(list(prefetch(lambda _: barrier.wait(), range(6), 3))) == 6


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_the_work_is_raised_when_its_result_is_taken(workers: int) -> None:
    started = []

    def work(number: int) -> int:
        started.append(number)
        if number == 3:
            raise KeyError("three")
        return number

    results = prefetch(work, range(100), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="three"):
        next(results)
    assert len(started) < 8


def test_an_error_of_the_items_is_raised_too() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        list(prefetch(str, items()))
