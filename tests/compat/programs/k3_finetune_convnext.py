# Keras 3: features of a ConvNeXt's stages for a new head; LayerScale and StochasticDepth in files
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(6)
images = np.random.uniform(0, 255, (8, 32, 32, 3)).astype("float32")
backbone = keras.applications.ConvNeXtTiny(include_top=False, include_preprocessing=True, weights=None, input_shape=(32, 32, 3))
stage = backbone.get_layer("convnext_tiny_stage_1_block_2_identity")
features = keras.Model(backbone.input, [backbone.get_layer("convnext_tiny_stage_0_block_2_identity").output, stage.output], name="features")
features.trainable = False
inputs = keras.Input((32, 32, 3))
low, high = features(inputs, training=False)
x = layers.Concatenate()([layers.GlobalAveragePooling2D()(low), layers.GlobalAveragePooling2D()(high)])
outputs = layers.Dense(3, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
before = features.get_weights()
model.fit(images, np.arange(8) % 3, epochs=2, verbose=0)
assert all(np.array_equal(a, b) for a, b in zip(before, features.get_weights()))
assert any("layer_scale" in layer.name for layer in features.layers)
expected = model.predict(images, verbose=0)
model.save("features.keras")
again = keras.models.load_model("features.keras")
assert np.allclose(again.predict(images, verbose=0), expected, atol=1e-5)
assert model.count_params() == again.count_params()
