# tf.keras: Grad-CAM with one model that gives maps and scores, saliency, guided ReLU by tf.custom_gradient
import numpy as np
import tensorflow as tf

tf.random.set_seed(1)
x = np.random.RandomState(0).rand(48, 16, 16, 1).astype('float32') * 0.1
y = np.arange(48) % 2
x[y == 0, 2:7, 2:7] += 1.
x[y == 1, 9:14, 9:14] += 1.
inputs = tf.keras.Input(shape=(16, 16, 1))
maps = tf.keras.layers.Conv2D(8, 3, padding='same', activation='relu', name='last_conv')(inputs)
pooled = tf.keras.layers.Flatten()(tf.keras.layers.MaxPooling2D()(maps))
model = tf.keras.Model(inputs, tf.keras.layers.Dense(2, activation='softmax')(pooled))
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=12, batch_size=8, verbose=0)
grad_model = tf.keras.models.Model([model.inputs], [model.get_layer('last_conv').output, model.output])


def make_gradcam_heatmap(img_array, pred_index=None):
    with tf.GradientTape() as tape:
        last_conv_layer_output, preds = grad_model(img_array)
        if pred_index is None:
            pred_index = tf.argmax(preds[0])
        class_channel = preds[:, pred_index]
    grads = tape.gradient(class_channel, last_conv_layer_output)
    pooled_grads = tf.reduce_mean(grads, axis=(0, 1, 2))
    last_conv_layer_output = last_conv_layer_output[0]
    heatmap = last_conv_layer_output @ pooled_grads[..., tf.newaxis]
    heatmap = tf.squeeze(heatmap)
    heatmap = tf.maximum(heatmap, 0) / tf.math.reduce_max(tf.abs(heatmap))
    return heatmap.numpy(), pooled_grads.numpy()


heatmap, pooled = make_gradcam_heatmap(x[:1])
assert heatmap.shape == (16, 16) and pooled.shape == (8,) and np.abs(pooled).max() > 0
image = tf.Variable(x[1:2])
with tf.GradientTape() as tape:
    score = model(image)[0, 1]
    print('score', score.numpy())
saliency = tf.reduce_max(tf.abs(tape.gradient(score, image)), axis=-1)[0].numpy()
assert saliency[9:14, 9:14].mean() > 0


@tf.custom_gradient
def guided_relu(v):
    def grad(dy):
        return tf.cast(dy > 0, 'float32') * tf.cast(v > 0, 'float32') * dy
    return tf.nn.relu(v), grad


v = tf.constant([-1., 2., 3.])
with tf.GradientTape() as tape:
    tape.watch(v)
    out = guided_relu(v) * tf.constant([1., -1., 1.])
assert tape.gradient(out, v).numpy().tolist() == [0., 0., 1.]
