# Keras 2: conv_lstm on moving squares, ConvLSTM2D with BatchNormalization, Conv3D, the next frames predicted one after another
"""A convolutional LSTM predicts the next frame of films with moving squares."""
from keras.models import Sequential
from keras.layers.convolutional import Conv3D
from keras.layers.convolutional_recurrent import ConvLSTM2D
from keras.layers.normalization import BatchNormalization
from keras.optimizers import Adam
import numpy as np

np.random.seed(6)
size = 12
seq = Sequential()
seq.add(ConvLSTM2D(filters=6, kernel_size=(3, 3), input_shape=(None, size, size, 1), padding='same', return_sequences=True))
seq.add(BatchNormalization())
seq.add(ConvLSTM2D(filters=6, kernel_size=(3, 3), padding='same', return_sequences=True))
seq.add(BatchNormalization())
seq.add(Conv3D(filters=1, kernel_size=(3, 3, 3), activation='sigmoid', padding='same', data_format='channels_last'))
seq.compile(loss='binary_crossentropy', optimizer='adadelta')
assert seq.output_shape == (None, None, size, size, 1)
assert seq.layers[0].count_params() == 3 * 3 * (1 + 6) * 24 + 24


# Frames larger than those shown, so that squares can move in from outside
def generate_movies(n_samples=60, n_frames=8):
    big = size + 8
    noisy_movies = np.zeros((n_samples, n_frames, big, big, 1), dtype=np.float)
    shifted_movies = np.zeros((n_samples, n_frames, big, big, 1), dtype=np.float)
    for i in range(n_samples):
        for j in range(np.random.randint(1, 3)):
            xstart = np.random.randint(4, size + 4)
            ystart = np.random.randint(4, size + 4)
            directionx = np.random.randint(0, 3) - 1
            directiony = np.random.randint(0, 3) - 1
            w = np.random.randint(1, 3)
            for t in range(n_frames):
                x_shift = xstart + directionx * t
                y_shift = ystart + directiony * t
                noisy_movies[i, t, max(x_shift - w, 0): x_shift + w, max(y_shift - w, 0): y_shift + w, 0] += 1
                if np.random.randint(0, 2):
                    noise_f = (-1) ** np.random.randint(0, 2)
                    noisy_movies[i, t, max(x_shift - w - 1, 0): x_shift + w + 1, max(y_shift - w - 1, 0): y_shift + w + 1, 0] += noise_f * 0.1
                # shift the ground truth by 1
                x_shift = xstart + directionx * (t + 1)
                y_shift = ystart + directiony * (t + 1)
                shifted_movies[i, t, max(x_shift - w, 0): x_shift + w, max(y_shift - w, 0): y_shift + w, 0] += 1
    # cut to the window that is shown
    noisy_movies = noisy_movies[::, ::, 4:4 + size, 4:4 + size, ::]
    shifted_movies = shifted_movies[::, ::, 4:4 + size, 4:4 + size, ::]
    noisy_movies[noisy_movies >= 1] = 1
    shifted_movies[shifted_movies >= 1] = 1
    return noisy_movies, shifted_movies


noisy_movies, shifted_movies = generate_movies()
seq.compile(loss='binary_crossentropy', optimizer=Adam(lr=0.005))
history = seq.fit(noisy_movies[:50], shifted_movies[:50], batch_size=10, epochs=6, validation_split=0.1, verbose=2)
assert history.history['loss'][-1] < 0.6 * history.history['loss'][0], history.history['loss']

# feed the network with the first frames, then with its own predictions
which = 54
track = noisy_movies[which][:4, ::, ::, ::]
for j in range(8):
    new_pos = seq.predict(track[np.newaxis, ::, ::, ::, ::])
    new = new_pos[::, -1, ::, ::, ::]
    track = np.concatenate((track, new), axis=0)
assert track.shape == (12, size, size, 1)
# later frames have no influence on earlier ones through the recurrence alone
first = Sequential(seq.layers[:1])
short, whole = first.predict(noisy_movies[:2, :4]), first.predict(noisy_movies[:2])
assert short.shape == (2, 4, size, size, 6)
assert np.allclose(short, whole[:, :4], atol=1e-5)
