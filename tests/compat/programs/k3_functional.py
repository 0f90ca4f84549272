# Keras 3: functional API, ops on symbolic tensors, residual blocks, shared layers, dictionaries of inputs and outputs, plot_model
import keras
import numpy as np
from keras import layers, ops

title = keras.Input(shape=(None,), name="title", dtype="int32")
tags = keras.Input(shape=(4,), name="tags")
features = layers.GlobalAveragePooling1D()(layers.Embedding(20, 6)(title))
x = layers.concatenate([features, tags])
x = layers.Dense(10, activation="relu")(x)
residual = layers.add([x, layers.Dense(10)(x)])
residual = ops.relu(residual) * 0.5 + ops.sqrt(ops.abs(residual))
priority = layers.Dense(1, name="priority")(residual)
department = layers.Dense(3, name="department")(residual)
model = keras.Model(inputs=[title, tags], outputs={"priority": priority, "department": department})
keras.utils.plot_model(model, "multi.png", show_shapes=True)
model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss={"priority": keras.losses.BinaryCrossentropy(from_logits=True), "department": keras.losses.CategoricalCrossentropy(from_logits=True)},
    loss_weights={"priority": 1.0, "department": 0.2},
)
t, g = np.random.randint(20, size=(40, 7)), np.random.rand(40, 4).astype("float32")
p, d = np.random.randint(2, size=(40, 1)), keras.utils.to_categorical(np.random.randint(3, size=40), 3)
h = model.fit({"title": t, "tags": g}, {"priority": p, "department": d}, epochs=2, batch_size=20, verbose=0)
out = model.predict({"title": t, "tags": g}, verbose=0)
assert out["priority"].shape == (40, 1) and out["department"].shape == (40, 3)
assert "priority_loss" in h.history and "department_loss" in h.history, h.history.keys()
extractor = keras.Model(inputs=model.inputs, outputs=[layer.output for layer in model.layers])
assert len(extractor([t, g])) == len(model.layers)
result = model.evaluate([t, g], {"priority": p, "department": d}, verbose=0, return_dict=True)
assert abs(result["loss"] - result["priority_loss"] - 0.2 * result["department_loss"]) < 1e-4
