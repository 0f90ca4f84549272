# Keras 2: metrics=['accuracy'] for several outputs, history keys with output names, dictionaries for loss, metrics, targets
import numpy as np
from keras.layers import Input, Dense
from keras.models import Model

inp = Input(shape=(6,), name='measurements')
shared = Dense(8, activation='relu')(inp)
kind = Dense(3, activation='softmax', name='kind')(shared)
good = Dense(1, activation='sigmoid', name='good')(shared)
model = Model(inputs=inp, outputs=[kind, good])
model.compile('adam', loss={'kind': 'categorical_crossentropy', 'good': 'binary_crossentropy'}, metrics=['accuracy'])
x = np.random.rand(60, 6)
k = np.eye(3)[np.random.randint(0, 3, 60)]
g = np.random.randint(0, 2, (60, 1))
h = model.fit({'measurements': x}, {'kind': k, 'good': g}, epochs=2, batch_size=30, verbose=0, validation_split=0.5)
for key in ['loss', 'kind_loss', 'good_loss', 'kind_acc', 'good_acc', 'val_loss', 'val_kind_acc', 'val_good_loss', 'kind_accuracy']:
    assert len(h.history[key]) == 2, key
scores = dict(zip(model.metrics_names, model.evaluate(x, [k, g], verbose=0, batch_size=30)))
p, q = model.predict(x)
accuracies = sorted(value for name, value in scores.items() if 'acc' in name)
expected = sorted([(p.argmax(1) == k.argmax(1)).mean(), ((q > 0.5) == g).mean()])
assert np.allclose(accuracies, expected, atol=1e-5), (scores, expected)
model.compile('adam', loss=['categorical_crossentropy', 'mse'], metrics={'good': 'mae', 'kind': ['acc']}, loss_weights=[1, 10])
scores = model.evaluate(x, [k, g], verbose=0, batch_size=30)
assert len(scores) == 5 and abs(scores[0] - scores[1] - 10 * scores[2]) < 1e-4
