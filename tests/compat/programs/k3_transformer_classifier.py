# Keras 3: a Transformer encoder for texts: keras.ops, custom layers with masks, MultiHeadAttention with padding left out, saved and loaded
import os

os.environ["KERAS_BACKEND"] = "jax"
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(812)


@keras.saving.register_keras_serializable(package="Tutorial")
class TransformerBlock(layers.Layer):
    def __init__(self, embed_dim, num_heads, ff_dim, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.embed_dim, self.num_heads, self.ff_dim, self.rate = embed_dim, num_heads, ff_dim, rate
        self.supports_masking = True
        self.att = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim // num_heads)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="gelu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, inputs, mask=None):
        attn_output = self.att(inputs, inputs, attention_mask=None if mask is None else mask[:, None, :])
        attn_output = self.dropout1(attn_output)
        out1 = self.layernorm1(inputs + attn_output)
        ffn_output = self.ffn(out1)
        ffn_output = self.dropout2(ffn_output)
        return self.layernorm2(out1 + ffn_output)

    def get_config(self):
        config = super().get_config()
        config.update({"embed_dim": self.embed_dim, "num_heads": self.num_heads, "ff_dim": self.ff_dim, "rate": self.rate})
        return config


@keras.saving.register_keras_serializable(package="Tutorial")
class TokenAndPositionEmbedding(layers.Layer):
    def __init__(self, maxlen, vocab_size, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.maxlen, self.vocab_size, self.embed_dim = maxlen, vocab_size, embed_dim
        self.token_emb = layers.Embedding(input_dim=vocab_size, output_dim=embed_dim, mask_zero=True)
        self.pos_emb = layers.Embedding(input_dim=maxlen, output_dim=embed_dim)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)

    def call(self, x):
        positions = ops.arange(start=0, stop=ops.shape(x)[-1], step=1)
        return self.token_emb(x) + self.pos_emb(positions)

    def get_config(self):
        return {**super().get_config(), "maxlen": self.maxlen, "vocab_size": self.vocab_size, "embed_dim": self.embed_dim}


vocab_size = 120
maxlen = 24
(x_train, y_train), (x_val, y_val) = keras.datasets.imdb.load_data(num_words=vocab_size)
x_train = keras.utils.pad_sequences(x_train, maxlen=maxlen, padding="post")
x_val = keras.utils.pad_sequences(x_val, maxlen=maxlen, padding="post")

embed_dim = 16
inputs = keras.Input(shape=(maxlen,), dtype="int32")
x = TokenAndPositionEmbedding(maxlen, vocab_size, embed_dim)(inputs)
x = TransformerBlock(embed_dim, 2, 32)(x)
x = layers.GlobalAveragePooling1D()(x)
x = layers.Dropout(0.1)(x)
x = layers.Dense(20, activation="relu")(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(optimizer=keras.optimizers.AdamW(0.003), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=32, epochs=8, validation_data=(x_val, y_val), verbose=2)
assert max(history.history["val_accuracy"]) > 0.9, history.history

# padding has no say: longer rows of zeros change nothing
inner = keras.Model(inputs, model.layers[3].output)
print(inner.name, [layer.name for layer in model.layers])
short = x_val[:8].copy()
short[:, 12:] = 0
before = inner.predict(short, verbose=0)
model.layers[1].token_emb.embeddings[0].shape
weights = model.layers[1].token_emb.get_weights()[0]
weights[0] += 3.0  # the row of the padding
model.layers[1].token_emb.set_weights([weights])
assert np.allclose(inner.predict(short, verbose=0), before, atol=1e-5)

model.save("transformer.keras")
again = keras.saving.load_model("transformer.keras")
assert np.allclose(again.predict(x_val, verbose=0), model.predict(x_val, verbose=0), atol=1e-6)
