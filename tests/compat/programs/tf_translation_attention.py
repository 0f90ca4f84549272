# tf.keras: translation with attention in the manner of the tutorial: TextVectorization with standardize of strings, ragged to_tensor, masked loss, CrossAttention
import numpy as np
import tensorflow as tf

np.random.seed(0)
tf.random.set_seed(0)
words = ["uno", "dos", "tres", "cuatro", "cinco"]
english = dict(zip(words, ["one", "two", "three", "four", "five"]))
context_raw = np.array([" ".join(np.random.choice(words, np.random.randint(2, 5))).capitalize() + "!" for _ in range(96)])
target_raw = np.array([" ".join(english[w.strip("!").lower()] for w in line.split()) + "." for line in context_raw])
is_train = np.random.uniform(size=(len(target_raw),)) < 0.8
train_raw = (tf.data.Dataset.from_tensor_slices((context_raw[is_train], target_raw[is_train]))
             .shuffle(100).batch(16))


def tf_lower_and_split_punct(text):
    text = tf.strings.lower(text)
    text = tf.strings.regex_replace(text, "[^ a-z.?!,]", "")
    text = tf.strings.regex_replace(text, "[.?!,]", r" \0 ")
    text = tf.strings.strip(text)
    text = tf.strings.join(["[START]", text, "[END]"], separator=" ")
    return text


context_text_processor = tf.keras.layers.TextVectorization(
    standardize=tf_lower_and_split_punct, max_tokens=50, ragged=True)
context_text_processor.adapt(train_raw.map(lambda context, target: context))
target_text_processor = tf.keras.layers.TextVectorization(
    standardize=tf_lower_and_split_punct, max_tokens=50, ragged=True)
target_text_processor.adapt(train_raw.map(lambda context, target: target))
assert context_text_processor.get_vocabulary()[:2] == ["", "[UNK]"]


def process_text(context, target):
    context = context_text_processor(context).to_tensor()
    target = target_text_processor(target)
    targ_in = target[:, :-1].to_tensor()
    targ_out = target[:, 1:].to_tensor()
    return (context, targ_in), targ_out


train_ds = train_raw.map(process_text, tf.data.AUTOTUNE)
UNITS = 16


class Encoder(tf.keras.layers.Layer):
    def __init__(self, text_processor, units):
        super().__init__()
        self.text_processor = text_processor
        self.vocab_size = text_processor.vocabulary_size()
        self.embedding = tf.keras.layers.Embedding(self.vocab_size, units, mask_zero=True)
        self.rnn = tf.keras.layers.Bidirectional(
            merge_mode="sum",
            layer=tf.keras.layers.GRU(units, return_sequences=True, recurrent_initializer="glorot_uniform"))

    def call(self, x):
        return self.rnn(self.embedding(x))


