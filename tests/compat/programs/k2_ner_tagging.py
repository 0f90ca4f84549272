# Keras 2: named entities, mask_zero, Bidirectional(LSTM) with recurrent_dropout, TimeDistributed(Dense), temporal sample weights
from __future__ import print_function
import numpy as np
from keras.models import Model, Input
from keras.layers import LSTM, Embedding, Dense, TimeDistributed, Dropout, Bidirectional
from keras.preprocessing.sequence import pad_sequences
from keras.optimizers import RMSprop
from keras.utils import to_categorical

np.random.seed(9)
PEOPLE = ['anna', 'boris', 'carla', 'dmitri', 'elsa']
PLACES = ['lima', 'oslo', 'quito', 'riga', 'tunis']
BOTH = ['paris', 'sydney', 'chelsea']  # a person before "says", a place after "in"
FRAMES = ['yesterday P says it rains in L', 'P works in L', 'in L it was cold', 'P and P met near L', 'the report says P left L', 'P slept']

sentences = []
for i in range(400):
    sentence = []
    for word in FRAMES[i % len(FRAMES)].split():
        if word == 'P':
            sentence.append((np.random.choice(PEOPLE + BOTH), 'B-per'))
        elif word == 'L':
            sentence.append((np.random.choice(PLACES + BOTH), 'B-geo'))
        else:
            sentence.append((word, 'O'))
    sentences.append(sentence)

max_len = 10
words = sorted(set(w for s in sentences for w, _ in s))
tags = ['O', 'B-per', 'B-geo']
n_words = len(words)
n_tags = len(tags)
word2idx = {w: i + 1 for i, w in enumerate(words)}
tag2idx = {t: i for i, t in enumerate(tags)}

X = [[word2idx[w[0]] for w in s] for s in sentences]
X = pad_sequences(maxlen=max_len, sequences=X, padding="post", value=0)
y = [[tag2idx[w[1]] for w in s] for s in sentences]
y = pad_sequences(maxlen=max_len, sequences=y, padding="post", value=tag2idx["O"])
y = np.array([to_categorical(i, num_classes=n_tags) for i in y])
X_tr, X_te, y_tr, y_te = X[:320], X[320:], y[:320], y[320:]

input = Input(shape=(max_len,))
model = Embedding(input_dim=n_words + 1, output_dim=12, input_length=max_len, mask_zero=True)(input)
model = Dropout(0.1)(model)
model = Bidirectional(LSTM(units=12, return_sequences=True, recurrent_dropout=0.1))(model)
out = TimeDistributed(Dense(n_tags, activation="softmax"))(model)  # softmax output layer
model = Model(input, out)
model.compile(optimizer=RMSprop(lr=0.01), loss="categorical_crossentropy", metrics=["accuracy"])
model.summary()
assert model.output_shape == (None, max_len, n_tags)

history = model.fit(X_tr, y_tr, batch_size=16, epochs=10, validation_split=0.1, verbose=0)
print(history.history['loss'])
assert history.history['loss'][-1] < 0.3 * history.history['loss'][0]

pred = np.argmax(model.predict(X_te), axis=-1)
true = np.argmax(y_te, axis=-1)
real = X_te != 0
right = np.mean(pred[real] == true[real])
print('{:15}||{:5}||{}'.format("Word", "True", "Pred"))
for w, t, p in zip(X_te[1], true[1], pred[1]):
    if w != 0:
        print("{:15}: {:5} {}".format(words[w - 1], tags[t], tags[p]))
assert right > 0.95, right

# The loss leaves padding out: it is the mean over all steps of what the words' steps give, as in Keras 2.
proba = model.predict(X_te)
losses = -np.log(np.sum(proba * y_te, axis=-1)) * real
loss = model.evaluate(X_te, y_te, verbose=0, batch_size=len(X_te))[0]
assert abs(loss - losses.sum() / real.sum()) < 1e-4, (loss, losses.sum() / real.sum(), losses.mean())

# What stands after the padding begins has no influence on the words before it.
longer = X_te[:4].copy()
shorter = pad_sequences([row[row != 0] for row in longer], maxlen=max_len, padding='post')
assert np.allclose(model.predict(longer), model.predict(shorter), atol=1e-6)

# Weights of time steps: sample_weight_mode='temporal'
model.compile(optimizer="adam", loss="categorical_crossentropy", sample_weight_mode="temporal")
rare = np.where(np.argmax(y_tr, axis=-1) > 0, 5., 1.)
h = model.fit(X_tr, y_tr, batch_size=32, epochs=2, sample_weight=rare, verbose=0)
assert np.isfinite(h.history['loss']).all() and h.history['loss'][1] < h.history['loss'][0] * 1.2
