# tf.keras: image captioning in the manner of the tutorial: flat_map of captions, shards saved with Dataset.save, TextVectorization, a decoder with cross attention
import re
import string

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(0)
pictures = {f"{i}.png": np.full((8, 8, 3), 20 * i % 250, "uint8") for i in range(12)}
for name, pixels in pictures.items():
    tf.io.write_file(name, tf.io.encode_png(pixels))
captions = {name: [f"A picture number {i % 3}.", f"The number {i % 3}, here!"] for i, name in enumerate(pictures)}
train_raw = (
    tf.data.Dataset.from_tensor_slices((list(captions), list(captions.values()))))
for path, texts in train_raw.take(1):
    assert texts.shape == (2,)
IMAGE_SHAPE = (8, 8, 3)


def load_image(image_path):
    img = tf.io.read_file(image_path)
    img = tf.io.decode_png(img, channels=3)
    img = tf.image.resize(img, IMAGE_SHAPE[:-1])
    return img


def standardize(s):
    s = tf.strings.lower(s)
    s = tf.strings.regex_replace(s, f"[{re.escape(string.punctuation)}]", "")
    s = tf.strings.join(["[START]", s, "[END]"], separator=" ")
    return s


tokenizer = tf.keras.layers.TextVectorization(max_tokens=30, standardize=standardize, ragged=True)
tokenizer.adapt(train_raw.map(lambda fp, txt: txt).unbatch().batch(8))
word_to_index = tf.keras.layers.StringLookup(mask_token="", vocabulary=tokenizer.get_vocabulary())
index_to_word = tf.keras.layers.StringLookup(mask_token="", vocabulary=tokenizer.get_vocabulary(), invert=True)
t = tokenizer([["a picture"], ["the number here"]])
assert t.to_list()[0][0] == int(word_to_index("[START]"))
w = index_to_word(t)
joined = tf.strings.reduce_join(w, separator=" ", axis=-1).numpy()
assert joined[0] in (b"[START] a picture [END]", "[START] a picture [END]"), joined


def match_shapes(images, captions):
    caption_shape = (tf.shape(captions)[0], tf.shape(captions)[1])
    captions = tf.reshape(captions, [-1])
    images = tf.repeat(images, caption_shape[1], axis=0)
    return images, captions


def prepare_txt(imgs, txts):
    tokens = tokenizer(txts)
    input_tokens = tokens[..., :-1]
    label_tokens = tokens[..., 1:]
    return (imgs, input_tokens), label_tokens


def to_tensor(inputs, labels):
    (images, in_tok), out_tok = inputs, labels
    return (images, in_tok.to_tensor()), out_tok.to_tensor()


def prepare_dataset(ds, batch_size=4, shuffle_buffer=50):
    ds = (ds.shuffle(100).map(lambda path, caption: (load_image(path), caption))
          .apply(tf.data.experimental.ignore_errors()).batch(batch_size))
    return (ds.map(match_shapes, tf.data.AUTOTUNE).unbatch().shuffle(shuffle_buffer).batch(batch_size)
            .map(prepare_txt, tf.data.AUTOTUNE).map(to_tensor, tf.data.AUTOTUNE))


extractor = tf.keras.Sequential([tf.keras.layers.Rescaling(1 / 255.0), tf.keras.layers.Conv2D(4, 3, strides=2)])


def save_dataset(ds, save_path, image_model, tokenizer, shards=3, batch_size=4):
    ds = (ds.map(lambda path, caption: (load_image(path), caption)).batch(batch_size))

    def gen():
        for (images, captions) in ds:
            feature_maps = image_model(images)
            feature_maps, captions = match_shapes(feature_maps, captions)
            yield feature_maps, captions

    new_ds = tf.data.Dataset.from_generator(gen, output_signature=(
        tf.TensorSpec(shape=(None, 3, 3, 4)), tf.TensorSpec(shape=(None,), dtype=tf.string)))
    new_ds = (new_ds.map(prepare_txt, tf.data.AUTOTUNE).map(to_tensor, tf.data.AUTOTUNE).unbatch().shuffle(100))

    def shard_func(i, item):
        return i % shards
    new_ds.enumerate().save(save_path, shard_func=shard_func)


