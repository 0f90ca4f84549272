# Keras 2 with scikit-learn: a grid search over the units and the batch size of a small network.
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

np.random.seed(7)
X = np.random.randn(60, 4)
Y = np.where(X[:, 0] + X[:, 1] > 0, "iris", "rose")


def create_model(optimizer="rmsprop", init="glorot_uniform", units=4):
    model = Sequential()
    model.add(Dense(units, input_dim=4, kernel_initializer=init, activation="relu"))
    model.add(Dense(1, kernel_initializer=init, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


encoded = LabelEncoder().fit_transform(Y)
model = KerasClassifier(build_fn=create_model, epochs=3, verbose=0)
grid = GridSearchCV(estimator=model, param_grid=dict(units=[2, 8], batch_size=[10]), cv=2)
grid_result = grid.fit(X, encoded)
assert set(grid_result.best_params_) == {"units", "batch_size"}
assert 0 <= grid_result.best_score_ <= 1

pipeline = Pipeline([("scale", StandardScaler()), ("mlp", KerasClassifier(build_fn=create_model, epochs=30, batch_size=5, verbose=0))])
results = cross_val_score(pipeline, X, encoded, cv=StratifiedKFold(n_splits=2, shuffle=True, random_state=1))
assert 0 <= results.mean() <= 1


def baseline():
    model = Sequential()
    model.add(Dense(1, input_dim=4))
    model.compile(loss="mean_squared_error", optimizer="adam")
    return model


regressor = KerasRegressor(build_fn=baseline, epochs=2, batch_size=20, verbose=0)
regressor.fit(X, X[:, 0])
assert regressor.predict(X).shape == (60,)
assert regressor.score(X, X[:, 0]) < 0
