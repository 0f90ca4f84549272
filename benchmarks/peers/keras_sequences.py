"""Layers of sequences for Cornu and Keras 3, as their users would write them."""

from benchmarks.peers.sequence_tasks import KINDS


def is_stateful(task):
    """Tell whether a task's recurrent layer keeps its states from call to call."""
    return any(layer[0] == "lstm" and len(layer) > 2 for layer in task.layers)


def layer(keras, kind, *arguments):
    """Return the layer of a task's tuple."""
    layers = keras.layers
    if kind == "embedding":
        return layers.Embedding(*arguments)
    if kind == "lstm":
        return layers.LSTM(arguments[0], stateful=len(arguments) > 1)
    if kind == "gru":
        return layers.GRU(arguments[0])
    if kind == "birnn":
        return layers.Bidirectional(layers.LSTM(arguments[0]))
    if kind == "block":
        return block_class(keras)(*arguments)
    return layers.GlobalAveragePooling1D()


def block_class(keras):
    """Return the class of a transformer block, written as Keras's own examples write it."""

    class Block(keras.layers.Layer):
        def __init__(self, heads, units, causal):
            super().__init__()
            self.heads, self.units, self.causal = heads, units, causal

        def build(self, shape):
            layers, width = keras.layers, shape[-1]
            self.attention = layers.MultiHeadAttention(num_heads=self.heads, key_dim=width // self.heads)
            self.first_norm = layers.LayerNormalization(epsilon=1e-6)
            self.widen = layers.Dense(self.units, activation="relu")
            self.narrow = layers.Dense(width)
            self.second_norm = layers.LayerNormalization(epsilon=1e-6)
            self.attention.build(shape, shape)
            self.first_norm.build(shape)
            self.widen.build(shape)
            self.narrow.build((*shape[:-1], self.units))
            self.second_norm.build(shape)

        def call(self, inputs):
            attended = self.attention(inputs, inputs, use_causal_mask=self.causal)
            inputs = self.first_norm(inputs + attended)
            return self.second_norm(inputs + self.narrow(self.widen(inputs)))

    return Block


__all__ = ["KINDS", "block_class", "is_stateful", "layer"]
