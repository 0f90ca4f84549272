"""Small programs with tapes, functions and variables, each a function of `tf` that returns numbers.

``python tape_cases.py FILE`` with TensorFlow 2 writes what they return: `tape_cases.json`, from TensorFlow 2.21.0.
``python tape_cases.py`` with Cornu installed as Keras prints the same of Cornu.
"""

import json
import sys

import numpy as np

X = np.random.RandomState(0).normal(size=(4, 3)).astype("float32")
W = np.random.RandomState(1).normal(size=(3, 2)).astype("float32")
IMAGES = np.random.RandomState(2).normal(size=(2, 6, 6, 1)).astype("float32")


def persistent(tf):
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        z = tf.reduce_sum(y * y)
    return [tape.gradient(z, x), tape.gradient(y, x), tape.gradient(z, y)]


def nested_second_derivative(tf):
    x = tf.Variable(1.5)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.sin(x) * x**3
        first = inner.gradient(y, x)
    return [first, outer.gradient(first, x)]


def third_derivative(tf):
    x = tf.constant(2.0)
    with tf.GradientTape() as t3:
        t3.watch(x)
        with tf.GradientTape() as t2:
            t2.watch(x)
            with tf.GradientTape() as t1:
                t1.watch(x)
                y = x**5
            d1 = t1.gradient(y, x)
        d2 = t2.gradient(d1, x)
    return [d1, d2, t3.gradient(d2, x)]


def gradient_penalty(tf):
    w = tf.Variable(W)
    x = tf.constant(X)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            score = tf.reduce_sum(tf.tanh(tf.matmul(x, w)), axis=1)
        slope = inner.gradient(score, x)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1))
        penalty = tf.reduce_mean((norm - 1.0) ** 2)
    return [penalty, outer.gradient(penalty, w)]


def inner_persistent_inside_outer(tf):
    x = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x**4
        first = tape.gradient(y, x)
    return [first, tape.gradient(first, x)]


def watch_constant(tf):
    x = tf.constant([3.0, 4.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(x**2)
    return tape.gradient(y, x)


def unwatched_constant(tf):
    x, v = tf.constant(3.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * v
    return tape.gradient(y, [x, v])


def watch_too_late(tf):
    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.watch(x)
        z = y + x
    return tape.gradient(z, x)


def no_accessed_variables(tf):
    a, b = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(a)
        y = a * a * b
    return tape.gradient(y, [a, b])


def not_trainable(tf):
    a, b = tf.Variable(2.0, trainable=False), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = a * b
    return tape.gradient(y, {"a": a, "b": b})


def stop_recording(tf):
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        with tape.stop_recording():
            unseen = y * 10.0
        z = y + unseen
    return [z, tape.gradient(z, x)]


def reset(tf):
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        tape.reset()
        z = x * 2.0
    return [tape.gradient(y, x), tape.gradient(z, x)]


def nested_sources(tf):
    a, b, c = tf.Variable(1.0), tf.Variable([2.0, 3.0]), tf.Variable(4.0)
    with tf.GradientTape() as tape:
        y = a * tf.reduce_sum(b**2) + c
    found = tape.gradient(y, {"one": a, "more": [b, (c,)]})
    return [found["one"], found["more"][0], found["more"][1][0]]


def several_targets(tf):
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y, z = x**2, x**3
    return tape.gradient([y, z], x)


def output_gradients(tf):
    x = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x**2
        z = 2.0 * x
    one = tape.gradient(y, x, output_gradients=tf.constant([1.0, 0.0, 0.5]))
    return [one, tape.gradient([y, z], x, output_gradients=[tf.ones(3), tf.constant([1.0, 2.0, 3.0])])]


def unconnected(tf):
    x, y = tf.Variable([1.0, 2.0]), tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        z = y * 2.0
    zero = tf.UnconnectedGradients.ZERO
    return [tape.gradient(z, x), tape.gradient(z, x, unconnected_gradients=zero),
            tape.gradient(z, [x, y], unconnected_gradients="zero")]  # fmt: skip


def through_integers(tf):
    x = tf.Variable([1.4, 2.6])
    with tf.GradientTape(persistent=True) as tape:
        index = tf.argmax(x)
        rounded = tf.cast(tf.cast(x, tf.int32), tf.float32)
    return [tape.gradient(rounded, x), tape.gradient(index, x)]


def stop_gradient(tf):
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * tf.stop_gradient(x)
        z = tf.stop_gradient(x * x)
    return [tape.gradient(y, x), tape.gradient(z, x)]


def source_on_the_way(tf):
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        z = y * y + x
    return tape.gradient(z, [x, y])


def alias(tf):
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        same = tf.identity(x)
        y = x * same
    return tape.gradient(y, [x, same])


def target_is_source(tf):
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * 2.0
    return tape.gradient(y, [x, y])


def repeated_source(tf):
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    return tape.gradient(y, [x, x])


def jacobian(tf):
    x, w = tf.constant(X), tf.Variable(W)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = tf.tanh(tf.matmul(x, w))
    return [tape.jacobian(y, w), tape.jacobian(y, [x])[0], tape.batch_jacobian(y, x)]


def jacobian_shapes(tf):
    w, other = tf.Variable(W), tf.Variable(1.0)
    with tf.GradientTape(persistent=True) as tape:
        y = tf.reduce_sum(w)
    return [tape.jacobian(y, w), tape.jacobian(y, {"other": other})["other"]]


def hessian(tf):
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x[0] ** 2 * x[1] ** 3
        first = inner.gradient(y, x)
    return outer.jacobian(first, x)


def custom_gradient(tf):
    @tf.custom_gradient
    def log1pexp(x):
        e = tf.exp(x)
        return tf.math.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))

    x = tf.constant(100.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = log1pexp(x)
    return tape.gradient(y, x)


def custom_gradient_of_two(tf):
    @tf.custom_gradient
    def product(x, y):
        return x * y, lambda upstream: (upstream * 10.0, upstream * 20.0)

    a, b = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        z = product(a, b) * 2.0
    return [z, tape.gradient(z, [a, b])]


def embeddings(tf):
    table = tf.Variable(W)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.nn.embedding_lookup(table, [0, 2, 0]) ** 2)
    return tf.convert_to_tensor(tape.gradient(y, table))


def embedding_layer(tf):
    layer = tf.keras.layers.Embedding(5, 2, embeddings_initializer=tf.keras.initializers.Constant(0.5))
    ids = tf.constant([[1, 4], [1, 0]])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(ids) * tf.constant([1.0, 2.0]))
    return tf.convert_to_tensor(tape.gradient(y, layer.trainable_variables)[0])


