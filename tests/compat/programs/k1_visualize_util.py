# Keras 1: keras.utils.visualize_util.plot, layer_utils, generic_utils.Progbar, model.to_json, model_from_json
import json
import numpy as np
from keras.models import Sequential, model_from_json
from keras.layers import Dense, Activation
from keras.utils.visualize_util import plot
from keras.utils.generic_utils import Progbar
from keras.utils.layer_utils import print_summary

model = Sequential()
model.add(Dense(4, input_shape=(3,)))
model.add(Activation('relu'))
model.add(Dense(2))
plot(model, to_file='model.png', show_shapes=True)
print_summary(model)
bar = Progbar(target=3)
for i in range(3):
    bar.update(i + 1, values=[('loss', 0.5 - i * 0.1)])
text = model.to_json()
assert json.loads(text)['class_name'] == 'Sequential'
again = model_from_json(text)
again.set_weights(model.get_weights())
x = np.random.rand(5, 3)
assert np.allclose(again.predict(x), model.predict(x))
import os
assert os.path.getsize('model.png') > 500
os.remove('model.png')
