# Keras 1 and 2: stacked what-where autoencoder, K.gradients inside a Lambda finds where the maximum was
import numpy as np
from keras.models import Model
from keras.layers import Input, Lambda, MaxPooling2D, UpSampling2D, Conv2D, multiply, add
from keras import backend as K


def getwhere(x):
    y_prepool, y_postpool = x
    return K.gradients(K.sum(y_postpool), y_prepool)


image = Input(shape=(8, 8, 1))
y_prepool = Conv2D(2, (3, 3), padding='same')(image)
y_postpool = MaxPooling2D(pool_size=(2, 2))(y_prepool)
where = Lambda(getwhere, output_shape=lambda x: x[0])([y_prepool, y_postpool])
up = UpSampling2D(size=(2, 2))(y_postpool)
back = multiply([up, where])
out = Conv2D(1, 3, padding='same')(back)
model = Model(image, out)
model.compile('adam', 'mse')
x = np.random.rand(12, 8, 8, 1)
model.fit(x, x, epochs=1, batch_size=6, verbose=0)
w = Model(image, where).predict(x)
assert w.shape == (12, 8, 8, 2)
assert set(np.unique(w)) == {0.0, 1.0}
assert w.sum() == 12 * 4 * 4 * 2  # one maximum in each window
