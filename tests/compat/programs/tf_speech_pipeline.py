# tf.keras: speech commands: tf.io.gfile, tf.audio.decode_wav, tf.strings, tf.signal.stft, a lookup table of labels, mel bands
import os
import pathlib
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models

np.random.seed(42)
tf.random.set_seed(42)
data_dir = pathlib.Path(tempfile.mkdtemp()) / 'mini'
for number, word in enumerate(['no', 'yes']):
    tf.io.gfile.makedirs(str(data_dir / word))
    for take in range(12):
        pitch = (300 if word == 'no' else 900) + 20 * np.random.rand()
        sound = 0.5 * np.sin(2 * np.pi * pitch * np.arange(1500) / 8000) + 0.05 * np.random.randn(1500)
        wav = tf.audio.encode_wav(tf.constant(sound[:, None], tf.float32), 8000)
        tf.io.write_file(str(data_dir / word / '{}.wav'.format(take)), wav)

commands = np.array(sorted(tf.io.gfile.listdir(str(data_dir))))
filenames = tf.io.gfile.glob(str(data_dir) + '/*/*')
filenames = tf.random.shuffle(filenames)
assert len(filenames) == 24 and commands.tolist() == ['no', 'yes']
table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(commands, np.arange(2)), default_value=-1)
AUTOTUNE = tf.data.AUTOTUNE


def decode_audio(audio_binary):
    audio, rate = tf.audio.decode_wav(contents=audio_binary)
    return tf.squeeze(audio, axis=-1)


def get_label(file_path):
    parts = tf.strings.split(input=file_path, sep=os.path.sep)
    return parts[-2]


def get_waveform_and_label(file_path):
    label = get_label(file_path)
    return decode_audio(tf.io.read_file(file_path)), table.lookup(label)


def get_spectrogram(waveform):
    input_len = 2000
    waveform = waveform[:input_len]
    zero_padding = tf.zeros([input_len] - tf.shape(waveform), dtype=tf.float32)
    waveform = tf.cast(waveform, dtype=tf.float32)
    equal_length = tf.concat([waveform, zero_padding], 0)
    spectrogram = tf.signal.stft(equal_length, frame_length=255, frame_step=128)
    spectrogram = tf.abs(spectrogram)
    return spectrogram[..., tf.newaxis]


files_ds = tf.data.Dataset.from_tensor_slices(filenames)
waveform_ds = files_ds.map(map_func=get_waveform_and_label, num_parallel_calls=AUTOTUNE)
spectrogram_ds = waveform_ds.map(lambda audio, label: (get_spectrogram(audio), label), num_parallel_calls=AUTOTUNE)
for spectrogram, label in spectrogram_ds.take(1):
    assert spectrogram.shape == (14, 129, 1), spectrogram.shape
    mel = tf.signal.linear_to_mel_weight_matrix(20, 129, 8000, 80.0, 3800.0)
    log_mel = tf.math.log(tf.tensordot(spectrogram[..., 0], mel, 1) + 1e-6)
    assert tf.signal.mfccs_from_log_mel_spectrograms(log_mel)[..., :13].shape == (14, 13)
train_ds = spectrogram_ds.batch(8).cache().prefetch(AUTOTUNE)
norm_layer = layers.Normalization()
norm_layer.adapt(data=train_ds.map(map_func=lambda spec, label: spec))
model = models.Sequential([
    layers.Input(shape=(14, 129, 1)),
    layers.Resizing(14, 32),
    layers.BatchNormalization(),
    layers.Conv2D(4, 3, activation='relu'),
    layers.Flatten(),
    layers.Dense(2),
])
model.compile(optimizer=tf.keras.optimizers.Adam(0.01), metrics=['accuracy'],
              loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
history = model.fit(train_ds, epochs=10, verbose=0)
assert history.history['accuracy'][-1] > 0.9, history.history['accuracy']
y_pred = tf.argmax(model.predict(train_ds, verbose=0), axis=1)
y_true = tf.concat(list(train_ds.map(lambda s, lab: lab)), axis=0)
confusion_mtx = tf.math.confusion_matrix(y_true, y_pred)
assert confusion_mtx.shape == (2, 2) and int(tf.reduce_sum(confusion_mtx)) == 24