def assigned_between(tf):
    v, w = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = v * v
        v.assign(w * 5.0)
        z = y + v * v * v
    return [z, tape.gradient(z, [v, w])]


def python_control_flow(tf):
    x = tf.Variable(1.5)
    with tf.GradientTape() as tape:
        y = x
        while y < 20.0:
            y = y * x if y > 3.0 else y * y + 1.0
        for step in range(3):
            y += step * x
    return [y, tape.gradient(y, x)]


def values_inside(tf):
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = x * 3.0
        seen = float(y.numpy().sum()) + float(y[0])
        z = tf.reduce_sum(y) * seen
    return [seen, tape.gradient(z, x)]


def small_network(tf):
    dense = tf.keras.layers.Dense(2, kernel_initializer=tf.keras.initializers.Constant(0.3), activation="tanh",
                                  kernel_regularizer=tf.keras.regularizers.L2(0.1))  # fmt: skip
    with tf.GradientTape() as tape:
        y = dense(tf.constant(X))
        loss = tf.reduce_mean(y**2) + tf.add_n(dense.losses)
    return [loss, tape.gradient(loss, dense.trainable_variables)]


def batch_normalization(tf):
    layer = tf.keras.layers.BatchNormalization()
    with tf.GradientTape() as tape:
        y = layer(tf.constant(X), training=True)
        loss = tf.reduce_sum(y * tf.constant(X))
    found = tape.gradient(loss, layer.trainable_variables)
    return [found, layer.moving_mean, layer.moving_variance, len(tape.watched_variables())]


def convolution_and_inner_output(tf):
    constant = tf.keras.initializers.Constant
    inputs = tf.keras.Input((6, 6, 1))
    maps = tf.keras.layers.Conv2D(2, 3, activation="relu", kernel_initializer=constant(0.2))(inputs)
    out = tf.keras.layers.Dense(3, kernel_initializer=constant(0.1))(tf.keras.layers.Flatten()(maps))
    model = tf.keras.Model(inputs, [maps, out])
    with tf.GradientTape() as tape:
        conv, scores = model(tf.constant(IMAGES))
        best = scores[:, 1]
    found = tape.gradient(best, conv)
    return [found, tf.reduce_mean(found, axis=(0, 1, 2))]


def gradient_of_the_input(tf):
    images = tf.convert_to_tensor(IMAGES)
    layer = tf.keras.layers.Conv2D(1, 3, kernel_initializer=tf.keras.initializers.Constant(0.1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        y = tf.reduce_sum(layer(images) ** 2)
    return tape.gradient(y, images)


def optimizers(tf):
    found = []
    for optimizer in (tf.keras.optimizers.SGD(0.1, momentum=0.9), tf.keras.optimizers.Adam(0.1)):
        w = tf.Variable(W)
        for _ in range(3):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.matmul(tf.constant(X), w) ** 2)
            optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w], strict=True))
            optimizer.learning_rate.assign(0.05)
        found.append(w)
    return found


