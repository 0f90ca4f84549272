# tf.keras: text classification; folders of texts, a standardization of one's own by tf.strings, TextVectorization, an export with strings
import os
import random
import re
import string

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, losses

random.seed(1)
tf.random.set_seed(1)
WORDS = {"pos": "great lovely fine superb", "neg": "dull awful weak boring"}
for split, count in (("train", 120), ("test", 30)):
    for kind, words in WORDS.items():
        os.makedirs(f"reviews/{split}/{kind}")
        for number in range(count):
            text = random.choices(["the", "film", "<br />", "a", "story,", "with", "actors"], k=12) + random.choices(words.split(), k=4)
            random.shuffle(text)
            with open(f"reviews/{split}/{kind}/{number}.txt", "w") as file:
                file.write(" ".join(text).capitalize() + "!")

batch_size = 16
seed = 42
raw_train_ds = tf.keras.utils.text_dataset_from_directory(
    "reviews/train", batch_size=batch_size, validation_split=0.2, subset="training", seed=seed)
raw_val_ds = tf.keras.utils.text_dataset_from_directory(
    "reviews/train", batch_size=batch_size, validation_split=0.2, subset="validation", seed=seed)
raw_test_ds = tf.keras.utils.text_dataset_from_directory("reviews/test", batch_size=batch_size)

for text_batch, label_batch in raw_train_ds.take(1):
    for i in range(2):
        print("Review", text_batch.numpy()[i], "Label", label_batch.numpy()[i])
        assert isinstance(text_batch.numpy()[i], bytes)
assert raw_train_ds.class_names == ["neg", "pos"]


def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, "<br />", " ")
    return tf.strings.regex_replace(stripped_html, "[%s]" % re.escape(string.punctuation), "")


vectorize_layer = layers.TextVectorization(
    standardize=custom_standardization, max_tokens=100, output_mode="int", output_sequence_length=20)
vectorize_layer.adapt(raw_train_ds.map(lambda x, y: x))
assert {"great", "dull", "film"} <= set(vectorize_layer.get_vocabulary())
assert not {"br", "story,"} & set(vectorize_layer.get_vocabulary())


def vectorize_text(text, label):
    text = tf.expand_dims(text, -1)
    return vectorize_layer(text), label


text_batch, label_batch = next(iter(raw_train_ds))
first_review, first_label = text_batch[0], label_batch[0]
assert tuple(vectorize_text(first_review, first_label)[0].shape) == (1, 20)

AUTOTUNE = tf.data.AUTOTUNE
train_ds = raw_train_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
val_ds = raw_val_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
test_ds = raw_test_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
model = tf.keras.Sequential([
    layers.Embedding(101, 16),
    layers.Dropout(0.2),
    layers.GlobalAveragePooling1D(),
    layers.Dense(1)])
model.compile(loss=losses.BinaryCrossentropy(from_logits=True), optimizer=tf.keras.optimizers.Adam(0.02),
              metrics=[tf.metrics.BinaryAccuracy(threshold=0.0)])
history = model.fit(train_ds, validation_data=val_ds, epochs=8, verbose=2)
loss, accuracy = model.evaluate(test_ds)
assert accuracy > 0.95, accuracy

export_model = tf.keras.Sequential([vectorize_layer, model, layers.Activation("sigmoid")])
export_model.compile(loss=losses.BinaryCrossentropy(from_logits=False), optimizer="adam", metrics=["accuracy"])
loss, accuracy = export_model.evaluate(raw_test_ds)
assert accuracy > 0.95, accuracy
examples = tf.constant(["The film was great, superb!", "The film was dull..."])
good, bad = export_model.predict(examples)[:, 0]
assert good > 0.5 > bad
