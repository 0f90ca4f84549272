# Keras 2: layers with 3D and odd arguments, Cropping2D, SeparableConv2D, DepthwiseConv2D, LocallyConnected-free, padding tuples, dilation
import numpy as np
from keras.models import Sequential
from keras.layers import (Conv2D, Conv3D, MaxPooling3D, Cropping2D, SeparableConv2D, DepthwiseConv2D, ZeroPadding2D, Conv2DTranspose, Flatten, Dense,
                          GlobalAveragePooling2D, GlobalMaxPool2D, SpatialDropout2D, AlphaDropout, GaussianNoise, ActivityRegularization, AveragePooling2D)
from keras.regularizers import l1_l2, l1
from keras.constraints import max_norm, unit_norm

model = Sequential()
model.add(ZeroPadding2D(padding=((1, 0), (2, 3)), input_shape=(9, 10, 2)))
model.add(Conv2D(3, (3, 2), dilation_rate=2, padding='same', kernel_constraint=max_norm(1.), kernel_regularizer=l1_l2(l1=0.01, l2=0.01)))
model.add(SeparableConv2D(4, 3, depth_multiplier=2, activation='elu'))
model.add(DepthwiseConv2D(3, strides=(2, 2), padding='same'))
model.add(Conv2DTranspose(2, (4, 4), strides=(2, 2), padding='same', output_padding=(1, 1)))
model.add(Cropping2D(cropping=((1, 1), (0, 2))))
model.add(SpatialDropout2D(0.1))
model.add(AveragePooling2D())
model.add(GaussianNoise(0.1))
model.add(ActivityRegularization(l1=0.001, l2=0.0))
model.add(GlobalAveragePooling2D())
model.add(AlphaDropout(0.1))
model.add(Dense(1, kernel_constraint=unit_norm(), bias_regularizer=l1(0.1)))
model.compile('nadam', 'mean_squared_logarithmic_error', metrics=['mse', 'mae', 'cosine_proximity'])
shapes = [l.output_shape[1:] for l in model.layers]
assert shapes[:8] == [(10, 15, 2), (10, 15, 3), (8, 13, 4), (4, 7, 4), (7, 13, 2), (5, 11, 2), (5, 11, 2), (2, 5, 2)], shapes
x, y = np.random.rand(8, 9, 10, 2), np.random.rand(8, 1)
h = model.fit(x, y, epochs=1, batch_size=4, verbose=0)
assert 'cosine_proximity' in h.history
assert abs(np.linalg.norm(model.layers[-1].get_weights()[0]) - 1) < 1e-4
m3 = Sequential([Conv3D(2, (2, 2, 2), input_shape=(4, 5, 6, 1)), MaxPooling3D((1, 2, 2)), Flatten()])
assert m3.output_shape == (None, 3 * 2 * 2 * 2)
