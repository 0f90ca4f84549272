# Keras 2: sentiment of short texts with a Tokenizer and an LSTM; the Tokenizer is kept as a pickle and as JSON.
import pickle

import numpy as np
from keras.layers import Dense, Embedding, LSTM, SpatialDropout1D
from keras.models import Sequential
from keras.optimizers import Adam
from keras.preprocessing.sequence import TimeseriesGenerator, pad_sequences, skipgrams
from keras.preprocessing.text import Tokenizer, one_hot, text_to_word_sequence, tokenizer_from_json
from keras.utils.np_utils import to_categorical
from keras_preprocessing.text import Tokenizer as SameTokenizer

good, bad = ["great", "lovely", "fun", "brilliant"], ["dull", "awful", "boring", "bad"]
rng = np.random.RandomState(1)
texts, labels = [], []
for i in range(120):
    words = good if i % 2 else bad
    texts.append("The film was %s, %s and %s!" % tuple(rng.choice(words, 3)))
    labels.append(i % 2)

max_features = 20
tokenizer = Tokenizer(num_words=max_features, split=" ", oov_token="<OOV>")
tokenizer.fit_on_texts(texts)
assert SameTokenizer is Tokenizer
assert tokenizer.word_index["<OOV>"] == 1 and tokenizer.word_index["the"] == 2
X = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=8)
Y = to_categorical(labels)
assert X.shape == (120, 8) and tokenizer.document_count == 120

model = Sequential()
model.add(Embedding(max_features, 8, input_length=X.shape[1]))
model.add(SpatialDropout1D(0.2))
model.add(LSTM(8, dropout=0.2, recurrent_dropout=0.2))
model.add(Dense(2, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.02), metrics=["accuracy"])
model.fit(X[:100], Y[:100], epochs=25, batch_size=20, verbose=0)
score, acc = model.evaluate(X[100:], Y[100:], verbose=0, batch_size=20)
assert acc > 0.9

with open("tokenizer.pickle", "wb") as handle:
    pickle.dump(tokenizer, handle, protocol=pickle.HIGHEST_PROTOCOL)
with open("tokenizer.pickle", "rb") as handle:
    kept = pickle.load(handle)
new = ["A brilliant, lovely thing"]
assert kept.texts_to_sequences(new) == tokenizer_from_json(tokenizer.to_json()).texts_to_sequences(new)
assert tokenizer.texts_to_matrix(new, mode="tfidf").shape == (1, max_features)
assert text_to_word_sequence("It's good!") == ["it's", "good"]
assert len(one_hot("a b c", 50)) == 3
couples, pair_labels = skipgrams([1, 2, 3], vocabulary_size=4, window_size=1)
assert len(couples) == len(pair_labels) == 8
windows = TimeseriesGenerator(np.arange(20), np.arange(20), length=4, batch_size=5)
assert windows[0][1].tolist() == [4, 5, 6, 7, 8]
