import asyncio
import logging
import threading
import time

import numpy as np
import pytest

from cornu.serve.batching import Batcher
from cornu.serve.limits import Limits, RequestError
from cornu.serve.metrics import Metrics


class Doubling:
    """Stands for a served model: it doubles its rows, as slowly as told, and notes the sizes of its batches."""

    name, sizes = "doubling", (1, 8)

    def __init__(self, seconds=0.02, slow=True):
        self.wait, self.slow, self.batches, self.threads = seconds, slow, [], set()

    def expected_seconds(self, rows):
        return 1.0 if self.slow or rows > 8 else 0.0

    def admit(self, arrays):
        return arrays[0].shape[1:]

    def compute(self, arrays):
        self.threads.add(threading.current_thread().name)
        time.sleep(self.wait)
        self.batches.append(len(arrays[0]))
        if (arrays[0] < 0).any():
            raise ArithmeticError("negative")
        return [arrays[0] * 2]


def run(served, questions, limits=None):
    """Submit arrays at once and return the answers, or the errors."""

    async def main():
        batcher = Batcher(served, limits or Limits(), Metrics())
        answers = await asyncio.gather(*(batcher.submit([one]) for one in questions), return_exceptions=True)
        await batcher.close()
        assert batcher.waiting == 0
        return answers

    return asyncio.run(main())


def rows(*values):
    return np.array(values, "float32")[:, None]


@pytest.mark.parametrize("slow", [True, False])
def test_requests_that_come_together_share_batches_and_get_their_own_rows(slow):
    served = Doubling(slow=slow)
    answers = run(served, [rows(*range(i, i + 1 + i % 3)) for i in range(20)])
    for i, [found] in enumerate(answers):
        assert found.tolist() == (2 * rows(*range(i, i + 1 + i % 3))).tolist()
    assert sum(served.batches) == sum(1 + i % 3 for i in range(20))
    assert max(served.batches) <= 8
    assert len(served.batches) <= 7
    assert any(name.startswith("cornu-") for name in served.threads) == slow


def test_a_request_larger_than_a_batch_goes_alone():
    served = Doubling()
    answers = run(served, [rows(1), rows(*range(20)), rows(2)])
    assert [len(found[0]) for found in answers] == [1, 20, 1]
    assert served.batches == [1, 20, 1]


def test_rows_of_different_shapes_do_not_share_a_batch():
    served = Doubling()
    answers = run(served, [rows(1), np.ones((1, 3), "float32"), rows(2)])
    assert [found[0].shape for found in answers] == [(1, 1), (1, 3), (1, 1)]
    assert served.batches == [1, 1, 1]


def test_a_crowd_waits_for_more_and_a_lone_client_does_not():
    served = Doubling(seconds=0)
    limits = Limits(gather=0.5)

    async def main():
        batcher = Batcher(served, limits, Metrics())
        started = time.perf_counter()
        await batcher.submit([rows(1)])
        alone = time.perf_counter() - started
        await asyncio.gather(batcher.submit([rows(1)]), batcher.submit([rows(2)]))
        started = time.perf_counter()
        first = asyncio.create_task(batcher.submit([rows(1)]))
        await asyncio.sleep(0.1)
        await asyncio.gather(first, *(batcher.submit([rows(i)]) for i in range(7)))
        full = time.perf_counter() - started  # eight rows are a whole batch: no longer wait
        await batcher.close()
        return alone, full

    alone, full = asyncio.run(main())
    assert alone < 0.4
    assert full < 0.4
    assert served.batches == [1, 2, 8]


def test_a_full_queue_refuses_and_serves_what_it_has():
    served = Doubling(seconds=0.1)
    answers = run(served, [rows(1, 2, 3) for _ in range(6)], Limits(queue=10))
    refused = [one for one in answers if isinstance(one, RequestError)]
    assert [one.status for one in refused] == [429] * 3
    assert [found[0].tolist() for found in answers[:3]] == [[[2], [4], [6]]] * 3


def test_rows_that_wait_may_not_fill_the_memory():
    served = Doubling(seconds=0.1)
    big = np.ones((1, 1000), "float32")
    answers = run(served, [big] * 5, Limits(bodies=9000))
    assert sum(isinstance(one, RequestError) and one.status == 429 for one in answers) == 3
    assert len(run(served, [big], Limits(bodies=10))[0][0]) == 1  # alone it is served, however large


