# Keras 2: save and load of h5, weights by layer, to_json, architecture and weights apart, custom_objects, by_name
import json
import os
import numpy as np
from keras.models import Sequential, load_model, model_from_json, save_model, clone_model, Model
from keras.layers import Dense, Dropout, Layer, Input
from keras import backend as K


class Double(Layer):
    def __init__(self, factor=2, **kwargs):
        self.factor = factor
        super(Double, self).__init__(**kwargs)

    def call(self, x):
        return x * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {'factor': self.factor}
        base_config = super(Double, self).get_config()
        return dict(list(base_config.items()) + list(config.items()))


def root(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_true - y_pred)))


x, y = np.random.rand(30, 4), np.random.rand(30, 2)
model = Sequential([Dense(5, activation='relu', input_shape=(4,), name='first'), Dropout(0.1), Double(3), Dense(2, name='last')])
model.compile(loss=root, optimizer='adam', metrics=[root, 'mse'])
model.fit(x, y, epochs=1, verbose=0)
p = model.predict(x)
model.save('my_model.h5')
loaded = load_model('my_model.h5', custom_objects={'Double': Double, 'root': root})
assert np.allclose(loaded.predict(x), p, atol=1e-6)
assert np.allclose(loaded.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), atol=1e-5)
loaded.fit(x, y, epochs=1, verbose=0)

model_json = model.to_json()
with open("model.json", "w") as json_file:
    json_file.write(model_json)
model.save_weights("model.h5")
json_file = open('model.json', 'r')
loaded_model_json = json_file.read()
json_file.close()
loaded_model = model_from_json(loaded_model_json, custom_objects={'Double': Double})
loaded_model.load_weights("model.h5")
assert np.allclose(loaded_model.predict(x), p, atol=1e-6)
assert loaded_model.layers[2].factor == 3
other = Sequential([Dense(5, input_shape=(4,), name='first'), Dense(7, name='new')])
other.load_weights('model.h5', by_name=True)
assert np.array_equal(other.layers[0].get_weights()[0], model.layers[0].get_weights()[0])
for name in ('w.hdf5', 'w.ckpt', 'weights', 'w.weights.h5'):
    model.save_weights(name, overwrite=True)
    loaded_model.set_weights([w * 0 for w in model.get_weights()])
    loaded_model.load_weights(name)
    assert np.allclose(loaded_model.predict(x), p, atol=1e-6), name
model = Sequential([Dense(3, input_dim=2)])
model.compile('sgd', 'mse')
model.save('mse.h5')
assert load_model('mse.h5').loss is not None
twin = clone_model(model)
assert [w.shape for w in twin.get_weights()] == [(2, 3), (3,)]
config = model.get_config()
assert Sequential.from_config(config).count_params() == 9
