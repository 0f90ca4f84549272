# Keras 2: features of VGG16 once by predict_generator, kept in a file, then a small classifier, joined with the base by weights
import numpy as np
from keras import applications
from keras.models import Sequential, Model
from keras.layers import Dropout, Flatten, Dense
from keras import optimizers

np.random.seed(7)
train_data = np.random.rand(16, 32, 32, 3)
train_labels = np.array([0] * 8 + [1] * 8)
train_data[8:, :, :, 1:] *= 0.1


def generate(batch_size=4):
    while True:
        for i in range(0, 16, batch_size):
            yield train_data[i:i + batch_size]


base = applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
bottleneck_features_train = base.predict_generator(generate(), 16 // 4)
assert bottleneck_features_train.shape == (16, 1, 1, 512)
np.save(open('bottleneck_features_train.npy', 'wb'), bottleneck_features_train)

features = np.load(open('bottleneck_features_train.npy', 'rb'))
features /= features.std()
top = Sequential()
top.add(Flatten(input_shape=features.shape[1:]))
top.add(Dense(16, activation='relu'))
top.add(Dropout(0.1))
top.add(Dense(1, activation='sigmoid'))
top.compile(optimizer='rmsprop', loss='binary_crossentropy', metrics=['accuracy'])
history = top.fit(features, train_labels, epochs=30, batch_size=8, verbose=0, validation_data=(features, train_labels))
assert history.history['val_acc'][-1] >= 0.9, history.history['val_acc']
top.save_weights('bottleneck_fc_model.h5')

# any classifier takes them: here the nearest mean
flat = features.reshape(16, -1)
means = np.array([flat[train_labels == c].mean(axis=0) for c in (0, 1)])
nearest = ((flat[:, None] - means) ** 2).sum(-1).argmin(1)
assert (nearest == train_labels).mean() >= 0.9

# the base with the trained classifier on it
top_model = Sequential([Flatten(input_shape=base.output_shape[1:]), Dense(16, activation='relu'), Dropout(0.1),
                        Dense(1, activation='sigmoid')])
top_model.load_weights('bottleneck_fc_model.h5')
model = Model(inputs=base.input, outputs=top_model(base.output))
for layer in model.layers[:15]:
    layer.trainable = False
model.compile(loss='binary_crossentropy', optimizer=optimizers.SGD(lr=1e-4, momentum=0.9), metrics=['accuracy'])
assert len(model.trainable_weights) == 6 + 4
expected = top.predict(base.predict(train_data))
assert np.allclose(model.predict(train_data), expected, atol=1e-5)

# features of a block in the middle
middle = Model(inputs=base.input, outputs=base.get_layer('block4_pool').output)
assert middle.predict(train_data[:2]).shape == (2, 2, 2, 512)
base.save_weights('base.h5')
other = applications.VGG16(include_top=False, weights='base.h5', input_shape=(32, 32, 3))
assert np.array_equal(other.get_layer('block3_conv2').get_weights()[0], base.get_layer('block3_conv2').get_weights()[0])
fresh = applications.vgg16.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3), pooling='max')
fresh.load_weights('base.h5', by_name=True)
assert np.allclose(fresh.predict(train_data[:2]), base.predict(train_data[:2]).max(axis=(1, 2)), atol=1e-6)
