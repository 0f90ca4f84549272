# Keras 1 on Python 2: print statements, xrange, cPickle, integer division, np_utils, TimeDistributed, Masking
import cPickle as pickle
import numpy as np
from keras.models import Sequential
from keras.layers import Dense, TimeDistributed, Masking, Lambda, RepeatVector, Permute, Reshape
from keras import backend as K

rows = 7 / 2
print 'rows', rows
data = []
for i in xrange(rows):
    data.append(np.ones((4, 5)) * i)
X = np.asarray(data)
model = Sequential()
model.add(Masking(mask_value=0., input_shape=(4, 5)))
model.add(TimeDistributed(Dense(3, init='one')))
model.add(Lambda(lambda x: K.sum(x, axis=1), output_shape=(3,)))
model.add(RepeatVector(2))
model.add(Permute((2, 1)))
model.add(Reshape((6,)))
model.compile('sgd', 'mse')
print "output %s" % (model.predict(X).shape,),
print "done"
copied = pickle.loads(pickle.dumps(model.get_weights()))
assert rows == 3
assert model.output_shape == (None, 6)
assert np.allclose(model.predict(X)[2], 2 * 5 * 4), model.predict(X)
assert all((a == b).all() for a, b in zip(copied, model.get_weights()))
