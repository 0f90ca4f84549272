# tf.keras: word2vec of the tutorial: skipgrams, log_uniform_candidate_sampler for negatives, a dot product of two embeddings
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

SEED = 42
AUTOTUNE = tf.data.AUTOTUNE
sentence = "The wide road shimmered in the hot sun"
tokens = list(sentence.lower().split())
vocab, index = {}, 1
vocab["<pad>"] = 0
for token in tokens:
    if token not in vocab:
        vocab[token] = index
        index += 1
vocab_size = len(vocab)
example_sequence = [vocab[word] for word in tokens]
positive_skip_grams, _ = tf.keras.preprocessing.sequence.skipgrams(
    example_sequence, vocabulary_size=vocab_size, window_size=2, negative_samples=0, seed=1)
target_word, context_word = positive_skip_grams[0]
num_ns = 4
context_class = tf.reshape(tf.constant(context_word, dtype="int64"), (1, 1))
negative_sampling_candidates, _, _ = tf.random.log_uniform_candidate_sampler(
    true_classes=context_class, num_true=1, num_sampled=num_ns, unique=True, range_max=vocab_size, seed=SEED,
    name="negative_sampling")
assert len(set(negative_sampling_candidates.numpy().tolist())) == num_ns
squeezed_context_class = tf.squeeze(context_class, 1)
context = tf.concat([squeezed_context_class, negative_sampling_candidates], 0)
label = tf.constant([1] + [0] * num_ns, dtype="int64")
assert context.shape == label.shape == (5,)


def generate_training_data(sequences, window_size, num_ns, vocab_size, seed):
    targets, contexts, labels = [], [], []
    for sequence in sequences:
        pairs, _ = tf.keras.preprocessing.sequence.skipgrams(
            sequence, vocabulary_size=vocab_size, window_size=window_size,
            negative_samples=0, seed=1)
        for target_word, context_word in pairs:
            context_class = tf.expand_dims(tf.constant([context_word], dtype="int64"), 1)
            negatives, _, _ = tf.random.log_uniform_candidate_sampler(
                true_classes=context_class, num_true=1, num_sampled=num_ns, unique=True, range_max=vocab_size,
                seed=seed, name="negative_sampling")
            context = tf.concat([tf.squeeze(context_class, 1), negatives], 0)
            label = tf.constant([1] + [0] * num_ns, dtype="int64")
            targets.append(target_word)
            contexts.append(context)
            labels.append(label)
    return targets, contexts, labels


text_ds = tf.data.Dataset.from_tensor_slices(["the king sat on the throne", "the queen sat by the king", ""] * 30)
text_ds = text_ds.filter(lambda x: tf.cast(tf.strings.length(x), bool))
vectorize_layer = layers.TextVectorization(max_tokens=20, output_mode="int", output_sequence_length=6)
vectorize_layer.adapt(text_ds.batch(16))
text_vector_ds = text_ds.batch(16).prefetch(AUTOTUNE).map(vectorize_layer).unbatch()
sequences = list(text_vector_ds.as_numpy_iterator())
assert len(sequences) == 60
np.random.seed(1)
targets, contexts, labels = generate_training_data(sequences, 2, num_ns, 20, SEED)
targets, contexts, labels = np.array(targets), np.array(contexts), np.array(labels)
assert contexts.shape == labels.shape == (len(targets), 5) and len({tuple(row[1:]) for row in contexts}) > 1
dataset = tf.data.Dataset.from_tensor_slices(((targets, contexts), labels))
dataset = dataset.shuffle(1000).batch(16, drop_remainder=True).cache().prefetch(buffer_size=AUTOTUNE)


class Word2Vec(tf.keras.Model):
    def __init__(self, vocab_size, embedding_dim):
        super(Word2Vec, self).__init__()
        self.target_embedding = layers.Embedding(vocab_size, embedding_dim, name="w2v_embedding")
        self.context_embedding = layers.Embedding(vocab_size, embedding_dim)

    def call(self, pair):
        target, context = pair
        if len(target.shape) == 2:
            target = tf.squeeze(target, axis=1)
        word_emb = self.target_embedding(target)
        context_emb = self.context_embedding(context)
        dots = tf.einsum("be,bce->bc", word_emb, context_emb)
        return dots


word2vec = Word2Vec(20, 8)
word2vec.compile(optimizer="adam", loss=tf.keras.losses.CategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
history = word2vec.fit(dataset, epochs=8, verbose=0)
assert history.history["loss"][-1] < history.history["loss"][0]
weights = word2vec.get_layer("w2v_embedding").get_weights()[0]
assert weights.shape == (20, 8)
print("word2vec")
