# Keras 2: two inputs through one base network, a distance by Lambda, contrastive loss; saved, loaded, and its base by name
import numpy as np
from keras.models import Model, load_model
from keras.layers import Input, Dense, Lambda, GlobalMaxPooling2D, Concatenate, Dot
from keras.applications.vgg16 import VGG16
from keras import backend as K

np.random.seed(11)


def euclidean_distance(vects):
    x, y = vects
    return K.sqrt(K.maximum(K.sum(K.square(x - y), axis=1, keepdims=True), K.epsilon()))


def contrastive_loss(y_true, y_pred):
    margin = 1
    return K.mean(y_true * K.square(y_pred) + (1 - y_true) * K.square(K.maximum(margin - y_pred, 0)))


base = VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
for layer in base.layers[:-4]:
    layer.trainable = False
embedded = Dense(4, name='embedding')(GlobalMaxPooling2D()(base.get_layer('block3_pool').output))
network = Model(base.input, embedded, name='network')
left, right = Input((32, 32, 3), name='left'), Input((32, 32, 3), name='right')
distance = Lambda(euclidean_distance, name='distance')([network(left), network(right)])
model = Model([left, right], distance)
model.compile(loss=contrastive_loss, optimizer='adam')
assert len(model.trainable_weights) == 2 and len(model.layers) == 4

pairs = [np.random.rand(8, 32, 32, 3) for _ in range(2)]
pairs[1][:4] = pairs[0][:4]
same = np.array([1.] * 4 + [0.] * 4)
kernel = network.get_layer('embedding').get_weights()[0]
model.fit(pairs, same, epochs=2, batch_size=4, verbose=0)
assert not np.array_equal(kernel, network.get_layer('embedding').get_weights()[0])
out = model.predict(pairs)
assert np.allclose(out[:4], np.sqrt(K.epsilon()), atol=1e-3)

model.save('siamese.h5')
again = load_model('siamese.h5', custom_objects={'contrastive_loss': contrastive_loss, 'euclidean_distance': euclidean_distance})
assert np.allclose(again.predict(pairs), out, atol=1e-5)
assert len(again.trainable_weights) == 2, [w.name for w in again.trainable_weights]
assert again.get_layer('network').get_layer('block3_conv1').trainable is False
network.save_weights('network.h5')
other = VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
other.load_weights('network.h5', by_name=True)
assert np.array_equal(other.get_layer('block3_conv3').get_weights()[0], base.get_layer('block3_conv3').get_weights()[0])
assert not np.array_equal(other.get_layer('block4_conv1').get_weights()[0], base.get_layer('block4_conv1').get_weights()[0])
