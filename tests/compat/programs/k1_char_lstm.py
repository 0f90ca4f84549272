# Keras 1 on Python 2: characters by an LSTM over one-hot windows, get_file, xrange, print statements, nb_epoch, sampling by temperature
'''Write text in the manner of a book, letter by letter.

At least 20 epochs are needed before the text starts to sound coherent.
'''

from keras.models import Sequential
from keras.layers.core import Dense, Activation, Dropout
from keras.layers.recurrent import LSTM
from keras.optimizers import RMSprop
from keras.utils.data_utils import get_file
import numpy as np
import random
import sys

np.random.seed(42)
random.seed(42)
path = get_file('nietzsche.txt', origin="https://s3.amazonaws.com/text-datasets/nietzsche.txt")
text = open(path).read().lower()
print 'corpus length:', len(text)

chars = sorted(list(set(text)))
print 'total chars:', len(chars)
char_indices = dict((c, i) for i, c in enumerate(chars))
indices_char = dict((i, c) for i, c in enumerate(chars))

# cut the text in semi-redundant sequences of maxlen characters
maxlen = 12
step = 3
sentences = []
next_chars = []
for i in xrange(0, len(text) - maxlen, step):
    sentences.append(text[i: i + maxlen])
    next_chars.append(text[i + maxlen])
print 'nb sequences:', len(sentences)

X = np.zeros((len(sentences), maxlen, len(chars)), dtype=np.bool)
y = np.zeros((len(sentences), len(chars)), dtype=np.bool)
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        X[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1

model = Sequential()
model.add(LSTM(32, input_shape=(maxlen, len(chars)), init='glorot_uniform', inner_activation='hard_sigmoid'))
model.add(Dropout(0.1))
model.add(Dense(len(chars)))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer=RMSprop(lr=0.01))


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype('float64')
    preds = np.log(preds) / temperature
    exp_preds = np.exp(preds)
    preds = exp_preds / np.sum(exp_preds)
    return np.argmax(np.random.multinomial(1, preds, 1))


losses = []
for iteration in range(1, 4):
    print
    print '-' * 50
    print 'Iteration', iteration
    history = model.fit(X, y, batch_size=64, nb_epoch=2, verbose=0)
    losses += history.history['loss']

    start_index = random.randint(0, len(text) - maxlen - 1)
    for diversity in [0.2, 1.0]:
        print
        print '----- diversity:', diversity
        generated = ''
        sentence = text[start_index: start_index + maxlen]
        generated += sentence
        print '----- Generating with seed: "' + sentence + '"'
        sys.stdout.write(generated)
        for i in range(30):
            x = np.zeros((1, maxlen, len(chars)))
            for t, char in enumerate(sentence):
                x[0, t, char_indices[char]] = 1.
            preds = model.predict(x, verbose=0)[0]
            next_char = indices_char[sample(preds, diversity)]
            generated += next_char
            sentence = sentence[1:] + next_char
            sys.stdout.write(next_char)
            sys.stdout.flush()
        assert len(generated) == maxlen + 30

print
print 'losses', losses
lstm = model.layers[0]
assert lstm.output_dim == 32 and model.output_shape == (None, len(chars))
assert losses[-1] < 0.6 * losses[0] and losses[-1] < 1.6, losses
guesses = model.predict_classes(X, verbose=0)
assert np.mean(guesses == y.argmax(axis=1)) > 0.5
