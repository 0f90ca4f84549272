# tf.keras 2: DCGAN, word2vec with negative samples, translation with attention, actor-critic by numpy_function
import tensorflow as tf, numpy as np
def gen():
    m = tf.keras.Sequential()
    m.add(tf.keras.layers.Dense(2*2*8, use_bias=False, input_shape=(5,))); m.add(tf.keras.layers.BatchNormalization()); m.add(tf.keras.layers.LeakyReLU())
    m.add(tf.keras.layers.Reshape((2,2,8))); assert m.output_shape == (None,2,2,8)
    m.add(tf.keras.layers.Conv2DTranspose(1,(5,5),strides=(2,2),padding="same",use_bias=False,activation="tanh")); return m
def disc(): return tf.keras.Sequential([tf.keras.layers.Conv2D(4,(5,5),strides=(2,2),padding="same",input_shape=[4,4,1]), tf.keras.layers.LeakyReLU(), tf.keras.layers.Dropout(.3), tf.keras.layers.Flatten(), tf.keras.layers.Dense(1)])
G, D = gen(), disc(); ce = tf.keras.losses.BinaryCrossentropy(from_logits=True); go, do = tf.keras.optimizers.Adam(1e-4), tf.keras.optimizers.Adam(1e-4)
@tf.function
def train(images):
    noise = tf.random.normal([images.shape[0], 5])
    with tf.GradientTape() as gt, tf.GradientTape() as dt:
        f = G(noise, training=True); r, k = D(images, training=True), D(f, training=True)
        gl = ce(tf.ones_like(k), k); dl = ce(tf.ones_like(r), r)+ce(tf.zeros_like(k), k)
    go.apply_gradients(zip(gt.gradient(gl, G.trainable_variables), G.trainable_variables)); do.apply_gradients(zip(dt.gradient(dl, D.trainable_variables), D.trainable_variables))
    return gl, dl
for b in tf.data.Dataset.from_tensor_slices(np.random.rand(8,4,4,1).astype("float32")).shuffle(8).batch(4): print([float(q) for q in train(b)])
class Word2Vec(tf.keras.Model):
    def __init__(self, v, e):
        super().__init__(); self.t = tf.keras.layers.Embedding(v, e, input_length=1, name="w2v"); self.c = tf.keras.layers.Embedding(v, e, input_length=5)
    def call(self, pair):
        t, c = pair
        if len(t.shape) == 2: t = tf.squeeze(t, axis=1)
        return tf.einsum('be,bce->bc', self.t(t), self.c(c))
seq = [1,2,3,4,5,1,6,7]
pos, _ = tf.keras.preprocessing.sequence.skipgrams(seq, vocabulary_size=8, window_size=2, negative_samples=0)
T, C, Y = [], [], []
for tw, cw in pos:
    cc = tf.expand_dims(tf.constant([cw], dtype="int64"), 1)
    neg, _, _ = tf.random.log_uniform_candidate_sampler(true_classes=cc, num_true=1, num_sampled=4, unique=True, range_max=8, seed=42, name="negative_sampling")
    T.append(tw); C.append(tf.concat([tf.squeeze(cc,1), neg], 0)); Y.append(tf.constant([1]+[0]*4, dtype="int64"))
