# tf.keras: the text generator of the tutorial: characters by unicode_split, StringLookup both ways, a GRU whose state goes along, OneStep with a mask
import os
import time

import numpy as np
import tensorflow as tf

tf.random.set_seed(2)
text = "the cat sat on the mat. the dog sat on the log.\n" * 40
vocab = sorted(set(text))
example_texts = ["abc", "the"]
chars = tf.strings.unicode_split(example_texts, input_encoding="UTF-8")
assert chars.to_list() == [[b"a", b"b", b"c"], [b"t", b"h", b"e"]] or chars.to_list() == [["a", "b", "c"], ["t", "h", "e"]]
ids_from_chars = tf.keras.layers.StringLookup(vocabulary=list(vocab), mask_token=None)
ids = ids_from_chars(chars)
chars_from_ids = tf.keras.layers.StringLookup(vocabulary=ids_from_chars.get_vocabulary(), invert=True, mask_token=None)
back = chars_from_ids(ids)
assert tf.strings.reduce_join(back, axis=-1).numpy()[1] in (b"the", "the")


def text_from_ids(ids):
    return tf.strings.reduce_join(chars_from_ids(ids), axis=-1)


all_ids = ids_from_chars(tf.strings.unicode_split(text, "UTF-8"))
assert all_ids.shape == (len(text),)
ids_dataset = tf.data.Dataset.from_tensor_slices(all_ids)
for one in ids_dataset.take(2):
    assert chars_from_ids(one).numpy().decode("utf-8") in "th"
seq_length = 16
sequences = ids_dataset.batch(seq_length + 1, drop_remainder=True)
for seq in sequences.take(1):
    assert text_from_ids(seq).numpy().decode() == text[:17]


def split_input_target(sequence):
    input_text = sequence[:-1]
    target_text = sequence[1:]
    return input_text, target_text


assert split_input_target(list("Tensorflow"))[1][0] == "e"
dataset = sequences.map(split_input_target)
BATCH_SIZE, BUFFER_SIZE = 8, 100
dataset = dataset.shuffle(BUFFER_SIZE).batch(BATCH_SIZE, drop_remainder=True).prefetch(tf.data.experimental.AUTOTUNE)
vocab_size = len(ids_from_chars.get_vocabulary())


class MyModel(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim, rnn_units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocab_size, embedding_dim)
        self.gru = tf.keras.layers.GRU(rnn_units, return_sequences=True, return_state=True)
        self.dense = tf.keras.layers.Dense(vocab_size)

    def call(self, inputs, states=None, return_state=False, training=False):
        x = inputs
        x = self.embedding(x, training=training)
        if states is None:
            states = tf.zeros((tf.shape(x)[0], 32))
        x, states = self.gru(x, initial_state=states, training=training)
        x = self.dense(x, training=training)
        if return_state:
            return x, states
        else:
            return x


model = MyModel(vocab_size=vocab_size, embedding_dim=8, rnn_units=32)
for input_example_batch, target_example_batch in dataset.take(1):
    example_batch_predictions = model(input_example_batch)
    assert example_batch_predictions.shape == (8, 16, vocab_size)
sampled_indices = tf.random.categorical(example_batch_predictions[0], num_samples=1)
sampled_indices = tf.squeeze(sampled_indices, axis=-1).numpy()
assert text_from_ids(sampled_indices).shape == ()
loss = tf.losses.SparseCategoricalCrossentropy(from_logits=True)
mean_loss = loss(target_example_batch, example_batch_predictions)
assert abs(tf.exp(mean_loss).numpy() - vocab_size) < 3
model.compile(optimizer="adam", loss=loss)
checkpoint_prefix = os.path.join("./training_checkpoints", "ckpt_{epoch}")
callback = tf.keras.callbacks.ModelCheckpoint(filepath=checkpoint_prefix + ".weights.h5", save_weights_only=True)
history = model.fit(dataset, epochs=5, callbacks=[callback], verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0] * 0.9


class OneStep(tf.keras.Model):
    def __init__(self, model, chars_from_ids, ids_from_chars, temperature=1.0):
        super().__init__()
        self.temperature = temperature
        self.model = model
        self.chars_from_ids = chars_from_ids
        self.ids_from_chars = ids_from_chars
        # a mask against "[UNK]"
        skip_ids = self.ids_from_chars(["[UNK]"])[:, None]
        sparse_mask = tf.SparseTensor(
            values=[-float("inf")] * len(skip_ids),
            indices=skip_ids,
            dense_shape=[len(ids_from_chars.get_vocabulary())])
        self.prediction_mask = tf.sparse.to_dense(sparse_mask, validate_indices=False)

    @tf.function
    def generate_one_step(self, inputs, states=None):
        input_chars = tf.strings.unicode_split(inputs, "UTF-8")
        input_ids = self.ids_from_chars(input_chars).to_tensor()
        predicted_logits, states = self.model(inputs=input_ids, states=states, return_state=True)
        predicted_logits = predicted_logits[:, -1, :]
        predicted_logits = predicted_logits / self.temperature
        predicted_logits = predicted_logits + self.prediction_mask
        predicted_ids = tf.random.categorical(predicted_logits, num_samples=1)
        predicted_ids = tf.squeeze(predicted_ids, axis=-1)
        predicted_chars = self.chars_from_ids(predicted_ids)
        return predicted_chars, states


one_step_model = OneStep(model, chars_from_ids, ids_from_chars)
states = None
next_char = tf.constant(["the", "dog"])
result = [next_char]
for n in range(12):
    next_char, states = one_step_model.generate_one_step(next_char, states=states)
    result.append(next_char)
result = tf.strings.join(result)
written = result[0].numpy().decode("utf-8")
assert len(written) == 15 and "[UNK]" not in written
assert set(written) <= set(text)


class CustomTraining(MyModel):
    @tf.function
    def train_step(self, inputs):
        inputs, labels = inputs
        with tf.GradientTape() as tape:
            predictions = self(inputs, training=True)
            loss = self.loss(labels, predictions)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        return {"loss": loss}


model = CustomTraining(vocab_size=vocab_size, embedding_dim=8, rnn_units=32)
model.compile(optimizer=tf.keras.optimizers.Adam(), loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(dataset, epochs=1, verbose=0)
mean = tf.metrics.Mean()
for epoch in range(2):
    mean.reset_state()
    for batch_n, (inp, target) in enumerate(dataset):
        logs = model.train_step([inp, target])
        mean.update_state(logs["loss"])
    if epoch == 0:
        first = mean.result().numpy()
assert mean.result().numpy() < first
print("text generation", written)