class CrossAttention(tf.keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__()
        self.mha = tf.keras.layers.MultiHeadAttention(key_dim=units, num_heads=1, **kwargs)
        self.layernorm = tf.keras.layers.LayerNormalization()
        self.add = tf.keras.layers.Add()

    def call(self, x, context):
        attn_output, attn_scores = self.mha(query=x, value=context, return_attention_scores=True)
        self.last_attention_weights = tf.reduce_mean(attn_scores, axis=1)
        return self.layernorm(self.add([x, attn_output]))


class Decoder(tf.keras.layers.Layer):
    def __init__(self, text_processor, units):
        super().__init__()
        self.text_processor = text_processor
        self.vocab_size = text_processor.vocabulary_size()
        self.word_to_id = tf.keras.layers.StringLookup(
            vocabulary=text_processor.get_vocabulary(), mask_token="", oov_token="[UNK]")
        self.id_to_word = tf.keras.layers.StringLookup(
            vocabulary=text_processor.get_vocabulary(), mask_token="", oov_token="[UNK]", invert=True)
        self.start_token = self.word_to_id("[START]")
        self.end_token = self.word_to_id("[END]")
        self.units = units
        self.embedding = tf.keras.layers.Embedding(self.vocab_size, units, mask_zero=True)
        self.rnn = tf.keras.layers.GRU(units, return_sequences=True, return_state=True)
        self.attention = CrossAttention(units)
        self.output_layer = tf.keras.layers.Dense(self.vocab_size)

    def call(self, context, x, state=None, return_state=False):
        x = self.embedding(x)
        x, state = self.rnn(x, initial_state=state)
        x = self.attention(x, context)
        self.last_attention_weights = self.attention.last_attention_weights
        logits = self.output_layer(x)
        if return_state:
            return logits, state
        else:
            return logits

    def get_initial_state(self, context):
        batch_size = tf.shape(context)[0]
        start_tokens = tf.fill([batch_size, 1], self.start_token)
        done = tf.zeros([batch_size, 1], dtype=tf.bool)
        embedded = self.embedding(start_tokens)
        return start_tokens, done, self.rnn.get_initial_state(batch_size)[0]

    def tokens_to_text(self, tokens):
        words = self.id_to_word(tokens)
        result = tf.strings.reduce_join(words, axis=-1, separator=" ")
        result = tf.strings.regex_replace(result, r"^ *\[START\] *", "")
        return tf.strings.regex_replace(result, r" *\[END\] *$", "")

    def get_next_token(self, context, next_token, done, state, temperature=0.0):
        logits, state = self(context, next_token, state=state, return_state=True)
        if temperature == 0.0:
            next_token = tf.argmax(logits, axis=-1)
        else:
            logits = logits[:, -1, :] / temperature
            next_token = tf.random.categorical(logits, num_samples=1)
        done = done | (next_token == self.end_token)
        next_token = tf.where(done, tf.constant(0, dtype=tf.int64), next_token)
        return next_token, done, state


class Translator(tf.keras.Model):
    def __init__(self, units, context_text_processor, target_text_processor):
        super().__init__()
        self.encoder = Encoder(context_text_processor, units)
        self.decoder = Decoder(target_text_processor, units)

    def call(self, inputs):
        context, x = inputs
        context = self.encoder(context)
        logits = self.decoder(context, x)
        return logits

    def translate(self, texts, *, max_length=8, temperature=0.0):
        context = self.encoder(self.encoder.text_processor(texts).to_tensor())
        tokens, attention_weights = [], []
        next_token, done, state = self.decoder.get_initial_state(context)
        for _ in range(max_length):
            next_token, done, state = self.decoder.get_next_token(context, next_token, done, state, temperature)
            tokens.append(next_token)
            attention_weights.append(self.decoder.last_attention_weights)
            if tf.executing_eagerly() and tf.reduce_all(done):
                break
        tokens = tf.concat(tokens, axis=-1)
        self.last_attention_weights = tf.concat(attention_weights, axis=1)
        return self.decoder.tokens_to_text(tokens)


def masked_loss(y_true, y_pred):
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    loss = loss_fn(y_true, y_pred)
    mask = tf.cast(y_true != 0, loss.dtype)
    loss *= mask
    return tf.reduce_sum(loss) / tf.reduce_sum(mask)


def masked_acc(y_true, y_pred):
    y_pred = tf.argmax(y_pred, axis=-1)
    y_pred = tf.cast(y_pred, y_true.dtype)
    match = tf.cast(y_true == y_pred, tf.float32)
    mask = tf.cast(y_true != 0, tf.float32)
    return tf.reduce_sum(match) / tf.reduce_sum(mask)


model = Translator(UNITS, context_text_processor, target_text_processor)
model.compile(optimizer=tf.keras.optimizers.Adam(0.02), loss=masked_loss, metrics=[masked_acc, masked_loss])
history = model.fit(train_ds.repeat(), epochs=6, steps_per_epoch=10, verbose=0)
assert history.history["masked_acc"][-1] > 0.8, history.history
result = model.translate(["¡Uno dos!", "Tres cuatro cinco!"])
line = result[0].numpy().decode()
assert line.split()[0] in {"one", "two", "three", "four", "five"}, line
assert model.last_attention_weights.shape[0] == 2
print("nmt", line)
