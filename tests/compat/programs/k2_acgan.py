# Keras 2: AC-GAN, several outputs with a list of losses, Embedding of the class, multiply, Progbar, metrics_names, evaluate of lists
from __future__ import print_function
from collections import defaultdict
import numpy as np
from keras.datasets import mnist
from keras import layers
from keras.layers import Input, Dense, Reshape, Flatten, Embedding, Dropout, BatchNormalization
from keras.layers.advanced_activations import LeakyReLU
from keras.models import Sequential, Model
from keras.optimizers import Adam
from keras.utils.generic_utils import Progbar

np.random.seed(1337)
num_classes, latent_size = 10, 6
adam_lr, adam_beta_1 = 0.0002, 0.5


def build_generator(latent_size):
    cnn = Sequential()
    cnn.add(Dense(12, input_dim=latent_size, activation='relu'))
    cnn.add(BatchNormalization())
    cnn.add(Dense(784, activation='tanh', kernel_initializer='glorot_normal'))
    cnn.add(Reshape((28, 28, 1)))
    latent = Input(shape=(latent_size, ))
    image_class = Input(shape=(1,), dtype='int32')
    cls = Flatten()(Embedding(num_classes, latent_size, embeddings_initializer='glorot_normal')(image_class))
    h = layers.multiply([latent, cls])
    fake_image = cnn(h)
    return Model([latent, image_class], fake_image)


def build_discriminator():
    cnn = Sequential()
    cnn.add(Flatten(input_shape=(28, 28, 1)))
    cnn.add(Dense(12))
    cnn.add(LeakyReLU(0.2))
    cnn.add(Dropout(0.3))
    image = Input(shape=(28, 28, 1))
    features = cnn(image)
    fake = Dense(1, activation='sigmoid', name='generation')(features)
    aux = Dense(num_classes, activation='softmax', name='auxiliary')(features)
    return Model(image, [fake, aux])


discriminator = build_discriminator()
discriminator.compile(optimizer=Adam(lr=adam_lr, beta_1=adam_beta_1),
                      loss=['binary_crossentropy', 'sparse_categorical_crossentropy'])
generator = build_generator(latent_size)
latent = Input(shape=(latent_size, ))
image_class = Input(shape=(1,), dtype='int32')
fake = generator([latent, image_class])
discriminator.trainable = False
fake, aux = discriminator(fake)
combined = Model([latent, image_class], [fake, aux])
combined.compile(optimizer=Adam(lr=adam_lr, beta_1=adam_beta_1),
                 loss=['binary_crossentropy', 'sparse_categorical_crossentropy'])
combined.summary()

(x_train, y_train), _ = mnist.load_data()
x_train = np.expand_dims((x_train[:64].astype(np.float32) - 127.5) / 127.5, axis=-1)
y_train = y_train[:64]
num_test = 20
train_history = defaultdict(list)
batch_size, num_batches = 16, 3
progress_bar = Progbar(target=num_batches)
epoch_gen_loss, epoch_disc_loss = [], []
for index in range(num_batches):
    noise = np.random.uniform(-1, 1, (batch_size, latent_size))
    image_batch = x_train[index * batch_size:(index + 1) * batch_size]
    label_batch = y_train[index * batch_size:(index + 1) * batch_size]
    sampled_labels = np.random.randint(0, num_classes, batch_size)
    generated_images = generator.predict([noise, sampled_labels.reshape((-1, 1))], verbose=0)
    x = np.concatenate((image_batch, generated_images))
    y = np.array([0.95] * batch_size + [0] * batch_size)
    aux_y = np.concatenate((label_batch, sampled_labels), axis=0)
    disc_sample_weight = [np.ones(2 * batch_size), np.concatenate((np.ones(batch_size) * 2, np.zeros(batch_size)))]
    epoch_disc_loss.append(discriminator.train_on_batch(x, [y, aux_y], sample_weight=disc_sample_weight))
    noise = np.random.uniform(-1, 1, (2 * batch_size, latent_size))
    sampled_labels = np.random.randint(0, num_classes, 2 * batch_size)
    trick = np.ones(2 * batch_size) * 0.95
    epoch_gen_loss.append(combined.train_on_batch([noise, sampled_labels.reshape((-1, 1))], [trick, sampled_labels]))
    progress_bar.update(index + 1)
discriminator_test_loss = discriminator.evaluate(x, [y, aux_y], verbose=False)
train_history['discriminator'].append(np.mean(np.array(epoch_disc_loss), axis=0))
train_history['generator'].append(np.mean(np.array(epoch_gen_loss), axis=0))
print('{0:<22s} | {1:4s} | {2:15s} | {3:5s}'.format('component', *discriminator.metrics_names))
ROW_FMT = '{0:<22s} | {1:<4.2f} | {2:<15.4f} | {3:<5.4f}'
print(ROW_FMT.format('generator (train)', *train_history['generator'][-1]))
print(ROW_FMT.format('discriminator (test)', *discriminator_test_loss))
assert discriminator.metrics_names == ['loss', 'generation_loss', 'auxiliary_loss'], discriminator.metrics_names
assert len(discriminator_test_loss) == 3
assert abs(discriminator_test_loss[0] - sum(discriminator_test_loss[1:])) < 1e-4
assert abs(discriminator_test_loss[2] - np.log(10)) < 1.5
# zero weights leave rows out: twice the mean over real rows, divided by all rows
