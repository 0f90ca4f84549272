import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.callbacks import Callback, SwapEMAWeights

x = np.linspace(-1, 1, 32, dtype="float32")[:, None]


def trained(callbacks, **options):
    model = cornu.Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(cornu.optimizers.SGD(0.1, **options), "mse")
    model.fit(x, 2 * x, epochs=2, batch_size=8, shuffle=False, verbose=0, callbacks=callbacks, validation_data=(x, x))
    return model


class Looking(Callback):
    def __init__(self):
        self.seen = {"test": [], "epoch": [], "begin": []}

    def look(self, where):
        self.seen[where].append(float(self.model.get_weights()[0][0, 0]))

    def on_test_begin(self, logs=None):
        self.look("test")

    def on_epoch_end(self, epoch, logs=None):
        self.look("epoch")

    def on_epoch_begin(self, epoch, logs=None):
        self.look("begin")


def test_averages_are_in_the_model_while_it_is_evaluated():
    plain, swapped = Looking(), Looking()
    trained([plain], use_ema=True, ema_momentum=0.5)
    trained([SwapEMAWeights(), swapped], use_ema=True, ema_momentum=0.5)
    assert swapped.seen["epoch"] == plain.seen["epoch"]  # training itself is as without it
    assert swapped.seen["test"][0] < plain.seen["test"][0]  # the average lags behind


def test_averages_stay_from_the_end_of_an_epoch_to_the_next():
    plain, swapped = Looking(), Looking()
    trained([plain], use_ema=True, ema_momentum=0.5)
    model = trained([SwapEMAWeights(swap_on_epoch=True), swapped], use_ema=True, ema_momentum=0.5)
    assert swapped.seen["begin"] == plain.seen["begin"]
    assert swapped.seen["epoch"] == swapped.seen["test"]
    assert float(model.get_weights()[0][0, 0]) == swapped.seen["epoch"][-1]


def test_a_second_fit_goes_on():
    model = trained([SwapEMAWeights(swap_on_epoch=True)], use_ema=True)
    model.fit(x, 2 * x, verbose=0, callbacks=[SwapEMAWeights()], validation_split=0.5)
    assert np.isfinite(model.get_weights()[0]).all()


def test_an_optimizer_without_averages_is_refused():
    with pytest.raises(ValueError, match="create it with use_ema=True"):
        trained([SwapEMAWeights()])
