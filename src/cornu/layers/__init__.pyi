# Written by scripts/stubs; a test compares.

from cornu.compat.layers import AtrousConvolution1D as AtrousConvolution1D
from cornu.compat.layers import AtrousConvolution2D as AtrousConvolution2D
from cornu.compat.layers import ConvLSTM2DCell as ConvLSTM2DCell
from cornu.compat.layers import Convolution1D as Convolution1D
from cornu.compat.layers import Convolution2D as Convolution2D
from cornu.compat.layers import Convolution3D as Convolution3D
from cornu.compat.layers import Deconvolution2D as Deconvolution2D
from cornu.compat.layers import Deconvolution3D as Deconvolution3D
from cornu.compat.layers import DepthwiseConvolution2D as DepthwiseConvolution2D
from cornu.compat.layers import Merge as Merge
from cornu.compat.layers import SeparableConvolution1D as SeparableConvolution1D
from cornu.compat.layers import SeparableConvolution2D as SeparableConvolution2D
from cornu.compat.layers import ThresholdedReLU as ThresholdedReLU
from cornu.compat.layers import TimeDistributedDense as TimeDistributedDense
from cornu.compat.layers import merge as merge
from cornu.compat.recurrent import AbstractRNNCell as AbstractRNNCell
from cornu.compat.recurrent import CuDNNGRU as CuDNNGRU
from cornu.compat.recurrent import CuDNNLSTM as CuDNNLSTM
from cornu.compat.recurrent import Recurrent as Recurrent
from cornu.compat.recurrent import _time_distributed_dense
from cornu.core.input_spec import InputSpec as InputSpec
from cornu.core.layer import Layer as Layer
from cornu.layers.activation import Activation as Activation
from cornu.layers.activation import ELU as ELU
from cornu.layers.activation import LeakyReLU as LeakyReLU
from cornu.layers.activation import PReLU as PReLU
from cornu.layers.activation import ReLU as ReLU
from cornu.layers.activation import Softmax as Softmax
from cornu.layers.attention import AdditiveAttention as AdditiveAttention
from cornu.layers.attention import Attention as Attention
from cornu.layers.convolution import Conv1D as Conv1D
from cornu.layers.convolution import Conv1DTranspose as Conv1DTranspose
from cornu.layers.convolution import Conv2D as Conv2D
from cornu.layers.convolution import Conv2DTranspose as Conv2DTranspose
from cornu.layers.convolution import Conv3D as Conv3D
from cornu.layers.convolution import Conv3DTranspose as Conv3DTranspose
from cornu.layers.convolution import DepthwiseConv1D as DepthwiseConv1D
from cornu.layers.convolution import DepthwiseConv2D as DepthwiseConv2D
from cornu.layers.convolution import SeparableConv1D as SeparableConv1D
from cornu.layers.convolution import SeparableConv2D as SeparableConv2D
from cornu.layers.core import Dense as Dense
from cornu.layers.core import Identity as Identity
from cornu.layers.core import Lambda as Lambda
from cornu.layers.core import Masking as Masking
from cornu.layers.core import Wrapper as Wrapper
from cornu.layers.einsum import EinsumDense as EinsumDense
from cornu.layers.embedding import Embedding as Embedding
from cornu.layers.embedding import ReversibleEmbedding as ReversibleEmbedding
from cornu.layers.feature_preprocessing.category_encoding import CategoryEncoding as CategoryEncoding
from cornu.layers.feature_preprocessing.discretization import Discretization as Discretization
from cornu.layers.feature_preprocessing.hashing import HashedCrossing as HashedCrossing
from cornu.layers.feature_preprocessing.hashing import Hashing as Hashing
from cornu.layers.feature_preprocessing.lookups import IntegerLookup as IntegerLookup
from cornu.layers.feature_preprocessing.lookups import StringLookup as StringLookup
from cornu.layers.feature_preprocessing.text_vectorization import TextVectorization as TextVectorization
from cornu.layers.image_preprocessing.affine import RandomRotation as RandomRotation
from cornu.layers.image_preprocessing.affine import RandomShear as RandomShear
from cornu.layers.image_preprocessing.affine import RandomTranslation as RandomTranslation
from cornu.layers.image_preprocessing.affine import RandomZoom as RandomZoom
from cornu.layers.image_preprocessing.colors import RandomColorDegeneration as RandomColorDegeneration
from cornu.layers.image_preprocessing.colors import RandomColorJitter as RandomColorJitter
from cornu.layers.image_preprocessing.colors import RandomGrayscale as RandomGrayscale
from cornu.layers.image_preprocessing.colors import RandomHue as RandomHue
from cornu.layers.image_preprocessing.colors import RandomSaturation as RandomSaturation
from cornu.layers.image_preprocessing.flips import RandomFlip as RandomFlip
from cornu.layers.image_preprocessing.histograms import ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization
from cornu.layers.image_preprocessing.histograms import Equalization as Equalization
from cornu.layers.image_preprocessing.mixing import CutMix as CutMix
from cornu.layers.image_preprocessing.mixing import MixUp as MixUp
from cornu.layers.image_preprocessing.mixing import RandomErasing as RandomErasing
from cornu.layers.image_preprocessing.perspective import RandomElasticTransform as RandomElasticTransform
from cornu.layers.image_preprocessing.perspective import RandomPerspective as RandomPerspective
from cornu.layers.image_preprocessing.pipeline import MaxNumBoundingBoxes as MaxNumBoundingBoxes
from cornu.layers.image_preprocessing.pipeline import Pipeline as Pipeline
from cornu.layers.image_preprocessing.policies import AugMix as AugMix
from cornu.layers.image_preprocessing.policies import RandAugment as RandAugment
from cornu.layers.image_preprocessing.random_size import RandomHeight as RandomHeight
from cornu.layers.image_preprocessing.random_size import RandomWidth as RandomWidth
from cornu.layers.image_preprocessing.sharpness import RandomGaussianBlur as RandomGaussianBlur
from cornu.layers.image_preprocessing.sharpness import RandomSharpness as RandomSharpness
from cornu.layers.image_preprocessing.sizes import CenterCrop as CenterCrop
from cornu.layers.image_preprocessing.sizes import RandomCrop as RandomCrop
from cornu.layers.image_preprocessing.sizes import Resizing as Resizing
from cornu.layers.image_preprocessing.tones import AutoContrast as AutoContrast
from cornu.layers.image_preprocessing.tones import RandomBrightness as RandomBrightness
from cornu.layers.image_preprocessing.tones import RandomContrast as RandomContrast
from cornu.layers.image_preprocessing.tones import RandomInvert as RandomInvert
from cornu.layers.image_preprocessing.tones import RandomPosterization as RandomPosterization
from cornu.layers.image_preprocessing.tones import Solarization as Solarization
from cornu.layers.input import Input as Input
from cornu.layers.input import InputLayer as InputLayer
from cornu.layers.locally_connected import LocallyConnected1D as LocallyConnected1D
from cornu.layers.locally_connected import LocallyConnected2D as LocallyConnected2D
from cornu.layers.merging import Add as Add
from cornu.layers.merging import Average as Average
from cornu.layers.merging import Concatenate as Concatenate
from cornu.layers.merging import Dot as Dot
from cornu.layers.merging import Maximum as Maximum
from cornu.layers.merging import Minimum as Minimum
from cornu.layers.merging import Multiply as Multiply
from cornu.layers.merging import Subtract as Subtract
from cornu.layers.merging import add as add
from cornu.layers.merging import average as average
from cornu.layers.merging import concatenate as concatenate
from cornu.layers.merging import dot as dot
from cornu.layers.merging import maximum as maximum
from cornu.layers.merging import minimum as minimum
from cornu.layers.merging import multiply as multiply
from cornu.layers.merging import subtract as subtract
from cornu.layers.multi_head_attention import GroupedQueryAttention as GroupedQueryAttention
from cornu.layers.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from cornu.layers.normalization import BatchNormalization as BatchNormalization
from cornu.layers.normalization import GroupNormalization as GroupNormalization
from cornu.layers.normalization import LayerNormalization as LayerNormalization
from cornu.layers.normalization import RMSNormalization as RMSNormalization
from cornu.layers.normalization import SpectralNormalization as SpectralNormalization
from cornu.layers.normalization import UnitNormalization as UnitNormalization
from cornu.layers.padding import Cropping1D as Cropping1D
from cornu.layers.padding import Cropping2D as Cropping2D
from cornu.layers.padding import Cropping3D as Cropping3D
from cornu.layers.padding import ZeroPadding1D as ZeroPadding1D
from cornu.layers.padding import ZeroPadding2D as ZeroPadding2D
from cornu.layers.padding import ZeroPadding3D as ZeroPadding3D
from cornu.layers.pooling import AdaptiveAveragePooling1D as AdaptiveAveragePooling1D
from cornu.layers.pooling import AdaptiveAveragePooling2D as AdaptiveAveragePooling2D
from cornu.layers.pooling import AdaptiveAveragePooling3D as AdaptiveAveragePooling3D
from cornu.layers.pooling import AdaptiveMaxPooling1D as AdaptiveMaxPooling1D
from cornu.layers.pooling import AdaptiveMaxPooling2D as AdaptiveMaxPooling2D
from cornu.layers.pooling import AdaptiveMaxPooling3D as AdaptiveMaxPooling3D
from cornu.layers.pooling import AveragePooling1D as AveragePooling1D
from cornu.layers.pooling import AveragePooling2D as AveragePooling2D
from cornu.layers.pooling import AveragePooling3D as AveragePooling3D
from cornu.layers.pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from cornu.layers.pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from cornu.layers.pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
from cornu.layers.pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from cornu.layers.pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from cornu.layers.pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
from cornu.layers.pooling import MaxPooling1D as MaxPooling1D
from cornu.layers.pooling import MaxPooling2D as MaxPooling2D
from cornu.layers.pooling import MaxPooling3D as MaxPooling3D
from cornu.layers.preprocessing import Rescaling as Rescaling
from cornu.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from cornu.layers.recurrent.conv_lstm import ConvLSTM1D as ConvLSTM1D
from cornu.layers.recurrent.conv_lstm import ConvLSTM2D as ConvLSTM2D
from cornu.layers.recurrent.conv_lstm import ConvLSTM3D as ConvLSTM3D
from cornu.layers.recurrent.conv_lstm import ConvLSTMCell as ConvLSTMCell
from cornu.layers.recurrent.gru import GRU as GRU
from cornu.layers.recurrent.gru import GRUCell as GRUCell
from cornu.layers.recurrent.lstm import LSTM as LSTM
from cornu.layers.recurrent.lstm import LSTMCell as LSTMCell
from cornu.layers.recurrent.rnn import RNN as RNN
from cornu.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
from cornu.layers.recurrent.simple_rnn import SimpleRNNCell as SimpleRNNCell
from cornu.layers.recurrent.stacked_cells import StackedRNNCells as StackedRNNCells
from cornu.layers.regularization import ActivityRegularization as ActivityRegularization
from cornu.layers.regularization import AlphaDropout as AlphaDropout
from cornu.layers.regularization import Dropout as Dropout
from cornu.layers.regularization import GaussianDropout as GaussianDropout
from cornu.layers.regularization import GaussianNoise as GaussianNoise
from cornu.layers.regularization import SpatialDropout1D as SpatialDropout1D
from cornu.layers.regularization import SpatialDropout2D as SpatialDropout2D
from cornu.layers.regularization import SpatialDropout3D as SpatialDropout3D
from cornu.layers.reshaping import Flatten as Flatten
from cornu.layers.reshaping import Permute as Permute
from cornu.layers.reshaping import RepeatVector as RepeatVector
from cornu.layers.reshaping import Reshape as Reshape
from cornu.layers.residual import LayerScale as LayerScale
from cornu.layers.residual import StochasticDepth as StochasticDepth
from cornu.layers.spectrograms import MelSpectrogram as MelSpectrogram
from cornu.layers.spectrograms import STFTSpectrogram as STFTSpectrogram
from cornu.layers.standardization import Normalization as Normalization
from cornu.layers.time_distributed import TimeDistributed as TimeDistributed
from cornu.layers.upsampling import UpSampling1D as UpSampling1D
from cornu.layers.upsampling import UpSampling2D as UpSampling2D
from cornu.layers.upsampling import UpSampling3D as UpSampling3D
from cornu.models.model import Model as Model
from cornu.models.sequential import Sequential as Sequential
from typing import Any

AtrousConv1D = AtrousConvolution1D
AtrousConv2D = AtrousConvolution2D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
BatchNormalizationV1 = BatchNormalization
BatchNormalizationV2 = BatchNormalization
ConvRNN2D = RNN
ConvRecurrent2D = RNN
Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Deconvolution2D
Convolution3DTranspose = Deconvolution3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GroupQueryAttention = GroupedQueryAttention
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
def deserialize(config: Any, custom_objects: dict[str, Any] | None=None) -> Any: ...
def get(identifier: Any) -> Any: ...
def serialize(layer: Layer) -> dict[str, Any]: ...
time_distributed_dense = _time_distributed_dense
