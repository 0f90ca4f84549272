# tf.keras: style transfer by an image as tf.Variable, Gram matrices by tf.linalg.einsum; WGAN-GP's gradient penalty
import numpy as np
import tensorflow as tf

tf.random.set_seed(2)
content_image = np.random.RandomState(0).rand(1, 16, 16, 3).astype('float32')
style_image = np.random.RandomState(1).rand(1, 16, 16, 3).astype('float32')
inputs = tf.keras.Input((16, 16, 3))
a = tf.keras.layers.Conv2D(6, 3, activation='relu', name='block1')(inputs)
b = tf.keras.layers.Conv2D(8, 3, activation='relu', name='block2')(a)
vgg = tf.keras.Model(inputs, [a, b])
vgg.trainable = False


def gram_matrix(input_tensor):
    result = tf.linalg.einsum('bijc,bijd->bcd', input_tensor, input_tensor)
    input_shape = tf.shape(input_tensor)
    num_locations = tf.cast(input_shape[1] * input_shape[2], tf.float32)
    return result / num_locations


style_targets = [gram_matrix(output) for output in vgg(style_image)]
content_targets = vgg(content_image)[1]
image = tf.Variable(content_image)
opt = tf.keras.optimizers.Adam(learning_rate=0.02, beta_1=0.99, epsilon=1e-1)


def clip_0_1(image):
    return tf.clip_by_value(image, clip_value_min=0.0, clip_value_max=1.0)


@tf.function()
def train_step(image):
    with tf.GradientTape() as tape:
        outputs = vgg(image)
        style_loss = tf.add_n([tf.reduce_mean((gram_matrix(o) - t) ** 2) for o, t in zip(outputs, style_targets)])
        content_loss = tf.add_n([tf.reduce_mean((outputs[1] - content_targets) ** 2)])
        loss = 10. * style_loss + content_loss
        loss += 1e-3 * tf.reduce_sum(tf.abs(image[:, 1:] - image[:, :-1]))
    grad = tape.gradient(loss, image)
    opt.apply_gradients([(grad, image)])
    image.assign(clip_0_1(image))
    return loss


losses = [float(train_step(image)) for _ in range(40)]
print(losses[0], losses[-1])
assert losses[-1] < losses[0]
assert float(tf.reduce_min(image)) >= 0. and float(tf.reduce_max(image)) <= 1.

critic = tf.keras.Sequential([tf.keras.layers.Dense(16, activation='tanh'), tf.keras.layers.Dense(1)])


def gradient_penalty(batch_size, real_images, fake_images):
    alpha = tf.random.uniform([batch_size, 1], 0.0, 1.0)
    diff = fake_images - real_images
    interpolated = real_images + alpha * diff
    with tf.GradientTape() as gp_tape:
        gp_tape.watch(interpolated)
        pred = critic(interpolated, training=True)
    grads = gp_tape.gradient(pred, [interpolated])[0]
    norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=[1]))
    return tf.reduce_mean((norm - 1.0) ** 2)


optimizer = tf.keras.optimizers.Adam(0.01)
real, fake = tf.random.normal([32, 4]), tf.random.normal([32, 4]) + 1.0
for run in (lambda f: f, tf.function):
    def step():
        with tf.GradientTape() as tape:
            penalty = gradient_penalty(32, real, fake)
        grads = tape.gradient(penalty, critic.trainable_variables)
        optimizer.apply_gradients((g, v) for g, v in zip(grads, critic.trainable_variables) if g is not None)
        return penalty

    compiled = run(step)
    penalties = [float(compiled()) for _ in range(30)]
    assert penalties[-1] < penalties[0], penalties
