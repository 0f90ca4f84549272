# tf.keras: tensorflow.python.keras..., tensorflow.keras.utils, tf.set_random_seed, K from tensorflow, sessions and GPU options that do nothing
import os
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import random
import numpy as np
import tensorflow as tf
from tensorflow.python.keras.models import Sequential
from tensorflow.python.keras.layers import Dense, InputLayer, Conv2D, MaxPool2D, Flatten, BatchNormalization
from tensorflow.python.keras.optimizers import Adam
from tensorflow.python.keras import backend as K
from tensorflow.keras.utils import to_categorical, Progbar, plot_model
from tensorflow.keras.callbacks import EarlyStopping
from tensorflow.keras.losses import categorical_crossentropy
from tensorflow.keras.models import load_model
import tensorflow.keras.backend as KB

np.random.seed(0)
random.seed(0)
tf.compat.v1.set_random_seed(0)
config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
config.gpu_options.allow_growth = True
sess = tf.compat.v1.Session(graph=tf.compat.v1.get_default_graph(), config=config)
tf.compat.v1.keras.backend.set_session(sess)
gpus = tf.config.experimental.list_physical_devices('GPU')
if gpus:
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
print(tf.config.list_physical_devices('GPU'), tf.test.is_gpu_available())

model = Sequential()
model.add(InputLayer(input_shape=(8, 8, 1)))
model.add(Conv2D(2, kernel_size=5, strides=1, padding='same', activation='relu', name='layer_conv1'))
model.add(MaxPool2D(pool_size=2, strides=2))
model.add(Flatten())
model.add(BatchNormalization())
model.add(Dense(3, activation='softmax'))
optimizer = Adam(lr=1e-3)
model.compile(optimizer=optimizer, loss=categorical_crossentropy, metrics=['accuracy'])
x, y = np.random.rand(30, 8, 8, 1), to_categorical(np.random.randint(0, 3, 30), num_classes=3)
model.fit(x=x, y=y, epochs=3, batch_size=15, verbose=0, validation_split=0.2, callbacks=[EarlyStopping('val_loss', patience=3, restore_best_weights=True)])
result = model.evaluate(x=x, y=y, verbose=0)
for name, value in zip(model.metrics_names, result):
    print(name, value)
assert model.count_params() == 25 * 2 + 2 + 4 * 32 + 32 * 3 + 3
assert K.eval(K.constant([1., 2.])).tolist() == [1, 2] and KB.learning_phase() is not None
p = Progbar(3)
p.add(3)
assert abs(float(K.get_value(model.optimizer.lr)) - 1e-3) < 1e-9
