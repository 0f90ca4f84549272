# Keras 2: style transfer over VGG19: one input made of three images, losses on layers, K.gradients, scipy's L-BFGS
from __future__ import print_function
import numpy as np
from scipy.optimize import fmin_l_bfgs_b
from keras.applications import vgg19
from keras import backend as K

np.random.seed(3)
img_nrows, img_ncols = 32, 40
total_variation_weight, style_weight, content_weight = 1e-4, 1.0, 0.025


def preprocess_image(img):
    return vgg19.preprocess_input(np.expand_dims(img, axis=0))


base_image = K.variable(preprocess_image(np.random.uniform(0, 255, (img_nrows, img_ncols, 3))))
style_reference_image = K.variable(preprocess_image(np.random.uniform(0, 255, (img_nrows, img_ncols, 3))))
if K.image_data_format() == 'channels_first':
    combination_image = K.placeholder((1, 3, img_nrows, img_ncols))
else:
    combination_image = K.placeholder((1, img_nrows, img_ncols, 3))
input_tensor = K.concatenate([base_image, style_reference_image, combination_image], axis=0)
model = vgg19.VGG19(input_tensor=input_tensor, weights=None, include_top=False)
outputs_dict = dict([(layer.name, layer.output) for layer in model.layers])


def gram_matrix(x):
    assert K.ndim(x) == 3
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    size = img_nrows * img_ncols
    return K.sum(K.square(gram_matrix(style) - gram_matrix(combination))) / (4.0 * (3 ** 2) * (size ** 2))


def content_loss(base, combination):
    return K.sum(K.square(combination - base))


def total_variation_loss(x):
    a = K.square(x[:, :img_nrows - 1, :img_ncols - 1, :] - x[:, 1:, :img_ncols - 1, :])
    b = K.square(x[:, :img_nrows - 1, :img_ncols - 1, :] - x[:, :img_nrows - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.0)
layer_features = outputs_dict['block3_conv2']
loss = loss + content_weight * content_loss(layer_features[0, :, :, :], layer_features[2, :, :, :])
feature_layers = ['block1_conv1', 'block2_conv1']
for layer_name in feature_layers:
    layer_features = outputs_dict[layer_name]
    loss = loss + (style_weight / len(feature_layers)) * style_loss(layer_features[1, :, :, :], layer_features[2, :, :, :])
loss = loss + total_variation_weight * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)
outputs = [loss]
if isinstance(grads, (list, tuple)):
    outputs += grads
else:
    outputs.append(grads)
f_outputs = K.function([combination_image], outputs)


class Evaluator(object):
    def __init__(self):
        self.loss_value = None

    def loss(self, x):
        outs = f_outputs([x.reshape((1, img_nrows, img_ncols, 3))])
        self.loss_value = float(outs[0])
        self.grad_values = outs[1].flatten().astype('float64')
        return self.loss_value

    def grads(self, x):
        return np.copy(self.grad_values)


evaluator = Evaluator()
x = preprocess_image(np.random.uniform(0, 255, (img_nrows, img_ncols, 3)))
first = evaluator.loss(x.flatten())
probe = x.copy()
probe[0, 5, 5, 1] += 1.0
gradient = evaluator.grads(x).reshape(x.shape)
assert abs(evaluator.loss(probe.flatten()) - first - gradient[0, 5, 5, 1]) < 0.1 * max(abs(gradient).max(), 1e-3)
x, min_val, info = fmin_l_bfgs_b(evaluator.loss, x.flatten(), fprime=evaluator.grads, maxfun=5)
assert min_val < first, (first, min_val)