def load_dataset(save_path, batch_size=4, shuffle=100, cycle_length=2):
    def custom_reader_func(datasets):
        datasets = datasets.shuffle(100)
        return datasets.interleave(lambda x: x, cycle_length=cycle_length)

    ds = tf.data.Dataset.load(save_path, reader_func=custom_reader_func)

    def drop_index(i, x):
        return x

    ds = (ds.map(drop_index, tf.data.AUTOTUNE).shuffle(shuffle).padded_batch(batch_size).prefetch(tf.data.AUTOTUNE))
    return ds


extractor(np.zeros((1, 8, 8, 3), "float32"))
save_dataset(train_raw, "train_cache", extractor, tokenizer)
train_ds = load_dataset("train_cache")
(images, in_tokens), labels = next(iter(train_ds))
assert images.shape == (4, 3, 3, 4) and in_tokens.shape == labels.shape


class SeqEmbedding(tf.keras.layers.Layer):
    def __init__(self, vocab_size, max_length, depth):
        super().__init__()
        self.pos_embedding = tf.keras.layers.Embedding(input_dim=max_length, output_dim=depth)
        self.token_embedding = tf.keras.layers.Embedding(input_dim=vocab_size, output_dim=depth, mask_zero=True)
        self.add = tf.keras.layers.Add()

    def call(self, seq):
        seq = self.token_embedding(seq)
        x = tf.range(tf.shape(seq)[1])
        x = x[tf.newaxis, :]
        x = self.pos_embedding(x)
        return self.add([seq, x])


class Captioner(tf.keras.Model):
    def __init__(self, vocab_size, units=16):
        super().__init__()
        self.seq_embedding = SeqEmbedding(vocab_size, 20, units)
        self.mha = tf.keras.layers.MultiHeadAttention(num_heads=1, key_dim=units)
        self.cross = tf.keras.layers.MultiHeadAttention(num_heads=1, key_dim=units)
        self.layernorm = tf.keras.layers.LayerNormalization()
        self.output_layer = tf.keras.layers.Dense(vocab_size)

    def call(self, inputs):
        image, txt = inputs
        image = tf.reshape(image, (tf.shape(image)[0], -1, image.shape[-1]))
        txt = self.seq_embedding(txt)
        txt = self.layernorm(txt + self.mha(query=txt, value=txt, use_causal_mask=True))
        txt = txt + self.cross(query=txt, value=image)
        return self.output_layer(txt)


def masked_loss(labels, preds):
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, preds)
    mask = (labels != 0) & (loss < 1e8)
    mask = tf.cast(mask, loss.dtype)
    loss = loss * mask
    loss = tf.reduce_sum(loss) / tf.reduce_sum(mask)
    return loss


def masked_acc(labels, preds):
    mask = tf.cast(labels != 0, tf.float32)
    preds = tf.argmax(preds, axis=-1)
    labels = tf.cast(labels, tf.int64)
    match = tf.cast(preds == labels, mask.dtype)
    acc = tf.reduce_sum(match * mask) / tf.reduce_sum(mask)
    return acc


model = Captioner(tokenizer.vocabulary_size())
model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.01), loss=masked_loss, metrics=[masked_acc])
history = model.fit(train_ds.repeat(), steps_per_epoch=8, epochs=5, verbose=0)
assert history.history["masked_acc"][-1] > history.history["masked_acc"][0]
for (inputs, labels) in prepare_dataset(train_raw).take(1):
    assert inputs[0].shape[1:] == (8, 8, 3)
print("captioning", history.history["masked_acc"][-1])
