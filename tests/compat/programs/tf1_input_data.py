# Keras 2 with TensorFlow 1: input_data.read_data_sets, next_batch, array_to_img, img_to_array, layers.experimental, K.tf-free
import numpy as np
from tensorflow.examples.tutorials.mnist import input_data
from keras.models import Sequential
from keras.layers import Dense, Reshape
from keras.preprocessing.image import array_to_img, img_to_array, save_img
from keras.utils.np_utils import probas_to_classes

mnist = input_data.read_data_sets('mnist', one_hot=True)
x_train = mnist.train.images
assert x_train.shape == (55000, 784) and mnist.validation.num_examples == 5000 and mnist.test.labels.shape == (10000, 10)
assert 0 <= x_train.min() and x_train.max() == 1.0
model = Sequential([Dense(10, activation='softmax', input_dim=784)])
model.compile('adam', 'categorical_crossentropy', metrics=['accuracy'])
for step in range(20):
    batch = mnist.train.next_batch(64)
    loss = model.train_on_batch(batch[0], batch[1])
assert loss[1] > 0.3
classes = probas_to_classes(model.predict(mnist.test.images[:50]))
assert (classes == mnist.test.labels[:50].argmax(1)).mean() > 0.3
picture = array_to_img(x_train[0].reshape(28, 28, 1))
picture.save('digit.png')
assert picture.size == (28, 28) and img_to_array(picture).shape == (28, 28, 1) and img_to_array(picture).max() == 255