ds = tf.data.Dataset.from_tensor_slices(((np.array(T), np.array(C)), np.array(Y))).shuffle(50).batch(8, drop_remainder=True).cache().prefetch(buffer_size=tf.data.AUTOTUNE)
w = Word2Vec(8, 4); w.compile(optimizer="adam", loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"]); w.fit(ds, epochs=2, verbose=0); print(w.get_layer("w2v").get_weights()[0].shape)
class Attn(tf.keras.layers.Layer):
    def __init__(self, u): super().__init__(); self.W1=tf.keras.layers.Dense(u); self.W2=tf.keras.layers.Dense(u); self.V=tf.keras.layers.Dense(1)
    def call(self, q, v):
        s = self.V(tf.nn.tanh(self.W1(tf.expand_dims(q,1))+self.W2(v))); a = tf.nn.softmax(s, axis=1); return tf.reduce_sum(a*v, axis=1), a
class Enc(tf.keras.Model):
    def __init__(self): super().__init__(); self.e=tf.keras.layers.Embedding(9,4); self.g=tf.keras.layers.GRU(6, return_sequences=True, return_state=True, recurrent_initializer="glorot_uniform")
    def call(self, x, h): return self.g(self.e(x), initial_state=h)
class Dec(tf.keras.Model):
    def __init__(self): super().__init__(); self.e=tf.keras.layers.Embedding(9,4); self.g=tf.keras.layers.GRU(6, return_sequences=True, return_state=True); self.fc=tf.keras.layers.Dense(9); self.a=Attn(5)
    def call(self, x, h, eo):
        c, aw = self.a(h, eo); x = tf.concat([tf.expand_dims(c,1), self.e(x)], axis=-1); o, s = self.g(x); return self.fc(tf.reshape(o, (-1, o.shape[2]))), s, aw
E, De = Enc(), Dec(); op = tf.keras.optimizers.Adam(.02); lob = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
def lf(real, pred):
    mask = tf.math.logical_not(tf.math.equal(real, 0)); l = lob(real, pred); return tf.reduce_mean(l*tf.cast(mask, dtype=l.dtype))
@tf.function
def ts(inp, targ, h):
    loss = 0
    with tf.GradientTape() as tape:
        eo, eh = E(inp, h); dh = eh; di = tf.expand_dims([1]*4, 1)
        for t in range(1, targ.shape[1]):
            p, dh, _ = De(di, dh, eo); loss += lf(targ[:, t], p); di = tf.expand_dims(targ[:, t], 1)
    vs = E.trainable_variables + De.trainable_variables; op.apply_gradients(zip(tape.gradient(loss, vs), vs)); return loss/int(targ.shape[1])
i, t = np.random.randint(1,9,(4,5)), np.random.randint(1,9,(4,6)); L=[float(ts(i, t, tf.zeros((4,6)))) for _ in range(5)]; print(L); assert L[-1]<L[0]
class AC(tf.keras.Model):
    def __init__(self): super().__init__(); self.c=tf.keras.layers.Dense(8, activation="relu"); self.a=tf.keras.layers.Dense(2); self.k=tf.keras.layers.Dense(1)
    def call(self, x): x = self.c(x); return self.a(x), self.k(x)
ac = AC(); ao = tf.keras.optimizers.Adam(.01); eps = np.finfo(np.float32).eps.item()
def env(a): return np.random.rand(3).astype(np.float32), np.array(1, np.int32), np.array(np.random.rand()<.1, np.int32)
@tf.numpy_function(Tout=[tf.float32, tf.int32, tf.int32])
def env_step(a): return env(a)
def run(s, n):
    P, V, R = [tf.TensorArray(dtype=tf.float32 if k<2 else tf.int32, size=0, dynamic_size=True) for k in range(3)]
    shp = s.shape
    for t in tf.range(n):
        s = tf.expand_dims(s, 0); lg, v = ac(s); a = tf.random.categorical(lg, 1)[0, 0]; pr = tf.nn.softmax(lg)
        V = V.write(t, tf.squeeze(v)); P = P.write(t, pr[0, a]); s, r, d = env_step(a); s.set_shape(shp); R = R.write(t, r)
        if tf.cast(d, tf.bool): break
    return P.stack(), V.stack(), R.stack()
def ret(rew, gamma=.99):
    n = tf.shape(rew)[0]; o = tf.TensorArray(dtype=tf.float32, size=n); rew = tf.cast(rew[::-1], dtype=tf.float32); acc = tf.constant(0.); sh = acc.shape
    for k in tf.range(n): acc = rew[k]+gamma*acc; acc.set_shape(sh); o = o.write(k, acc)
    o = o.stack()[::-1]; return (o-tf.math.reduce_mean(o))/(tf.math.reduce_std(o)+eps)
hub = tf.keras.losses.Huber(reduction=tf.keras.losses.Reduction.SUM)
@tf.function
def tr(s):
    with tf.GradientTape() as tape:
        p, v, r = run(s, 10); rr = ret(r); p, v, rr = [tf.expand_dims(x, 1) for x in [p, v, rr]]
        loss = -tf.math.reduce_sum(tf.math.log(p)*(rr-v))+hub(v, rr)
    ao.apply_gradients(zip(tape.gradient(loss, ac.trainable_variables), ac.trainable_variables)); return tf.math.reduce_sum(r)
print('reward', int(tr(tf.constant(np.random.rand(3), tf.float32))))
