# Keras 2 (2018): K.tf, _Merge, Recurrent and _obtain_input_shape, which were not meant for programs and are in many
import numpy as np
from keras import backend as K
from keras.applications.imagenet_utils import _obtain_input_shape
from keras.layers import Add, Dense, Input, Lambda
from keras.layers.merge import _Merge, add
from keras.layers.recurrent import Recurrent
from keras.models import Model

assert K.tf.__name__ == 'tensorflow' and K.tf.float32 is not None
total = Lambda(lambda t: K.tf.reduce_sum(t, axis=-1))
assert np.allclose(total(np.ones((2, 3))), 3)


class Weighted(_Merge):
    def build(self, input_shape):
        super(Weighted, self).build(input_shape)
        self.w = self.add_weight(shape=(1,), initializer='ones', name='w')

    def _merge_function(self, inputs):
        output = inputs[0]
        for i in range(1, len(inputs)):
            output = output + self.w * inputs[i]
        return output


a, b = Input((3,)), Input((3,))
model = Model([a, b], Weighted()([Dense(3)(a), b]))
model.compile('sgd', 'mse')
model.train_on_batch([np.ones((2, 3))] * 2, np.zeros((2, 3)))
assert isinstance(Add(), _Merge) and not isinstance(Dense(2), _Merge) and not isinstance(Add(), Weighted)
assert model.layers[-1].name == 'weighted_1' and len(model.layers[-1].get_weights()) == 1


class Own(Recurrent):
    def __init__(self, units, **kwargs):
        self.units = units
        super(Own, self).__init__(**kwargs)

    def step(self, x, states):
        return states[0] + x, [states[0] + x]


assert np.allclose(Own(3)(np.ones((2, 4, 3))), 4)

assert _obtain_input_shape(None, default_size=224, min_size=48, data_format=K.image_data_format(), require_flatten=True) == (224, 224, 3)
assert _obtain_input_shape((64, 64, 1), 224, 48, 'channels_last', False) == (64, 64, 1)
assert _obtain_input_shape(None, 224, 48, dim_ordering='th', include_top=False) == (3, None, None)