def clipped_by_global_norm(tf):
    a, b = tf.Variable([3.0, 4.0]), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(a**2) * b
    clipped, norm = tf.clip_by_global_norm(tape.gradient(loss, [a, b]), 1.5)
    return [clipped, norm]


def module(tf):
    class Line(tf.Module):
        def __init__(self):
            super().__init__()
            self.slope, self.offset = tf.Variable(2.0), tf.Variable(1.0)

        @tf.function
        def __call__(self, x):
            return self.slope * x + self.offset

    line = Line()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((line(tf.constant([1.0, 2.0])) - 1.0) ** 2)
    return [loss, tape.gradient(loss, line.trainable_variables)]


def tape_through_function(tf):
    v = tf.Variable(3.0)

    @tf.function
    def cube(x):
        return x * x * v

    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = cube(x) + x
    return tape.gradient(y, [x, v])


def tape_inside_function(tf):
    a, b = tf.Variable([1.0, 2.0]), tf.Variable(2.0)

    @tf.function
    def step(x):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = tf.reduce_sum(a * x) * b
        found = tape.gradient(y, [a, b, x])
        a.assign_sub(0.1 * found[0])
        return found

    x = tf.constant([1.0, -1.0])
    return [step(x), step(x), a]


def copied_variable_inside_function(tf):
    online, target = tf.Variable(3.0), tf.Variable(1.0)

    @tf.function
    def step():
        target.assign(online)
        with tf.GradientTape() as tape:
            loss = online * target * target
        return tape.gradient(loss, [online, target])

    return step()


def function_keeps_state(tf):
    count = tf.Variable(0)

    @tf.function
    def add(n):
        count.assign_add(n)
        return count * 2

    return [add(tf.constant(3)), add(tf.constant(4)), count]


def variables_made_in_the_first_call(tf):
    class Once(tf.Module):
        def __init__(self):
            super().__init__()
            self.v = None

        @tf.function
        def __call__(self, x):
            if self.v is None:
                self.v = tf.Variable(tf.ones([2]) * 3.0)
            return x * self.v

    once = Once()
    return [once(tf.constant([1.0, 2.0])), once(tf.constant([2.0, 2.0])), len(once.variables)]


def cond_and_loops(tf):
    v = tf.Variable(2.0)

    def compute(x):
        with tf.GradientTape() as tape:
            y = tf.cond(tf.reduce_sum(x) > 0.0, lambda: v * v * x, lambda: v * x)
            _, z = tf.while_loop(lambda i, s: i < 3, lambda i, s: (i + 1, s * v), (tf.constant(0), tf.reduce_sum(y)),
                                 maximum_iterations=5)  # fmt: skip
        return z, tape.gradient(z, v)

    both = []
    for how in (compute, tf.function(compute)):
        both += [how(tf.constant([1.0, 2.0])), how(tf.constant([-1.0, -2.0]))]
    return both


def maps_and_scans(tf):
    x = tf.constant(np.arange(12, dtype="float32").reshape(12, 1))
    v = tf.Variable(0.5)

    def compute(x):
        with tf.GradientTape() as tape:
            mapped = tf.map_fn(lambda row: row * v, x)
            scanned = tf.scan(lambda a, row: a * v + row, x)
            total = tf.reduce_sum(mapped) + tf.reduce_sum(scanned)
        return mapped, scanned, tape.gradient(total, v)

    return [compute(x), tf.function(compute)(x), tf.foldl(lambda a, row: a + row, x)]


def tensor_arrays(tf):
    def fill(n):
        rows = tf.TensorArray(tf.float32, size=12)
        for i in tf.range(n):
            rows = rows.write(i, tf.cast(i * i, tf.float32))
        return rows.stack()

    return [fill(12), tf.function(fill)(tf.constant(12)), tf.function(fill)(12)]


def python_if_in_a_function(tf):
    @tf.function
    def choose(x):
        if tf.reduce_any(x > 2.0):
            y = x * 2.0
        elif tf.reduce_sum(x) < 0.0:
            y = -x
        else:
            y = x
        return y

    @tf.function
    def sign(x):
        if x > 0.0:
            return 1.0
        if x < 0.0 and not x < -10.0:
            return -1.0
        return 0.0

    return [choose(tf.constant([1.0, 3.0])), choose(tf.constant([-1.0, -3.0])), choose(tf.constant([1.0, 1.0])),
            sign(tf.constant(2.0)), sign(tf.constant(-2.0)), sign(tf.constant(-20.0))]  # fmt: skip


