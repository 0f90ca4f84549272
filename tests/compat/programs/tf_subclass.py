# tf.keras: subclassed model and layers with add_weight, build, call(training), self.add_loss, name scopes, summary, save_weights
import tensorflow as tf
from tensorflow.keras.layers import Dense, Flatten, Conv2D, Layer, Dropout
from tensorflow.keras import Model
import numpy as np

tf.keras.backend.set_floatx('float32')


class Linear(Layer):
    def __init__(self, units=32, input_dim=None):
        super(Linear, self).__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer='random_normal', trainable=True)
        self.b = self.add_weight(shape=(self.units,), initializer='zeros', trainable=True)

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b


class ActivityReg(Layer):
    def __init__(self, rate=1e-2):
        super(ActivityReg, self).__init__()
        self.rate = rate

    def call(self, inputs):
        self.add_loss(self.rate * tf.reduce_sum(inputs))
        return inputs


class MyModel(Model):
    def __init__(self):
        super(MyModel, self).__init__()
        self.flatten = Flatten()
        self.d1 = Linear(8)
        self.reg = ActivityReg()
        self.drop = Dropout(0.5)
        self.d2 = Dense(10)

    def call(self, x, training=False):
        x = self.flatten(x)
        x = tf.nn.relu(self.d1(x))
        x = self.reg(x)
        if training:
            x = self.drop(x, training=training)
        return self.d2(x)


(x_train, y_train), _ = tf.keras.datasets.mnist.load_data()
x_train, y_train = x_train[:128].astype('float32') / 255., y_train[:128]
model = MyModel()
model.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=['accuracy'])
model.fit(x_train, y_train, epochs=1, batch_size=32, verbose=0)
model.summary()
loss, acc = model.evaluate(x_train, y_train, verbose=0, batch_size=128)
logits = model.predict(x_train)
plain = tf.keras.losses.sparse_categorical_crossentropy(y_train, logits, from_logits=True).numpy().mean()
hidden = np.maximum(x_train.reshape(128, -1).dot(model.d1.w.numpy()) + model.d1.b.numpy(), 0)
assert abs(loss - plain - 0.01 * hidden.sum()) < 1e-2 * hidden.sum() * 0.01 + 1e-3, (loss, plain, hidden.sum())
assert len(model.trainable_variables) == 4 and model.count_params() == 784 * 8 + 8 + 90
model.save_weights('subclass.weights.h5')
twin = MyModel()
twin(x_train[:1])
twin.load_weights('subclass.weights.h5')
assert np.allclose(twin.predict(x_train), logits, atol=1e-5)
