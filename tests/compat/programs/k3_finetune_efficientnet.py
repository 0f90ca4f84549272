# Keras 3: fine-tuning as in its guide: a frozen EfficientNet called with training=False, then all of it with Adam(1e-5)
import keras
import numpy as np

keras.utils.set_random_seed(4)
images = np.random.uniform(0, 255, (8, 32, 32, 3)).astype("float32")
labels = np.arange(8) % 2

base_model = keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), include_top=False)
base_model.get_layer("normalization").adapt(images)
base_model.trainable = False
inputs = keras.Input(shape=(32, 32, 3))
x = base_model(inputs, training=False)
x = keras.layers.GlobalAveragePooling2D()(x)
x = keras.layers.Dropout(0.2)(x)
outputs = keras.layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
assert len(model.trainable_weights) == 2
model.compile(
    optimizer=keras.optimizers.Adam(),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
frozen = [weight.numpy() for weight in base_model.weights]
model.fit(images, labels, batch_size=4, epochs=2, verbose=0)
assert all(np.array_equal(a, w.numpy()) for a, w in zip(frozen, base_model.weights))

base_model.trainable = True
for layer in base_model.layers[:-3]:
    layer.trainable = False
model.compile(
    optimizer=keras.optimizers.Adam(1e-5),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
assert len(model.trainable_weights) == 2 + 3
model.fit(images, labels, batch_size=4, epochs=1, verbose=0)
changed = [w.path for a, w in zip(frozen, base_model.weights) if not np.array_equal(a, w.numpy())]
assert [path.split("/")[-2:] for path in changed] == [["top_conv", "kernel"], ["top_bn", "gamma"], ["top_bn", "beta"]], changed

expected = model.predict(images, verbose=0)
model.save("tuned.keras")
again = keras.models.load_model("tuned.keras")
assert np.allclose(again.predict(images, verbose=0), expected, atol=1e-5)
base_model.save_weights("base.weights.h5")
other = keras.applications.efficientnet.EfficientNetB0(weights="base.weights.h5", input_shape=(32, 32, 3), include_top=False)
assert np.array_equal(other.get_layer("top_conv").get_weights()[0], base_model.get_layer("top_conv").get_weights()[0])
assert np.allclose(other.layers[2].mean, images.mean((0, 1, 2)).reshape(1, 1, 1, 3), rtol=1e-4)
