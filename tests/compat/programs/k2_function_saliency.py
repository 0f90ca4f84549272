# Keras 2: K.gradients by the input, K.function over layers, learning phase, intermediate layer models
import numpy as np
from keras.models import Sequential, Model
from keras.layers import Dense, Conv2D, Flatten, MaxPooling2D, Dropout
from keras import backend as K
from keras import activations

model = Sequential()
model.add(Conv2D(2, (3, 3), activation='relu', input_shape=(8, 8, 1), name='block1'))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten(name='flat'))
model.add(Dropout(0.5, name='drop'))
model.add(Dense(3, activation='softmax', name='predictions'))
x = np.random.rand(4, 8, 8, 1)

loss = model.output[:, 1]
grads = K.gradients(loss, model.input)[0]
saliency = K.function([model.input], [grads])
(found,) = saliency([x])
step = 1e-2
probe = np.zeros_like(x)
probe[0, 4, 4, 0] = step
estimate = (model.predict(x + probe)[0, 1] - model.predict(x - probe)[0, 1]) / (2 * step)
assert found.shape == x.shape and abs(found[0, 4, 4, 0] - estimate) < 1e-3

# a filter's picture by gradient ascent
layer_output = model.get_layer('block1').output
loss = K.mean(layer_output[:, :, :, 0])
grads = K.gradients(loss, model.input)[0]
grads /= (K.sqrt(K.mean(K.square(grads))) + 1e-5)
iterate = K.function([model.input], [loss, grads])
image = np.random.random((1, 8, 8, 1))
first, _ = iterate([image])
for i in range(5):
    loss_value, grads_value = iterate([image])
    image += grads_value * 0.1
assert iterate([image])[0] >= first

get_output = K.function([model.layers[0].input, K.learning_phase()], [model.layers[3].output])
test, train = get_output([x, 0])[0], get_output([x, 1])[0]
flat = Model(inputs=model.input, outputs=model.get_layer('flat').output).predict(x)
assert np.allclose(test, flat, atol=1e-6)
dropped = (train == 0) & (flat != 0)
assert dropped.any() and np.allclose(train[train != 0], 2 * flat[train != 0], atol=1e-5)
outputs = [layer.output for layer in model.layers]
activation_model = Model(inputs=model.input, outputs=outputs)
assert [a.shape for a in activation_model.predict(x)] == [(4, 6, 6, 2), (4, 3, 3, 2), (4, 18), (4, 18), (4, 3)]
weights_by_name = {w.name: w for layer in model.layers for w in layer.weights}
assert any('kernel' in name for name in weights_by_name)
