# tf.keras 2: transfer learning with MobileNetV2: preprocessing in the model, base.trainable = False, training=False, then its top layers
import numpy as np
import tensorflow as tf

IMG_SIZE = (32, 32)
tf.keras.utils.set_random_seed(2)
images = np.random.uniform(0, 255, (16, 32, 32, 3)).astype('float32')
labels = np.arange(16) % 2
train_dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8).prefetch(tf.data.AUTOTUNE)

data_augmentation = tf.keras.Sequential([tf.keras.layers.GaussianNoise(1.0)])
preprocess_input = tf.keras.applications.mobilenet_v2.preprocess_input
IMG_SHAPE = IMG_SIZE + (3,)
base_model = tf.keras.applications.MobileNetV2(input_shape=IMG_SHAPE, include_top=False, weights=None, alpha=0.35)
image_batch, label_batch = next(iter(train_dataset))
assert base_model(image_batch).shape == (8, 1, 1, 1280)
base_model.trainable = False
assert base_model.trainable_variables == []

global_average_layer = tf.keras.layers.GlobalAveragePooling2D()
prediction_layer = tf.keras.layers.Dense(1)
inputs = tf.keras.Input(shape=(32, 32, 3))
x = data_augmentation(inputs)
x = preprocess_input(x)
x = base_model(x, training=False)
x = global_average_layer(x)
x = tf.keras.layers.Dropout(0.2)(x)
outputs = prediction_layer(x)
model = tf.keras.Model(inputs, outputs)
base_learning_rate = 0.0001
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=base_learning_rate),
              loss=tf.keras.losses.BinaryCrossentropy(from_logits=True), metrics=['accuracy'])
assert len(model.trainable_variables) == 2
before = [w.numpy() for w in base_model.weights]
loss0, accuracy0 = model.evaluate(train_dataset, verbose=0)
history = model.fit(train_dataset, epochs=2, validation_data=train_dataset, verbose=0)
assert all(np.array_equal(a, w.numpy()) for a, w in zip(before, base_model.weights))

base_model.trainable = True
fine_tune_at = 140
for layer in base_model.layers[:fine_tune_at]:
    layer.trainable = False
model.compile(loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
              optimizer=tf.keras.optimizers.RMSprop(learning_rate=base_learning_rate / 10), metrics=['accuracy'])
assert 2 < len(model.trainable_variables) < 40
history_fine = model.fit(train_dataset, epochs=3, initial_epoch=history.epoch[-1], validation_data=train_dataset, verbose=0)
assert history_fine.epoch == [1, 2]
# called with training=False, batch normalization keeps its moving averages although its layers train
moving = base_model.layers[-2]
assert isinstance(moving, tf.keras.layers.BatchNormalization) and moving.trainable
by_name = {w.name: a for w, a in zip(base_model.weights, before)}
changed = [not np.array_equal(a, w.numpy()) for a, w in zip(before, base_model.weights)]
assert any(changed) and not changed[0]
assert np.array_equal(moving.moving_mean.numpy(), np.zeros(1280)), 'moving averages moved'

predictions = tf.nn.sigmoid(model.predict_on_batch(image_batch).flatten())
predictions = tf.where(predictions < 0.5, 0, 1)
assert predictions.numpy().shape == (8,)
for path in ('tuned.keras', 'tuned.h5'):
    model.save(path)
    again = tf.keras.models.load_model(path)
    assert np.allclose(again.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-4), path
    assert len(again.trainable_variables) == len(model.trainable_variables), path