def test_pictures_that_wait_are_counted():
    async def main():
        batcher = Batcher(Doubling(), Limits(drawings=2), Metrics())
        answers = await asyncio.gather(*(batcher.apart(time.sleep, 0.05) for _ in range(4)), return_exceptions=True)
        assert await batcher.apart(sum, [1, 2]) == 3
        await batcher.close()
        return [getattr(one, "status", one) for one in answers]

    assert asyncio.run(main()) == [None, None, 429, 429]


def test_pictures_that_wait_at_the_end_are_refused():
    async def main():
        batcher = Batcher(Doubling(), Limits(), Metrics())
        begun, go_on = threading.Event(), threading.Event()
        first = asyncio.ensure_future(batcher.apart(lambda: (begun.set(), go_on.wait(30))))
        second = asyncio.ensure_future(batcher.apart(sum, [1, 2]))
        await asyncio.to_thread(begun.wait, 30)
        batcher.stop()
        go_on.set()
        assert (await first)[1]
        with pytest.raises(RequestError, match="shutting down"):
            await second
        await batcher.close()

    asyncio.run(main())


def test_an_answer_that_takes_too_long():
    served = Doubling(seconds=0.4)
    first, second = run(served, [rows(*range(8)), rows(1)], Limits(seconds=0.1))
    assert first.status == second.status == 504
    assert "0.1 seconds" in first.message
    assert served.batches == [8]  # nobody waited for the second any more


@pytest.mark.parametrize("slow", [True, False])
def test_an_error_in_the_model_is_one_requests_error(caplog, slow):
    served = Doubling(seconds=0, slow=slow)
    with caplog.at_level(logging.CRITICAL, "cornu.serve"):
        first, second = run(served, [rows(*range(8)), rows(-1)])
    assert first[0].tolist()[7] == [14]
    assert second.status == 500
    assert "ArithmeticError" in second.message


def test_closing_finishes_what_waits_and_takes_no_more():
    served = Doubling(seconds=0.05)

    async def main():
        batcher = Batcher(served, Limits(), Metrics())
        waiting = [asyncio.create_task(batcher.submit([rows(*range(8))])) for _ in range(3)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as caught:
            await batcher.submit([rows(1)])
        await closing
        return caught.value.status, [len(found[0]) for found in await asyncio.gather(*waiting)]

    assert asyncio.run(main()) == (503, [8, 8, 8])


def at_once(served, array, prepare=lambda batcher: None, limits=None):
    """Return what a batcher computes at once, and its metrics."""

    async def main():
        batcher = Batcher(served, limits or Limits(), Metrics())
        prepare(batcher)
        found = batcher.at_once([array])
        for job in batcher.queue:
            job.drop()
        return found, batcher.metrics.batched["doubling"]

    return asyncio.run(main())


def test_the_rows_of_an_only_client_are_computed_at_once():
    served = Doubling(slow=False)
    [found], count = at_once(served, rows(1, 2))
    assert found.tolist() == [[2], [4]]
    assert (served.batches, count) == ([2], 1)
    assert not any(name.startswith("cornu-") for name in served.threads)


@pytest.mark.parametrize(
    ("slow", "size", "prepare", "limits"),
    [
        (True, 1, lambda batcher: None, None),
        (False, 9, lambda batcher: None, None),  # more than a batch takes
        (False, 2, lambda batcher: None, Limits(queue=1)),
        (False, 1, lambda batcher: batcher.put([rows(1)], print), None),
        (False, 1, lambda batcher: setattr(batcher, "_closed", True), None),
    ],
)
def test_what_takes_long_or_has_to_wait_is_for_the_queue(slow, size, prepare, limits):
    served = Doubling(slow=slow)
    assert at_once(served, rows(*range(size)), prepare, limits) == (None, 0)
    assert not served.batches


def test_an_error_at_once_is_said_as_of_a_batch(caplog):
    found, _ = at_once(Doubling(slow=False), rows(-1))
    assert (found.status, found.message) == (500, "Running the model failed: ArithmeticError.")
    assert "A batch of 1 requests failed" in caplog.text
