import threading
import time

import pytest

from cornu.data.prefetch import prefetched


def test_items_come_prepared_and_in_order():
    assert list(prefetched(range(20), lambda item: item * 2)) == list(range(0, 40, 2))


def test_only_a_few_are_made_ahead():
    made = []
    items = prefetched(iter(range(100)), lambda item: made.append(item) or item, depth=2)
    assert next(items) == 0
    time.sleep(0.2)
    assert len(made) <= 4
    items.close()


def test_they_are_made_in_another_thread_while_the_first_is_used():
    threads = set()
    list(prefetched(range(3), lambda item: threads.add(threading.get_ident())))
    assert threads.isdisjoint({threading.get_ident()})


def test_an_error_is_raised_where_it_happened():
    def items():
        yield 1
        yield 2
        raise KeyError("lost")

    received = []
    with pytest.raises(KeyError, match="lost"):
        received.extend(iter_into(received, prefetched(items(), lambda item: item)))
    assert received == [1, 2]


def iter_into(received, items):
    """Put items into a list as they come, so that those before an error are seen."""
    for item in items:
        received.append(item)
    return []


def test_closing_ends_the_thread():
    items = prefetched(iter(int, 1), lambda item: item)
    next(items)
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "cornu-prefetch" and thread.is_alive()]
