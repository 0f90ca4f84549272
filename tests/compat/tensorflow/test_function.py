"""``tf.function`` where a program's shapes depend on values, arguments are texts, and threads call it at once.

What is expected for shapes is what TensorFlow 2.21 gave.
"""

import threading

import numpy as np
import pytest

from cornu.compat.tensorflow.function import Function, function
from cornu.compat.tensorflow.functions import TYPES, constant, ones, pad, range, reshape, tile, zeros
from cornu.compat.tensorflow.meanings import sequence_mask
from cornu.compat.tensorflow.random import uniform
from cornu.compat.tensorflow.strings import lower, text_tensor
from cornu.compat.tensorflow.tensors import TensorSpec
from cornu.compat.tensorflow.training import fill

X = np.arange(12, dtype="float32").reshape(6, 2)


def counted(n):
    total = zeros([n])
    for number in range(n):
        if number > 0:
            total = total + 1
    return total


CASES = {
    "range": (lambda n: range(n), [0, 1, 2]),
    "part of a range": (lambda n: range(0, 10, n)[:-1], [0, 3, 6]),
    "length": (lambda n: len(range(n)) + 0 * n, 3),
    "zeros": (lambda n: zeros([n, 1]), [[0], [0], [0]]),
    "ones": (lambda n: ones((n,)), [1, 1, 1]),
    "fill": (lambda n: fill([n], 2.0), [2, 2, 2]),
    "reshape": (lambda n: reshape(X, [n, -1]), X.reshape(3, 4)),
    "slice": (lambda n: constant(X)[:n], X[:3]),
    "slice from": (lambda n: constant(X)[n : n + 2, 0], X[3:5, 0]),
    "step": (lambda n: constant(X)[::n], X[::3]),
    "tile": (lambda n: tile(constant(X), [n, 1]), np.tile(X, (3, 1))),
    "pad": (lambda n: pad(constant(X), [[0, n], [0, 0]]), np.pad(X, [(0, 3), (0, 0)])),
    "mask": (lambda n: sequence_mask([1, 2], n), [[True, False, False], [True, True, False]]),
    "loop": (counted, [2, 2, 2]),
}


@pytest.mark.parametrize("name", CASES)
def test_shapes_may_depend_on_values(name):
    body, expected = CASES[name]
    np.testing.assert_array_equal(Function(body)(constant(3)), expected)


def test_a_loop_over_a_range_of_a_tensor_is_still_compiled():
    @function
    def power(x, n):
        for _ in range(n):
            x = x * 2
        return x

    assert float(power(constant(1.0), constant(5))) == 32
    assert power.experimental_get_tracing_count() == 1


def test_a_signature_holds_for_defaults_and_names():
    class Scaled:
        @function(input_signature=(TensorSpec([None], TYPES["float32"]), TensorSpec([], TYPES["int32"])))
        def __call__(self, x, times=2):
            return x * times

    scaled = Scaled()
    assert scaled([1, 2]).tolist() == [2, 4]
    assert scaled([1, 2], 3).tolist() == [3, 6]
    assert scaled(x=[1], times=4).tolist() == [4]


def test_texts_are_arguments():
    @function
    def small(texts):
        return lower(texts)

    assert [small(text_tensor([one]))[0].numpy() for one in ("A", "Bc")] == [b"a", b"bc"]


def test_threads_that_trace_at_once_all_get_a_result():
    @function
    def halves(x):
        if uniform(()) > 2.0:
            x = x + 1
        return x / 2

    start, found = threading.Barrier(4), []

    def call(size):
        start.wait()
        found.append(halves(np.ones(size, "float32")).tolist())

    threads = [threading.Thread(target=call, args=(size,)) for size in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [[0.5] * size for size in (1, 2, 3, 4)]
