"""A thread that is silent prints nothing; the others go on."""

import sys
import threading

import numpy as np

from cornu.core.silence import silence
from cornu.data.dataset import Dataset


def test_threads_that_overlap_are_silent_alone_and_the_stream_comes_back(capsys):
    before = sys.stdout
    inside, leave = threading.Barrier(2), threading.Event()

    def other():
        with silence():
            inside.wait()
            print("lost")
            leave.wait()
            print("lost too")

    thread = threading.Thread(target=other)
    thread.start()
    with silence():
        inside.wait()
        print("lost as well")
    print("shown")
    leave.set()
    thread.join()
    print("shown again")
    assert sys.stdout is before
    assert capsys.readouterr().out == "shown\nshown again\n"


def test_prints_after_a_map_in_threads_are_shown(capsys):
    def change(x):
        return x + np.float32(np.asarray(x).sum())  # numpy: runs row by row, in threads

    for _ in range(5):
        rows = Dataset.from_tensor_slices(np.ones((16, 2), "float32")).map(change, num_parallel_calls=4)
        assert len(list(rows.batch(4))) == 4
        print("shown")
    assert capsys.readouterr().out == "shown\n" * 5
