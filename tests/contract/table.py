"""The one table of every layer: how to make it, and what to call it on. Promises about all layers go through it."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from cornu.core.graph import SymbolicTensor
from cornu.core.signature import call_signature


class Entry(NamedTuple):
    """A layer with arguments, made from a module of layers (ours or Keras's), and the inputs that it takes.

    `shapes` is the shape of its input with the batch, or a list of several; `highest` makes the inputs whole numbers
    below it; `random` marks layers whose outputs while training are a matter of chance, and `trains_differently` the
    others that compute something else while training. `apart` gives each input as an argument of its own; then
    `inputs` and `symbolic` return tuples.
    """

    make: Callable[[Any], Any]
    shapes: Any
    highest: int | None = None
    random: bool = False
    trains_differently: bool = False
    apart: bool = False

    def inputs(self) -> Any:
        """Return the array, or list of arrays, to call the layer on: the same each time."""
        several = isinstance(self.shapes, list)
        arrays = [self._array(np.random.default_rng(i), shape) for i, shape in enumerate(self._shapes())]
        return tuple(arrays) if self.apart else arrays if several else arrays[0]

    def symbolic(self) -> Any:
        """Return symbolic tensors like the inputs, with an unknown batch."""
        several = isinstance(self.shapes, list)
        dtype = "float32" if self.highest is None else "int32"
        tensors = [SymbolicTensor((None, *shape[1:]), dtype) for shape in self._shapes()]
        return tuple(tensors) if self.apart else tensors if several else tensors[0]

    def training_argument(self, layer: Any) -> dict[str, bool]:
        """Return ``training=True`` for a layer that knows it."""
        return {"training": True} if call_signature(type(layer)).takes_training else {}

    def _shapes(self) -> list[tuple[int, ...]]:
        return self.shapes if isinstance(self.shapes, list) else [self.shapes]

    def _array(self, random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        if self.highest is not None:
            return random.integers(0, self.highest, shape).astype("int32")
        return random.standard_normal(shape).astype("float32")


def call(layer: Any, inputs: Any, **arguments: Any) -> Any:
    """Call a layer on inputs; each of a tuple is an argument of its own.

    On arrays it does not train unless it is told to, also if it would by default.
    """
    signature = inspect.signature(layer.call).parameters
    if "training" in signature and signature["training"].default is True and isinstance(inputs, np.ndarray):
        arguments = {"training": False} | arguments
    return layer(*inputs, **arguments) if isinstance(inputs, tuple) else layer(inputs, **arguments)


BASICS: dict[str, Entry] = {
    "dense": Entry(lambda layers: layers.Dense(4, activation="relu", kernel_regularizer="l2"), (3, 5)),
    "dense of sequences": Entry(lambda layers: layers.Dense(2, use_bias=False, activity_regularizer="l1"), (2, 4, 3)),
    "einsum dense": Entry(
        lambda layers: layers.EinsumDense("abc,cd->abd", (4, 5), bias_axes="d", kernel_initializer="ones"), (2, 4, 3)
    ),
    "embedding": Entry(lambda layers: layers.Embedding(7, 3, mask_zero=True), (2, 4), highest=7),
    "reversible embedding": Entry(
        lambda layers: layers.ReversibleEmbedding(7, 3, logit_soft_cap=5.0, mask_zero=True), (2, 4), highest=7
    ),
    "identity": Entry(lambda layers: layers.Identity(), (2, 3)),
    "masking": Entry(lambda layers: layers.Masking(), (2, 4, 3)),
    "time distributed": Entry(lambda layers: layers.TimeDistributed(layers.Dense(2)), (2, 4, 3)),
    "normalization": Entry(lambda layers: layers.Normalization(axis=(1, -1)), (2, 4, 3)),
    "normalization of integers": Entry(
        lambda layers: layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 0.0, 0.25]), (2, 4, 3), highest=9
    ),
    "denormalization": Entry(lambda layers: layers.Normalization(None, 3.0, 4.0, invert=True), (2, 3)),
    "discretization": Entry(lambda layers: layers.Discretization([-1.0, 0.0, 0.5]), (2, 4, 3)),
    "discretization counts": Entry(lambda layers: layers.Discretization([-1.0, 0.5], output_mode="count"), (2, 4)),
    "category encoding": Entry(lambda layers: layers.CategoryEncoding(5), (2, 4), highest=7),
    "category encoding one hot": Entry(lambda layers: layers.CategoryEncoding(5, "one_hot"), (2, 4), highest=7),
    "rescaling": Entry(lambda layers: layers.Rescaling(1 / 127.5, offset=-1), (2, 4, 3), highest=256),
}

ACTIVATIONS: dict[str, Entry] = {
    "activation": Entry(lambda layers: layers.Activation("tanh"), (2, 3)),
    "relu": Entry(lambda layers: layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2), (2, 3)),
    "leaky relu": Entry(lambda layers: layers.LeakyReLU(0.2), (2, 3)),
    "prelu": Entry(lambda layers: layers.PReLU(shared_axes=[1]), (2, 4, 3)),
    "elu": Entry(lambda layers: layers.ELU(0.7), (2, 3)),
    "softmax": Entry(lambda layers: layers.Softmax(axis=1), (2, 4, 3)),
}

RESHAPING: dict[str, Entry] = {
    "flatten": Entry(lambda layers: layers.Flatten(), (2, 4, 3)),
    "reshape": Entry(lambda layers: layers.Reshape((-1, 2)), (2, 4, 3)),
    "permute": Entry(lambda layers: layers.Permute((2, 1)), (2, 4, 3)),
    "repeat vector": Entry(lambda layers: layers.RepeatVector(3), (2, 4)),
}

MERGING: dict[str, Entry] = {
    "add": Entry(lambda layers: layers.Add(), [(2, 4, 3), (2, 3), (2, 4, 1)]),
    "subtract": Entry(lambda layers: layers.Subtract(), [(2, 3), (2, 3)]),
    "multiply": Entry(lambda layers: layers.Multiply(), [(2, 3), (2, 3), (2, 3)]),
    "average": Entry(lambda layers: layers.Average(), [(2, 3), (2, 3)]),
    "maximum": Entry(lambda layers: layers.Maximum(), [(2, 3), (2, 3)]),
    "minimum": Entry(lambda layers: layers.Minimum(), [(2, 3), (2, 3)]),
    "concatenate": Entry(lambda layers: layers.Concatenate(axis=1), [(2, 4, 3), (2, 1, 3)]),
    "dot": Entry(lambda layers: layers.Dot(axes=(1, 2), normalize=True), [(2, 3, 5), (2, 4, 3)]),
}

RANDOM: dict[str, Entry] = {
    "dropout": Entry(lambda layers: layers.Dropout(0.3, noise_shape=(None, 1, 3), seed=1), (2, 4, 3), random=True),
    "spatial dropout 1d": Entry(lambda layers: layers.SpatialDropout1D(0.3), (2, 4, 3), random=True),
    "spatial dropout 2d": Entry(lambda layers: layers.SpatialDropout2D(0.3), (2, 4, 3, 2), random=True),
    "spatial dropout 3d": Entry(lambda layers: layers.SpatialDropout3D(0.3), (2, 2, 4, 3, 2), random=True),
    "gaussian dropout": Entry(lambda layers: layers.GaussianDropout(0.3), (2, 4, 3), random=True),
    "gaussian noise": Entry(lambda layers: layers.GaussianNoise(0.3), (2, 4, 3), random=True),
    "alpha dropout": Entry(lambda layers: layers.AlphaDropout(0.3), (2, 4, 3), random=True),
    "activity regularization": Entry(lambda layers: layers.ActivityRegularization(0.1, 0.2), (2, 3)),
}

IMAGES: dict[str, Entry] = {
    "resizing": Entry(lambda layers: layers.Resizing(3, 7, crop_to_aspect_ratio=True), (2, 5, 6, 3)),
    "center crop": Entry(lambda layers: layers.CenterCrop(3, 2), (2, 5, 6, 3)),
    "random crop": Entry(lambda layers: layers.RandomCrop(5, 6, seed=3), (2, 5, 6, 3), random=True),
    "random flip": Entry(lambda layers: layers.RandomFlip("horizontal", seed=1), (2, 4, 3, 3), random=True),
    "random rotation": Entry(lambda layers: layers.RandomRotation((-0.1, 0.2), "wrap"), (2, 4, 3, 3), random=True),
    "random translation": Entry(lambda layers: layers.RandomTranslation(0.1, (0, 0.3)), (2, 4, 3, 3), random=True),
    "random zoom": Entry(lambda layers: layers.RandomZoom(0.2, fill_mode="nearest"), (2, 4, 3, 3), random=True),
    "random shear": Entry(lambda layers: layers.RandomShear((0.1, 0.2), (0, 0.3)), (2, 4, 3, 3), random=True),
    "random perspective": Entry(lambda layers: layers.RandomPerspective(scale=0.3), (2, 4, 3, 3), random=True),
    "random elastic": Entry(lambda layers: layers.RandomElasticTransform(scale=0.4), (2, 4, 3, 3), random=True),
    "random brightness": Entry(lambda layers: layers.RandomBrightness(0.2, (0, 1)), (2, 4, 3, 3), random=True),
    "random contrast": Entry(lambda layers: layers.RandomContrast((0.2, 0.4)), (2, 4, 3, 3), random=True),
    "random hue": Entry(lambda layers: layers.RandomHue(0.2, (0, 1)), (2, 4, 3, 3), random=True),
    "random saturation": Entry(lambda layers: layers.RandomSaturation((0.3, 0.6)), (2, 4, 3, 3), random=True),
    "random sharpness": Entry(lambda layers: layers.RandomSharpness(0.7), (2, 4, 3, 3), random=True),
    "random color degeneration": Entry(lambda layers: layers.RandomColorDegeneration(0.7), (2, 4, 3, 3), random=True),
    "random color jitter": Entry(
        lambda layers: layers.RandomColorJitter((0, 1), 0.1, 0.2, 0.3, 0.4), (2, 4, 3, 3), random=True
    ),
    "random grayscale": Entry(lambda layers: layers.RandomGrayscale(0.4), (2, 4, 3, 3), random=True),
    "random invert": Entry(lambda layers: layers.RandomInvert(0.4), (2, 4, 3, 3), random=True),
    "random posterization": Entry(lambda layers: layers.RandomPosterization((3, 5)), (2, 4, 3, 3), random=True),
    "random gaussian blur": Entry(lambda layers: layers.RandomGaussianBlur(0.5, (5, 3)), (2, 4, 3, 3), random=True),
    "random erasing": Entry(lambda layers: layers.RandomErasing(fill_value=2.0), (2, 4, 3, 3), random=True),
    "solarization": Entry(lambda layers: layers.Solarization(0.2, (0.1, 0.3)), (2, 4, 3, 3), random=True),
    "auto contrast": Entry(lambda layers: layers.AutoContrast((0, 1)), (2, 4, 3, 3)),
    "equalization": Entry(lambda layers: layers.Equalization(bins=4), (2, 4, 3, 3)),
    "clahe": Entry(
        lambda layers: layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 2)), (2, 4, 6, 3)
    ),
    "cut mix": Entry(lambda layers: layers.CutMix(0.5), (2, 4, 3, 3), random=True),
    "mix up": Entry(lambda layers: layers.MixUp(0.5), (2, 4, 3, 3), random=True),
    "rand augment": Entry(lambda layers: layers.RandAugment((0, 1), num_ops=1), (2, 4, 3, 3), random=True),
    "aug mix": Entry(
        lambda layers: layers.AugMix((0, 1), num_chains=1, chain_depth=1, all_ops=False), (2, 4, 3, 3), random=True
    ),
    "max num bounding boxes": Entry(lambda layers: layers.MaxNumBoundingBoxes(3), (2, 4, 3, 3)),
    "pipeline": Entry(
        lambda layers: layers.Pipeline([layers.Resizing(3, 3), layers.RandomFlip()]), (2, 4, 3, 3), random=True
    ),
}

RECURRENT: dict[str, Entry] = {
    "simple rnn": Entry(lambda layers: layers.SimpleRNN(4, kernel_regularizer="l2"), (2, 5, 3)),
    "simple rnn backwards": Entry(
        lambda layers: layers.SimpleRNN(4, activation="relu", return_sequences=True, go_backwards=True), (2, 5, 3)
    ),
    "lstm": Entry(lambda layers: layers.LSTM(4, unit_forget_bias=False, recurrent_regularizer="l2"), (2, 5, 3)),
    "lstm of sequences": Entry(
        lambda layers: layers.LSTM(4, return_sequences=True, use_bias=False, activity_regularizer="l2"), (2, 5, 3)
    ),
    "lstm unrolled": Entry(lambda layers: layers.LSTM(3, unroll=True), (2, 5, 3)),
    "gru": Entry(lambda layers: layers.GRU(4, bias_regularizer="l1", bias_initializer="ones"), (2, 5, 3)),
    "gru reset before": Entry(lambda layers: layers.GRU(4, reset_after=False, return_sequences=True), (2, 5, 3)),
    "rnn": Entry(lambda layers: layers.RNN(layers.SimpleRNNCell(4), return_sequences=True), (2, 5, 3)),
    "rnn of stacked cells": Entry(
        lambda layers: layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], return_sequences=True), (2, 5, 3)
    ),
    "bidirectional": Entry(lambda layers: layers.Bidirectional(layers.LSTM(4, return_sequences=True)), (2, 5, 3)),
    "bidirectional sum": Entry(lambda layers: layers.Bidirectional(layers.GRU(4), merge_mode="sum"), (2, 5, 3)),
    "conv lstm1d": Entry(lambda layers: layers.ConvLSTM1D(3, 3, strides=2, use_bias=False), (2, 4, 7, 2)),
    "conv lstm2d": Entry(
        lambda layers: layers.ConvLSTM2D(2, (3, 2), padding="same", recurrent_regularizer="l2", return_sequences=True),
        (2, 4, 5, 4, 3),
    ),
    "conv lstm2d first": Entry(
        lambda layers: layers.ConvLSTM2D(2, 2, dilation_rate=2, data_format="channels_first", unit_forget_bias=False),
        (2, 3, 2, 5, 4),
    ),
    "conv lstm3d": Entry(lambda layers: layers.ConvLSTM3D(2, 2, go_backwards=True), (2, 3, 3, 4, 3, 1)),
    "conv lstm dropout": Entry(
        lambda layers: layers.ConvLSTM1D(2, 3, dropout=0.3, recurrent_dropout=0.3), (2, 4, 5, 2), random=True
    ),
    "recurrent dropout": Entry(
        lambda layers: layers.GRU(4, dropout=0.3, recurrent_dropout=0.3), (2, 5, 3), random=True
    ),
}

CONVOLUTIONS: dict[str, Entry] = {
    "conv1d": Entry(lambda layers: layers.Conv1D(4, 3, activation="relu"), (2, 7, 3)),
    "conv1d causal": Entry(lambda layers: layers.Conv1D(4, 3, padding="causal", dilation_rate=2), (2, 7, 3)),
    "conv2d": Entry(lambda layers: layers.Conv2D(4, (3, 2), strides=2, padding="same"), (2, 6, 5, 3)),
    "conv2d groups": Entry(lambda layers: layers.Conv2D(4, 3, groups=2, kernel_regularizer="l2"), (2, 6, 5, 4)),
    "conv2d first": Entry(lambda layers: layers.Conv2D(4, 3, data_format="channels_first"), (2, 3, 6, 5)),
    "conv3d": Entry(lambda layers: layers.Conv3D(2, 2, padding="same", use_bias=False), (2, 4, 3, 3, 2)),
    "conv1d transpose": Entry(lambda layers: layers.Conv1DTranspose(3, 3, strides=2), (2, 5, 2)),
    "conv2d transpose": Entry(
        lambda layers: layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1), (2, 4, 3, 2)
    ),
    "conv3d transpose": Entry(lambda layers: layers.Conv3DTranspose(2, 2, padding="same"), (2, 3, 3, 2, 2)),
    "depthwise conv1d": Entry(lambda layers: layers.DepthwiseConv1D(3, depth_multiplier=2), (2, 7, 3)),
    "depthwise conv2d": Entry(lambda layers: layers.DepthwiseConv2D(3, padding="same", strides=2), (2, 6, 5, 3)),
    "separable conv1d": Entry(lambda layers: layers.SeparableConv1D(4, 3, depth_multiplier=2), (2, 7, 3)),
    "separable conv2d": Entry(lambda layers: layers.SeparableConv2D(4, 3, pointwise_regularizer="l1"), (2, 6, 5, 3)),
}

POOLINGS: dict[str, Entry] = {
    "max pooling 1d": Entry(lambda layers: layers.MaxPooling1D(), (2, 7, 3)),
    "max pooling 2d": Entry(lambda layers: layers.MaxPooling2D((2, 3), padding="same"), (2, 6, 5, 3)),
    "max pooling 3d": Entry(lambda layers: layers.MaxPooling3D(), (2, 4, 4, 5, 2)),
    "average pooling 1d": Entry(lambda layers: layers.AveragePooling1D(3, strides=2), (2, 7, 3)),
    "average pooling 2d": Entry(lambda layers: layers.AveragePooling2D(2, padding="same"), (2, 6, 5, 3)),
    "average pooling 3d": Entry(lambda layers: layers.AveragePooling3D(2), (2, 4, 4, 5, 2)),
    "global max pooling 1d": Entry(lambda layers: layers.GlobalMaxPooling1D(), (2, 7, 3)),
    "global max pooling 2d": Entry(lambda layers: layers.GlobalMaxPooling2D(keepdims=True), (2, 6, 5, 3)),
    "global max pooling 3d": Entry(lambda layers: layers.GlobalMaxPooling3D("channels_first"), (2, 2, 4, 4, 5)),
    "global average pooling 1d": Entry(lambda layers: layers.GlobalAveragePooling1D(), (2, 7, 3)),
    "global average pooling 2d": Entry(lambda layers: layers.GlobalAveragePooling2D(), (2, 6, 5, 3)),
    "global average pooling 3d": Entry(lambda layers: layers.GlobalAveragePooling3D(), (2, 4, 4, 5, 2)),
    "adaptive max pooling 1d": Entry(lambda layers: layers.AdaptiveMaxPooling1D(3), (2, 7, 3)),
    "adaptive max pooling 2d": Entry(lambda layers: layers.AdaptiveMaxPooling2D((4, 2)), (2, 6, 5, 3)),
    "adaptive max pooling 3d": Entry(lambda layers: layers.AdaptiveMaxPooling3D(2), (2, 4, 4, 5, 2)),
    "adaptive average pooling 1d": Entry(lambda layers: layers.AdaptiveAveragePooling1D(3), (2, 7, 3)),
    "adaptive average pooling 2d": Entry(lambda layers: layers.AdaptiveAveragePooling2D(4), (2, 6, 5, 3)),
    "adaptive average pooling 3d": Entry(lambda layers: layers.AdaptiveAveragePooling3D(2), (2, 4, 4, 5, 2)),
}

FRAMES: dict[str, Entry] = {
    "zero padding 1d": Entry(lambda layers: layers.ZeroPadding1D((2, 0)), (2, 7, 3)),
    "zero padding 2d": Entry(lambda layers: layers.ZeroPadding2D((1, 2)), (2, 4, 5, 3)),
    "zero padding 3d": Entry(lambda layers: layers.ZeroPadding3D(((1, 0), (0, 1), (2, 2))), (2, 2, 3, 2, 2)),
    "cropping 1d": Entry(lambda layers: layers.Cropping1D((0, 2)), (2, 7, 3)),
    "cropping 2d": Entry(lambda layers: layers.Cropping2D(1, data_format="channels_first"), (2, 3, 4, 5)),
    "cropping 3d": Entry(lambda layers: layers.Cropping3D(), (2, 4, 4, 3, 2)),
    "up sampling 1d": Entry(lambda layers: layers.UpSampling1D(3), (2, 4, 3)),
    "up sampling 2d": Entry(lambda layers: layers.UpSampling2D((2, 3)), (2, 3, 2, 3)),
    "up sampling 2d bilinear": Entry(lambda layers: layers.UpSampling2D(2, interpolation="bilinear"), (2, 3, 2, 3)),
    "up sampling 3d": Entry(lambda layers: layers.UpSampling3D(), (2, 2, 3, 2, 2)),
}

NORMALIZATIONS: dict[str, Entry] = {
    "batch normalization": Entry(lambda layers: layers.BatchNormalization(), (4, 5, 3), trains_differently=True),
    "batch normalization renorm": Entry(
        lambda layers: layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 1.5, "dmax": 0.5}),
        (4, 5, 3),
        trains_differently=True,
    ),
    "layer normalization": Entry(lambda layers: layers.LayerNormalization(axis=[1, 2]), (2, 5, 3)),
    "rms normalization": Entry(lambda layers: layers.RMSNormalization(), (2, 5, 3)),
    "group normalization": Entry(lambda layers: layers.GroupNormalization(groups=2), (2, 5, 4)),
    "unit normalization": Entry(lambda layers: layers.UnitNormalization(), (2, 5, 3)),
    "spectral normalization": Entry(
        lambda layers: layers.SpectralNormalization(layers.Dense(4), power_iterations=2),
        (2, 3),
        trains_differently=True,
    ),
}

ATTENTION: dict[str, Entry] = {
    "attention": Entry(lambda layers: layers.Attention(use_scale=True), [(2, 4, 3), (2, 5, 3)]),
    "attention concat": Entry(
        lambda layers: layers.Attention(use_scale=True, score_mode="concat"), [(2, 4, 3), (2, 5, 6), (2, 5, 3)]
    ),
    "multi head attention": Entry(
        lambda layers: layers.MultiHeadAttention(2, 3, kernel_regularizer="l2"), [(2, 4, 6), (2, 5, 6)], apart=True
    ),
    "multi head attention of images": Entry(
        lambda layers: layers.MultiHeadAttention(
            2, 3, value_dim=2, output_shape=5, attention_axes=2, use_bias=False, use_gate=True
        ),
        [(2, 3, 4, 6), (2, 3, 4, 6)],
        apart=True,
    ),
    "grouped query attention": Entry(
        lambda layers: layers.GroupQueryAttention(2, 4, 2, sliding_window=2, activity_regularizer="l1"),
        [(2, 4, 6), (2, 5, 6), (2, 5, 7)],
        apart=True,
    ),
    "additive attention": Entry(lambda layers: layers.AdditiveAttention(), [(2, 4, 3), (2, 5, 3)]),
}

SPECTROGRAMS: dict[str, Entry] = {
    "stft spectrogram": Entry(lambda layers: layers.STFTSpectrogram("psd", 8, 3), (2, 20, 2)),
    "stft spectrogram of images": Entry(
        lambda layers: layers.STFTSpectrogram("stft", 6, window="hamming", padding="same", expand_dims=True), (2, 20, 2)
    ),
    "mel spectrogram": Entry(lambda layers: layers.MelSpectrogram(16, 4, num_mel_bins=3, mag_exp=1.0), (2, 40)),
}

LAYERS: dict[str, Entry] = (
    BASICS
    | ACTIVATIONS
    | RESHAPING
    | MERGING
    | RANDOM
    | IMAGES
    | RECURRENT
    | ATTENTION
    | CONVOLUTIONS
    | POOLINGS
    | FRAMES
    | NORMALIZATIONS
    | SPECTROGRAMS
)

#: Layers of Keras 1 and 2 that Keras 3 does not have: every promise but those about real Keras.
KERAS_2: dict[str, Entry] = {
    "random height": Entry(lambda layers: layers.RandomHeight(0.2), (2, 4, 3, 3), random=True),
    "random width": Entry(lambda layers: layers.RandomWidth((0.1, 0.3)), (2, 4, 3, 3), random=True),
    "locally connected 1d": Entry(lambda layers: layers.LocallyConnected1D(4, 3, activation="relu"), (2, 7, 3)),
    "locally connected 2d": Entry(
        lambda layers: layers.LocallyConnected2D(4, (3, 2), 2, "same", implementation=3), (2, 6, 5, 3)
    ),
    "locally connected 2d first": Entry(
        lambda layers: layers.LocallyConnected2D(4, 2, data_format="channels_first", implementation=2), (2, 3, 4, 5)
    ),
}

#: Layers that Keras keeps beside the models of its applications; tests/applications and test_residual.py compare them.
APPLICATIONS: dict[str, Entry] = {
    "custom scale": Entry(lambda layers: layers.merging.CustomScaleLayer(0.3), [(2, 4, 3), (2, 4, 3)]),
    "layer scale": Entry(lambda layers: layers.LayerScale(0.1, 3), (2, 5, 3)),
    "stochastic depth": Entry(lambda layers: layers.StochasticDepth(0.3), (4, 5, 3), random=True),
}

#: Layers that compute on the host, and that Keras has on TensorFlow alone: tests/layers/feature_preprocessing compares.
HOST: dict[str, Entry] = {
    "integer lookup": Entry(lambda layers: layers.IntegerLookup(vocabulary=[2, 5], mask_token=0), (2, 4), highest=7),
    "integer lookup counts": Entry(
        lambda layers: layers.IntegerLookup(vocabulary=[2, 5], output_mode="count"), (2, 4), highest=7
    ),
    "hashing": Entry(lambda layers: layers.Hashing(5, mask_value=0, output_mode="multi_hot"), (2, 4), highest=7),
    "hashed crossing": Entry(lambda layers: layers.HashedCrossing(5), [(4, 1), (4, 1)], highest=7),
}

COMPILED = LAYERS | KERAS_2 | APPLICATIONS
EVERY = COMPILED | HOST
