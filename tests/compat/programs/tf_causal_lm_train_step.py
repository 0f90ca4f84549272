# tf.keras 2.10 to 2.15: a small GPT with use_causal_mask, its own train_step and test_step with a tape, metrics property, text by temperature
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(10)
tf.random.set_seed(10)
maxlen = 24
embed_dim = 32
num_heads = 2
feed_forward_dim = 48

path = keras.utils.get_file('nietzsche.txt', origin='https://s3.amazonaws.com/text-datasets/nietzsche.txt')
text = open(path, encoding='utf-8').read().lower()
vocab = sorted(set(text))
vocab_size = len(vocab)
to_index = {c: i for i, c in enumerate(vocab)}
tokens = np.array([to_index[c] for c in text], dtype='int32')
starts = np.arange(0, len(tokens) - maxlen - 1, 5)
x = np.stack([tokens[s:s + maxlen] for s in starts])
y = np.stack([tokens[s + 1:s + maxlen + 1] for s in starts])


class Block(layers.Layer):
    def __init__(self, embed_dim, num_heads, ff_dim, rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.att = layers.MultiHeadAttention(num_heads, embed_dim // num_heads)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation='relu'), layers.Dense(embed_dim)])
        self.norm1 = layers.LayerNormalization(epsilon=1e-6)
        self.norm2 = layers.LayerNormalization(epsilon=1e-6)
        self.drop = layers.Dropout(rate)

    def call(self, inputs, training=False):
        normed = self.norm1(inputs)
        x = inputs + self.drop(self.att(normed, normed, use_causal_mask=True), training=training)
        return x + self.drop(self.ffn(self.norm2(x)), training=training)


class MiniGPT(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.token_emb = layers.Embedding(vocab_size, embed_dim)
        self.pos_emb = layers.Embedding(maxlen, embed_dim)
        self.blocks = [Block(embed_dim, num_heads, feed_forward_dim, name='block_%d' % i) for i in range(2)]
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(vocab_size)
        self.loss_tracker = keras.metrics.Mean(name='loss')
        self.perplexity = keras.metrics.Mean(name='perplexity')

    def call(self, tokens, training=False):
        x = self.token_emb(tokens) + self.pos_emb(tf.range(tf.shape(tokens)[-1]))
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(self.norm(x))

    @property
    def metrics(self):
        return [self.loss_tracker, self.perplexity]

    def _loss(self, y, logits):
        per_token = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits)
        return tf.reduce_mean(per_token)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            loss = self._loss(y, logits)
        gradients = tape.gradient(loss, self.trainable_variables)
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.loss_tracker.update_state(loss)
        self.perplexity.update_state(tf.exp(loss))
        return {m.name: m.result() for m in self.metrics}

    def test_step(self, data):
        x, y = data
        loss = self._loss(y, self(x, training=False))
        self.loss_tracker.update_state(loss)
        self.perplexity.update_state(tf.exp(loss))
        return {m.name: m.result() for m in self.metrics}


class TextGenerator(keras.callbacks.Callback):
    def __init__(self, max_tokens, start_text, temperature=0.5):
        self.max_tokens = max_tokens
        self.start = [to_index[c] for c in start_text]
        self.temperature = temperature
        self.texts = []

    def sample_from(self, logits):
        p = np.exp((logits - logits.max()) / self.temperature)
        return np.random.choice(len(p), p=p / p.sum())

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % 5 != 0:
            return
        written = list(self.start)
        while len(written) < len(self.start) + self.max_tokens:
            window = written[-maxlen:]
            filled = window + [0] * (maxlen - len(window))
            logits = self.model.predict(np.array([filled]), verbose=0)[0, len(window) - 1]
            written.append(self.sample_from(np.asarray(logits, 'float64')))
        txt = ''.join(vocab[i] for i in written)
        print("generated text:\n" + txt + "\n")
        self.texts.append(txt)


gpt = MiniGPT()
gpt.compile(optimizer=keras.optimizers.Adam(0.004))
generator = TextGenerator(40, 'the sailor ')
dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(2000).batch(64, drop_remainder=True)
history = gpt.fit(dataset, epochs=10, verbose=2, callbacks=[generator]).history
assert list(history) == ['loss', 'perplexity'], list(history)
assert history['loss'][-1] < 0.4 * history['loss'][0], history
result = gpt.evaluate(x[:64], y[:64], verbose=0, return_dict=True)
assert abs(result['perplexity'] - np.exp(result['loss'])) < 0.2 and result['loss'] < 1.0, result
assert len(generator.texts) == 2 and len(generator.texts[-1]) == 51

# causal: letters further on change nothing before them
a, b = x[:4].copy(), x[:4].copy()
b[:, 15:] = (b[:, 15:] + 1) % vocab_size
first, second = gpt.predict(a, verbose=0), gpt.predict(b, verbose=0)
assert np.allclose(first[:, :15], second[:, :15], atol=1e-5)
assert np.abs(first[:, 15:] - second[:, 15:]).max() > 0.1