def python_loops_in_a_function(tf):
    @tf.function
    def collatz(n):
        steps = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
            if steps > 50:
                break
        return steps

    @tf.function
    def total(limit):
        found = tf.constant(0)
        for i in tf.range(limit):
            if i % 3 == 0:
                continue
            found += i
        return found

    return [collatz(tf.constant(7)), collatz(tf.constant(27)), total(tf.constant(10)), total(tf.constant(20))]


def gradient_through_a_python_loop(tf):
    @tf.function
    def powers(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in tf.range(12):
                y = y * x
        return y, tape.gradient(y, x)

    return powers(tf.constant(1.1))


def loop_over_a_data_set(tf):
    v = tf.Variable(0.0)
    data = tf.data.Dataset.from_tensor_slices(np.arange(10, dtype="float32")).batch(4)

    @tf.function
    def run(data):
        total, count = 0.0, 0
        for _, batch in data.enumerate():
            v.assign_add(tf.reduce_sum(batch))
            total += tf.reduce_mean(batch)
            count += 1
        return total / tf.cast(count, tf.float32)

    return [run(data), v, run(data), v]


def variable_methods(tf):
    v = tf.Variable(initial_value=[[1.0, 2.0], [3.0, 4.0]], name="grid", dtype=tf.float32)
    found = [v.assign_add([[1.0, 1.0], [1.0, 1.0]]), v.assign_sub(tf.ones((2, 2)) * 0.5).numpy(), v.shape.as_list()]
    v[0, 1].assign(9.0)
    found += [v.numpy(), v.read_value(), v[1], v + 1, 2 * v, v @ v, -v, v**2, v / 2, v > 2.0]
    v.scatter_nd_update([[0, 0], [1, 1]], [5.0, 6.0])
    found += [v.numpy(), v.scatter_add(tf.IndexedSlices(tf.constant([[1.0, 1.0]]), tf.constant([1]))).numpy()]
    found += [v.scatter_update(tf.IndexedSlices(tf.constant([[7.0, 8.0]]), tf.constant([0]))).numpy()]
    return [*found, v.name, v.trainable, v.dtype.name]


def meanings(tf):
    m = tf.constant([[1.0, -2.0], [3.0, 4.0]])
    y, index = tf.unique(tf.constant([5, 3, 5, 1]))
    return [
        y, index, tf.where(m > 1.0), tf.where(m > 1.0, m, 0.0), tf.norm(m, ord=1), tf.norm(m), tf.norm(m, ord=np.inf),
        tf.norm(m, ord=1, axis=1), tf.reduce_mean([1, 2, 2]), tf.reduce_mean([-1, -2, -2]), tf.boolean_mask(m, m > 0),
        tf.gather_nd(m, [[0, 1], [1, 0]]), tf.scatter_nd([[1], [3]], [9, 10], [5]), tf.size(m), tf.eye(2, 3),
        tf.tensor_scatter_nd_update(m, [[0, 0]], [8.0]), tf.range(3, 10, 2), tf.math.floormod(-7, 3),
        tf.unique_with_counts([2, 2, 1])[2], tf.linalg.norm(m, axis=0), tf.rank(m), tf.argmax(m, axis=1),
    ]  # fmt: skip


def texts(tf):
    v = tf.Variable(3.0, name="v")
    values = [tf.constant(3.0), tf.constant([1.0, 2.5]), tf.constant([[1, 2], [3, 4]]), tf.constant(True), v]
    shapes = tf.TensorShape([None, 3])
    return [
        [str(one) for one in values], [repr(one) for one in values], f"{values[0]:.2f} {values[0]} {values[1]}",
        f"{values[0]:.1f}", str(shapes), repr(shapes), shapes.as_list(), shapes[1], shapes.rank,
        type(values[0].numpy()).__name__, str(tf.TensorSpec([None, 2], tf.float32)), values[2].shape.as_list(),
        str(values[2].shape), bool(values[3]), [int(values[2][0, 1]), float(values[0])], len(values[1]),
    ]  # fmt: skip


CASES = {
    name: one for name, one in list(globals().items()) if callable(one) and getattr(one, "__module__", "") == __name__
}


def plain(value):
    """Return a result as JSON has it."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value).tolist()


def main(names):
    """Print or write what all cases return."""
    import tensorflow as tf

    found = {name: plain(case(tf)) for name, case in CASES.items() if not names or name in names}
    return {"version": tf.__version__, "cases": found}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w", encoding="utf-8") as file:
            rows = main(())
            lines = ",\n".join(
                f"{json.dumps(name)}: {json.dumps(one, separators=(',', ':'))}" for name, one in rows["cases"].items()
            )
            file.write(f'{{"version": "{rows["version"]}", "cases": {{\n{lines}\n}}}}\n')
    else:
        print(json.dumps(main(())))
