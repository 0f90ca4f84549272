"""``minimize`` and ``compute_gradients`` of tf.keras's optimizers."""

import numpy as np
import pytest

from cornu import optimizers
from cornu.compat.tensorflow.function import Function
from cornu.compat.tensorflow.tape import GradientTape
from cornu.core.variable import Variable

pytestmark = pytest.mark.old_spellings


def test_a_function_or_a_tensor_with_its_tape_is_minimized():
    w, b, optimizer = Variable(2.0), Variable(1.0), optimizers.SGD(0.1)
    assert int(optimizer.minimize(lambda: w * w, [w])) == 1
    assert float(w) == pytest.approx(1.6)
    with GradientTape() as tape:
        loss = w * w * b
    optimizer.minimize(loss, lambda: [w, b], tape=tape)
    assert (float(w), float(b)) == (pytest.approx(1.6 - 0.32), pytest.approx(1 - 0.256))
    optimizers.SGD(0.1).minimize(lambda: b * 2.0)
    assert float(b) == pytest.approx(1 - 0.256 - 0.2)
    with pytest.raises(ValueError, match=r"needs its tape: optimizer.minimize\(loss, variables, tape=tape\)"):
        optimizer.minimize(loss, [w])


def test_gradients_come_with_their_variables():
    w, b = Variable([1.0, 2.0]), Variable(5.0)
    found = optimizers.Adam().compute_gradients(lambda: w * w, [w, b], grad_loss=np.array([1.0, 10.0], "float32"))
    assert [one is other for (_, one), other in zip(found, (w, b), strict=True)] == [True, True]
    np.testing.assert_allclose(found[0][0], [2, 40])
    assert found[1][0] is None


@pytest.mark.parametrize("compiles", [False, True])
def test_scaled_losses_and_unscaled_gradients(compiles):
    w, optimizer = Variable(2.0), optimizers.LossScaleOptimizer(optimizers.SGD(0.1), initial_scale=8.0)

    def step():
        with GradientTape() as tape:
            loss = w * w
            scaled = optimizer.get_scaled_loss(loss)
        gradients = optimizer.get_unscaled_gradients(tape.gradient(scaled, [w]))
        optimizer.apply_gradients(zip(gradients, [w], strict=True))
        return scaled, gradients[0]

    scaled, gradient = (Function(step) if compiles else step)()
    assert (float(scaled), float(gradient)) == (32, 4)
    assert float(w) == pytest.approx(1.6)
    assert float(optimizer.get_scaled_loss(lambda: 2.0)()) == 16
