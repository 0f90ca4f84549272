# Keras 2: names that numpy and matplotlib dropped, six, pickle of history, Python loops over train_on_batch, np.random.permutation
from six.moves import range
import six
import pickle
import numpy as np
import matplotlib.pyplot as plt
from keras.models import Sequential
from keras.layers import Dense

plt.style.use('seaborn-whitegrid')
x = np.random.rand(40, 3).astype(np.float)
y = np.array(x.sum(1) > 1.5, dtype=np.int)
mask = np.ones(40, dtype=np.bool)
assert np.product(x.shape) == 120 and np.Inf > 1
model = Sequential()
model.add(Dense(1, input_dim=3, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='sgd', metrics=['accuracy'])
for epoch in range(2):
    order = np.random.permutation(40)
    for i in range(0, 40, 20):
        loss = model.train_on_batch(x[order[i:i + 20]], y[order[i:i + 20]])
history = model.fit(x, y, epochs=2, verbose=0)
with open('history.pkl', 'wb') as f:
    pickle.dump(history.history, f)
with open('history.pkl', 'rb') as f:
    kept = pickle.load(f)
assert kept['acc'] == history.history['acc'] and len(loss) == 2
assert isinstance('a', six.string_types) and model.test_on_batch(x, y)[1] >= 0
