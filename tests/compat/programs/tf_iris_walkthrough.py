# tf.keras: custom training walkthrough of the tutorial: make_csv_dataset, pack_features_vector, value_and_gradients in a loop, metrics by hand
import os

import numpy as np
import tensorflow as tf

tf.random.set_seed(0)
rng = np.random.RandomState(0)
kinds = rng.randint(0, 3, 90)
rows = rng.normal(size=(90, 4)) * 0.3 + np.array([[5, 3, 1, 0], [6, 3, 4, 1], [7, 3, 6, 2]])[kinds]
with open("iris.csv", "w") as file:
    file.write("90,4,setosa,versicolor,virginica\n")
    file.writelines(",".join(f"{v:.1f}" for v in row) + f",{kind}\n" for row, kind in zip(rows, kinds))
column_names = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
feature_names, label_name = column_names[:-1], column_names[-1]
train_dataset = tf.data.experimental.make_csv_dataset(
    "iris.csv", 32, column_names=column_names, label_name=label_name, num_epochs=1)
features, labels = next(iter(train_dataset))
assert list(features) == feature_names and features["petal_length"].shape == (32,)


def pack_features_vector(features, labels):
    """Pack the features into a single array."""
    features = tf.stack(list(features.values()), axis=1)
    return features, labels


train_dataset = train_dataset.map(pack_features_vector)
features, labels = next(iter(train_dataset))
model = tf.keras.Sequential([
    tf.keras.layers.Dense(10, activation=tf.nn.relu, input_shape=(4,)),
    tf.keras.layers.Dense(10, activation=tf.nn.relu),
    tf.keras.layers.Dense(3)
])
assert tf.nn.softmax(model(features)[:5]).shape == (5, 3)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def loss(model, x, y, training):
    y_ = model(x, training=training)
    return loss_object(y_true=y, y_pred=y_)


def grad(model, inputs, targets):
    with tf.GradientTape() as tape:
        loss_value = loss(model, inputs, targets, training=True)
    return loss_value, tape.gradient(loss_value, model.trainable_variables)


optimizer = tf.keras.optimizers.SGD(learning_rate=0.05)
loss_value, grads = grad(model, features, labels)
assert optimizer.iterations.numpy() == 0
optimizer.apply_gradients(zip(grads, model.trainable_variables))
assert optimizer.iterations.numpy() == 1
assert loss(model, features, labels, training=True).numpy() < loss_value.numpy()
train_accuracy_results = []
for epoch in range(25):
    epoch_loss_avg = tf.keras.metrics.Mean()
    epoch_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    for x, y in train_dataset:
        loss_value, grads = grad(model, x, y)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        epoch_loss_avg.update_state(loss_value)
        epoch_accuracy.update_state(y, model(x, training=True))
    train_accuracy_results.append(epoch_accuracy.result())
assert train_accuracy_results[-1] > 0.8
test_accuracy = tf.keras.metrics.Accuracy()
for (x, y) in train_dataset:
    prediction = tf.math.argmax(model(x, training=False), axis=1, output_type=tf.int64)
    test_accuracy(prediction, y)
assert test_accuracy.result() > 0.8
predict_dataset = tf.convert_to_tensor([[5.1, 3.3, 1.7, 0.5], [5.9, 3.0, 4.2, 1.5], [6.9, 3.1, 5.4, 2.1]])
for i, logits in enumerate(model(predict_dataset, training=False)):
    class_idx = tf.math.argmax(logits).numpy()
    p = tf.nn.softmax(logits)[class_idx]
    assert 0 <= class_idx <= 2 and "%.1f" % (100 * p)
print("iris", float(test_accuracy.result()))
