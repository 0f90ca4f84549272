# Keras 2: DeepDream: a loss on several layers of a trained model, K.gradients by its input, gradient ascent in octaves
import numpy as np
import scipy.ndimage
from keras.applications import vgg16
from keras import backend as K

K.set_learning_phase(0)
np.random.seed(5)
model = vgg16.VGG16(weights=None, include_top=False)
dream = model.input
settings = {'features': {'block2_conv2': 0.2, 'block3_conv1': 0.5}}
layer_dict = dict([(layer.name, layer) for layer in model.layers])
loss = K.variable(0.)
for layer_name in settings['features']:
    coeff = settings['features'][layer_name]
    x = layer_dict[layer_name].output
    scaling = K.prod(K.cast(K.shape(x), 'float32'))
    loss = loss + coeff * K.sum(K.square(x[:, 2: -2, 2: -2, :])) / scaling
grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), K.epsilon())
fetch_loss_and_grads = K.function([dream], [loss, grads])


def eval_loss_and_grads(x):
    outs = fetch_loss_and_grads([x])
    return outs[0], outs[1]


def gradient_ascent(x, iterations, step, max_loss=None):
    for i in range(iterations):
        loss_value, grad_values = eval_loss_and_grads(x)
        if max_loss is not None and loss_value > max_loss:
            break
        x += step * grad_values
    return x


def resize_img(img, size):
    return scipy.ndimage.zoom(img, (1, float(size[0]) / img.shape[1], float(size[1]) / img.shape[2], 1), order=1)


img = vgg16.preprocess_input(np.random.uniform(100, 150, (1, 40, 48, 3)))
original, start = img.copy(), None
for shape in [(28, 34), (40, 48)]:
    img = resize_img(original if start is None else img, shape)
    start = eval_loss_and_grads(img)[0]
    img = gradient_ascent(img, iterations=4, step=1.)
    end = eval_loss_and_grads(img)[0]
    assert img.shape[1:3] == shape and end > start, (start, end)
K.set_learning_phase(1)
assert K.learning_phase() == 1
