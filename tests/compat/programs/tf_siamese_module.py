# tf.keras 2: integrated gradients, FGSM, triplets by a step of its own, a strategy's loop, tf.Module with name scopes
import tensorflow as tf, numpy as np
model = tf.keras.Sequential([tf.keras.layers.Flatten(input_shape=(4,4,1)), tf.keras.layers.Dense(3)])
img = tf.random.uniform((4,4,1)); base = tf.zeros((4,4,1))
alphas = tf.linspace(start=0.0, stop=1.0, num=11)
a = alphas[:, tf.newaxis, tf.newaxis, tf.newaxis]
images = tf.expand_dims(base,0) + a*(tf.expand_dims(img,0)-tf.expand_dims(base,0))
with tf.GradientTape() as tape:
    tape.watch(images); probs = tf.nn.softmax(model(images), axis=-1)[:, 1]
g = tape.gradient(probs, images)
g = (g[:-1]+g[1:])/tf.constant(2.0); ig = (img-base)*tf.math.reduce_mean(g, axis=0)
p = tf.nn.softmax(model(tf.stack([base,img])))[:,1]
assert abs(tf.reduce_sum(ig).numpy()-(p[1]-p[0]).numpy()) < 0.02
loss_object = tf.keras.losses.CategoricalCrossentropy()
x = tf.convert_to_tensor(img[None]);
with tf.GradientTape() as tape:
    tape.watch(x); loss = loss_object(tf.reshape(tf.one_hot(1,3),(1,3)), tf.nn.softmax(model(x)))
adv = tf.clip_by_value(x + 0.1*tf.sign(tape.gradient(loss, x)), -1, 1); print(adv.shape)
class CustomSchedule(tf.keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, d_model, warmup_steps=4000):
        super().__init__(); self.d_model = tf.cast(d_model, tf.float32); self.warmup_steps = warmup_steps
    def __call__(self, step):
        step = tf.cast(step, dtype=tf.float32)
        return tf.math.rsqrt(self.d_model)*tf.math.minimum(tf.math.rsqrt(step), step*(self.warmup_steps**-1.5))
opt = tf.keras.optimizers.Adam(CustomSchedule(128), beta_1=0.9, beta_2=0.98, epsilon=1e-9)
model.compile(opt, "mse"); model.fit(tf.random.normal((8,4,4,1)), tf.zeros((8,3)), verbose=0)
class Triplet(tf.keras.layers.Layer):
    def call(self, anchor, positive, negative):
        return (tf.reduce_sum(tf.square(anchor-positive),-1), tf.reduce_sum(tf.square(anchor-negative),-1))
ins = [tf.keras.Input((4,4,1), name=n) for n in ("a","p","n")]
net = tf.keras.Model(ins, Triplet()(*[model(i) for i in ins]))
class Siamese(tf.keras.Model):
    def __init__(self, net, margin=.5):
        super().__init__(); self.net, self.margin, self.tracker = net, margin, tf.keras.metrics.Mean(name="loss")
    def call(self, x): return self.net(x)
    def _l(self, d):
        ap, an = self.net(d); return tf.maximum(ap-an+self.margin, 0.0)
    def train_step(self, d):
        with tf.GradientTape() as tape: loss = self._l(d)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.net.trainable_weights), self.net.trainable_weights))
        self.tracker.update_state(loss); return {"loss": self.tracker.result()}
    @property
    def metrics(self): return [self.tracker]
s = Siamese(net); s.compile(optimizer=tf.keras.optimizers.Adam(1e-2))
t = tuple(np.random.rand(12,4,4,1).astype("float32") for _ in range(3))
ds = tf.data.Dataset.zip(tuple(tf.data.Dataset.from_tensor_slices(o) for o in t)).batch(4).prefetch(8)
h = s.fit(ds, epochs=3, verbose=0); assert h.history['loss'][-1] < h.history['loss'][0]
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    m = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))]); o = tf.keras.optimizers.SGD(.1)
    lo = tf.keras.losses.MeanSquaredError(reduction=tf.keras.losses.Reduction.NONE); acc = tf.keras.metrics.Mean()
dd = strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((np.ones((8,3),"float32"), np.ones((8,2),"float32"))).batch(4))
def step(inputs):
    x, y = inputs
    with tf.GradientTape() as tape:
        l = tf.nn.compute_average_loss(lo(y, m(x, training=True)), global_batch_size=4)
    o.apply_gradients(zip(tape.gradient(l, m.trainable_variables), m.trainable_variables)); acc.update_state(l); return l
@tf.function
def dist(i): return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(step, args=(i,)), axis=None)
L = [float(dist(b)) for _ in range(3) for b in dd]; print(L); assert L[-1] < L[0]
class VAE(tf.Module):
    def __init__(self, name=None):
        super().__init__(name=name)
        with self.name_scope:
            self.w = tf.Variable(tf.random.normal((6, 4)), name="w"); self.d = tf.Variable(tf.random.normal((2, 6)), name="d")
    @tf.Module.with_name_scope
    def __call__(self, x):
        mean, logvar = tf.split(x @ self.w, 2, axis=1)
        z = tf.random.normal(tf.shape(mean))*tf.exp(.5*logvar)+mean
        return z @ self.d, mean, logvar
v = VAE("vae"); assert (v.w.name, v.name_scope.name, v.name) == ('vae/w:0', 'vae/', 'vae')
x = tf.random.normal((5,6)); oo = tf.optimizers.Adam(.01)
@tf.function
def ts(x):
    with tf.GradientTape() as tape:
        r, mean, lv = v(x)
        l = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=r, labels=tf.sigmoid(x))) - .5*tf.reduce_mean(1+lv-mean**2-tf.exp(lv))
    gr = tape.gradient(l, v.trainable_variables); oo.apply_gradients(zip(gr, v.trainable_variables)); return l
for _ in range(3): print(float(ts(x)))
assert v.w.value().shape == (6, 4)
assert model.layers[-1].kernel.value().shape == (16, 3)
with tf.name_scope('outer'):
    assert tf.Variable(1.0, name='x').name == 'outer/x:0'
