"""Models of tf.keras with functions between their layers: ``python tf_functions.py FILE`` with TensorFlow 2.

`tf_functions.json` is what it wrote with TensorFlow 2.15.1: for each model its layers but the inputs, and its outputs
for `inputs()`.
"""

import json
import sys

import numpy as np

#: Name -> code of a function of two tensors of shape (batch, 4) and one of shape (batch, 3, 2).
FUNCTIONS = """
a + b; a - b; a * b; a / b; a // b; a % b; a ** 2.0; a @ tf.ones((4, 2)); -a; abs(a); 2.0 - a; 1.0 / (a + 3.0)
2.0 ** a; a < b; a > 0.5; tf.cast(a >= b, "float32"); (a > 0.0) & (b > 0.0); ~(a > b); a[:, :2]; a[:, 1]; a[..., 1:3]
a[:, tf.newaxis]; a[:, ::-1]; a[:, -2:]; c[:, 1:, 0]; tf.add(a, b); tf.subtract(a, 1.0); tf.multiply(2.0, a)
tf.math.add_n([a, b]); tf.add_n([a, b, a]); tf.reduce_mean(a, axis=-1, keepdims=True); tf.reduce_sum(a, 1)
tf.reduce_max(c, axis=[1, 2]); tf.reduce_min(c, 1); tf.reduce_prod(a, axis=1); tf.reduce_any(a > 0.5, axis=1)
tf.reduce_all(a > 0.0, 1); tf.math.reduce_std(a, 1); tf.math.reduce_variance(a, 1); tf.reduce_logsumexp(a, 1)
tf.argmax(a, axis=1); tf.math.argmin(a, 1); tf.concat([a, b], axis=-1); tf.concat([a, b], 1); tf.stack([a, b], axis=1)
tf.unstack(c, axis=1)[1]; tf.split(a, 2, axis=1)[0]; tf.split(a, [1, 3], 1)[1]; tf.reshape(a, (-1, 2, 2))
tf.reshape(c, [-1, 6]); tf.transpose(c, [0, 2, 1]); tf.transpose(c, perm=(0, 2, 1)); tf.expand_dims(a, 1)
tf.expand_dims(a, axis=-1); tf.squeeze(c[:, :1], axis=1); tf.tile(a, [1, 2]); tf.repeat(a, 2, axis=1)
tf.reverse(a, axis=[1]); tf.pad(a, [[0, 0], [1, 2]]); tf.gather(a, [0, 2], axis=1); tf.where(a > b, a, b)
tf.maximum(a, b); tf.minimum(a, 0.25); tf.clip_by_value(a, 0.1, 0.5); tf.cast(a, tf.int32); tf.zeros_like(a)
tf.ones_like(a); tf.identity(a); tf.stop_gradient(a); tf.matmul(c, c, transpose_b=True)
tf.linalg.matmul(a, tf.ones((4, 3))); tf.tensordot(a, tf.ones((4, 3)), 1); tf.abs(a); tf.sqrt(tf.abs(a)); tf.square(a)
tf.exp(a); tf.math.log(tf.abs(a) + 1.0); tf.math.log1p(tf.abs(a)); tf.sin(a); tf.cos(a); tf.tanh(a); tf.sigmoid(a)
tf.math.rsqrt(tf.abs(a) + 1.0); tf.sign(a); tf.round(a); tf.floor(a); tf.math.ceil(a); tf.pow(a, 2.0)
tf.math.divide_no_nan(a, b); tf.math.squared_difference(a, b); tf.cumsum(a, axis=1); tf.math.erf(a); tf.equal(a, b)
tf.not_equal(a, b); tf.greater(a, b); tf.less_equal(a, b); tf.logical_and(a > 0.0, b > 0.0); tf.logical_not(a > 0.0)
tf.logical_or(a > 0.0, b > 0.0); tf.math.l2_normalize(a, axis=1); tf.one_hot(tf.cast(abs(a), "int32"), 3)
tf.nn.relu(a); tf.nn.relu6(a); tf.nn.leaky_relu(a, alpha=0.1); tf.nn.leaky_relu(a); tf.nn.elu(a); tf.nn.selu(a)
tf.nn.softmax(a); tf.nn.softmax(c, axis=1); tf.nn.log_softmax(a); tf.nn.sigmoid(a); tf.nn.softplus(a); tf.nn.tanh(a)
tf.nn.silu(a); tf.nn.gelu(a); tf.nn.swish(a); tf.nn.l2_normalize(a, 1); tf.nn.bias_add(a, [1.0, 2.0, 3.0, 4.0])
tf.norm(a, axis=1); K.mean(a, axis=1); K.sum(a, axis=-1, keepdims=True); K.concatenate([a, b]); K.expand_dims(a)
K.square(a); K.abs(a); K.exp(a); K.dot(a, tf.ones((4, 2))); K.batch_dot(c, c, axes=(2, 2)); K.clip(a, 0.0, 0.5)
K.relu(a); K.softmax(a); K.l2_normalize(a, 1); K.reshape(a, (-1, 2, 2)); K.max(a, axis=1)
K.permute_dimensions(c, (0, 2, 1)); K.cast(a > 0.0, "float32"); K.stack([a, b]); tf.keras.activations.relu(a)
tf.keras.activations.softmax(a); tf.keras.activations.relu(a, max_value=0.5); tf.math.top_k(a, 2)[0]; tf.shape(c)[1]
tf.reshape(c, [tf.shape(c)[0], -1]); tf.reshape(c, (-1, c.shape[1] * c.shape[2]))
tf.broadcast_to(a[:, :1], tf.shape(a)); tf.cast(tf.shape(a)[1], "float32") * a
"""


def inputs():
    random = np.random.RandomState(0)
    return [random.normal(size=size).round(3).astype("float32") for size in ((2, 4), (2, 4), (2, 3, 2))]


def models(tf):
    """Yield a model for each function, as a dictionary."""
    for code in FUNCTIONS.replace("\n", ";").split(";"):
        if not code.strip():
            continue
        tensors = [tf.keras.Input(one.shape[1:], name=name) for name, one in zip("abc", inputs(), strict=True)]
        tf.keras.backend.clear_session()
        try:
            result = eval(code, {"tf": tf, "K": tf.keras.backend, **dict(zip("abc", tensors, strict=True))})
            model = tf.keras.Model(tensors, result)
            outputs = np.asarray(model(inputs())).astype("float64").round(6).tolist()
            config = json.loads(model.to_json())["config"]
            calls = [layer for layer in config["layers"] if layer["class_name"] != "InputLayer"]
            yield {"code": code.strip(), "layers": calls, "output_layers": config["output_layers"], "outputs": outputs}
        except Exception as error:
            print(code, type(error).__name__, str(error)[:200], file=sys.stderr)


if __name__ == "__main__":
    import tensorflow

    lines = [json.dumps(entry, separators=(",", ":")) for entry in models(tensorflow)]
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(lines) + "\n]\n")
