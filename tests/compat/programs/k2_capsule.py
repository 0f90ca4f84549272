# Keras 2: capsule network in small: K.stack, K.one_hot, K.map-free routing, squash, margin loss, Mask layer, K.batch_flatten
import numpy as np
from keras import backend as K, initializers, layers, models, optimizers


class Length(layers.Layer):
    def call(self, inputs, **kwargs):
        return K.sqrt(K.sum(K.square(inputs), -1) + K.epsilon())

    def compute_output_shape(self, input_shape):
        return input_shape[:-1]


class Mask(layers.Layer):
    def call(self, inputs, **kwargs):
        if type(inputs) is list:
            assert len(inputs) == 2
            inputs, mask = inputs
        else:
            x = K.sqrt(K.sum(K.square(inputs), -1))
            mask = K.one_hot(indices=K.argmax(x, 1), num_classes=x.get_shape().as_list()[1])
        return K.batch_flatten(inputs * K.expand_dims(mask, -1))

    def compute_output_shape(self, input_shape):
        if type(input_shape[0]) is tuple:
            return tuple([None, input_shape[0][1] * input_shape[0][2]])
        return tuple([None, input_shape[1] * input_shape[2]])


def squash(vectors, axis=-1):
    s_squared_norm = K.sum(K.square(vectors), axis, keepdims=True)
    scale = s_squared_norm / (1 + s_squared_norm) / K.sqrt(s_squared_norm + K.epsilon())
    return scale * vectors


class Capsules(layers.Layer):
    def __init__(self, num_capsule, dim_capsule, routings=2, kernel_initializer='glorot_uniform', **kwargs):
        super(Capsules, self).__init__(**kwargs)
        self.num_capsule, self.dim_capsule, self.routings = num_capsule, dim_capsule, routings
        self.kernel_initializer = initializers.get(kernel_initializer)

    def build(self, input_shape):
        assert len(input_shape) >= 3
        self.input_num_capsule = input_shape[1]
        self.W = self.add_weight(shape=[input_shape[1], input_shape[2], self.num_capsule * self.dim_capsule],
                                 initializer=self.kernel_initializer, name='W')
        self.built = True

    def call(self, inputs, training=None):
        parts = [K.dot(inputs[:, i], self.W[i]) for i in range(self.input_num_capsule)]
        u_hat = K.stack(parts, axis=1)
        u_hat = K.reshape(u_hat, (-1, self.input_num_capsule, self.num_capsule, self.dim_capsule))
        u_hat = K.permute_dimensions(u_hat, (0, 2, 1, 3))
        b = K.zeros_like(u_hat[:, :, :, 0])
        for i in range(self.routings):
            c = K.softmax(b, 1)
            outputs = squash(K.sum(K.expand_dims(c) * u_hat, axis=2))
            if i < self.routings - 1:
                b += K.sum(K.expand_dims(outputs, 2) * u_hat, axis=-1)
        return outputs

    def compute_output_shape(self, input_shape):
        return tuple([None, self.num_capsule, self.dim_capsule])


def margin_loss(y_true, y_pred):
    L = y_true * K.square(K.maximum(0., 0.9 - y_pred)) + 0.5 * (1 - y_true) * K.square(K.maximum(0., y_pred - 0.1))
    return K.mean(K.sum(L, 1))


x = layers.Input(shape=(8, 8, 1))
conv = layers.Conv2D(4, 3, strides=2, activation='relu', name='conv1')(x)
primary = layers.Reshape(target_shape=[-1, 4], name='primary_reshape')(conv)
primary = layers.Lambda(squash, name='primary_squash')(primary)
digits = Capsules(3, 5, name='digitcaps')(primary)
out = Length(name='capsnet')(digits)
y = layers.Input(shape=(3,))
masked_by_y = Mask()([digits, y])
masked = Mask()(digits)
decoder = models.Sequential(name='decoder')
decoder.add(layers.Dense(16, activation='relu', input_dim=15))
decoder.add(layers.Dense(64, activation='sigmoid'))
decoder.add(layers.Reshape(target_shape=(8, 8, 1), name='out_recon'))
train_model = models.Model([x, y], [out, decoder(masked_by_y)])
eval_model = models.Model(x, [out, decoder(masked)])
train_model.compile(optimizer=optimizers.Adam(lr=0.001), loss=[margin_loss, 'mse'], loss_weights=[1., 0.392], metrics={'capsnet': 'accuracy'})
a, b = np.random.rand(20, 8, 8, 1), np.eye(3)[np.random.randint(0, 3, 20)]
h = train_model.fit([a, b], [b, a], batch_size=10, epochs=1, verbose=0, validation_data=[[a, b], [b, a]])
p, r = eval_model.predict(a)
assert primary_shape == (None, 9, 4) if False else K.int_shape(primary) == (None, 9, 4)
assert p.shape == (20, 3) and r.shape == (20, 8, 8, 1) and (p >= 0).all() and (p < 1).all()
assert any('capsnet_acc' in key for key in h.history) and 'val_capsnet_loss' in h.history
assert 'capsnet_acc' in h.history
