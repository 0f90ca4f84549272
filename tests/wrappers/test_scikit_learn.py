"""Models as estimators of scikit-learn: searches, pipelines, clones and pickles."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from cornu import Input, Sequential, layers

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cornu.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer
from cornu.wrappers.scikit_learn import KerasClassifier, KerasRegressor

X, Y = make_classification(80, 4, class_sep=3, random_state=1)
WORDS = np.array(["no", "yes"])[Y]
X_REAL, Y_REAL = make_regression(80, 4, random_state=1)


def build(units=8, optimizer="adam"):
    model = Sequential([Input((4,)), layers.Dense(units, "relu"), layers.Dense(1, "sigmoid")])
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def build_softmax():
    model = Sequential([Input((4,)), layers.Dense(2, "softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def build_regressor():
    model = Sequential([Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def made(X, y, units=4):
    model = Sequential([Input((X.shape[1],)), layers.Dense(units, "relu"), layers.Dense(y.shape[1], "softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model


def test_the_classifier_of_keras_2():
    classifier = KerasClassifier(build, epochs=40, batch_size=8, verbose=0)
    history = classifier.fit(X, WORDS)
    assert len(history.history["loss"]) == 40
    assert set(classifier.predict(X).ravel()) == {"no", "yes"}
    assert classifier.predict(X).shape == (80, 1)
    np.testing.assert_allclose(classifier.predict_proba(X).sum(1), 1, rtol=1e-6)
    assert classifier.score(X, WORDS) > 0.9
    assert (classifier.classes_.tolist(), classifier.n_classes_) == (["no", "yes"], 2)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(again.predict_proba(X), classifier.predict_proba(X), rtol=1e-6)


def test_one_hot_targets_and_nb_epoch():
    classifier = KerasClassifier(build_softmax, nb_epoch=3, verbose=0)
    assert len(classifier.fit(X, Y).history["loss"]) == 3
    assert classifier.predict(X).shape == (80,)
    assert 0 <= classifier.score(X, Y) <= 1
    classifier.fit(X, np.eye(2)[Y])
    assert classifier.classes_.tolist() == [0, 1]
    assert 0 <= classifier.score(X, np.eye(2)[Y]) <= 1


def test_the_regressor_of_keras_2():
    regressor = KerasRegressor(build_fn=build_regressor, epochs=2, verbose=0)
    regressor.fit(X_REAL, Y_REAL)
    assert regressor.predict(X_REAL).shape == (80,)
    np.testing.assert_allclose(
        regressor.score(X_REAL, Y_REAL), -np.mean((regressor.predict(X_REAL) - Y_REAL) ** 2), rtol=1e-4
    )


def test_parameters():
    classifier = KerasClassifier(build, units=3, epochs=2)
    assert classifier.get_params() == {"build_fn": build, "units": 3, "epochs": 2}
    assert clone(classifier).set_params(units=5).get_params()["units"] == 5
    with pytest.raises(ValueError, match=r"unit is not a legal parameter.* Did you mean 'units'"):
        KerasClassifier(build, unit=3)
    with pytest.raises(ValueError, match="epoch is not a legal parameter"):
        classifier.set_params(epoch=3)

    class Own(KerasClassifier):
        def __call__(self, units=2):
            return build(units)

    assert len(Own(units=3, verbose=0).fit(X, Y).history["loss"]) == 1
    with pytest.raises(ValueError, match="needs build_fn"):
        KerasClassifier()
    with pytest.raises(ValueError, match="is not trained"):
        classifier.predict(X)
    wrong = KerasClassifier(build_regressor, verbose=0)
    wrong.fit(X, Y)
    with pytest.raises(ValueError, match=r'metrics=\["accuracy"\]'):
        wrong.score(X, Y)


def test_a_search_with_several_jobs():
    search = GridSearchCV(
        KerasClassifier(build, epochs=2, verbose=0), {"units": [2, 8], "batch_size": [20]}, cv=2, n_jobs=2
    )
    search.fit(X, Y)
    assert search.best_params_["units"] in (2, 8)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_pipelines_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), KerasClassifier(build, epochs=30, batch_size=8, verbose=0))
    assert cross_val_score(pipeline, X, Y, cv=2).mean() > 0.8
    model = build_softmax()
    three = make_pipeline(StandardScaler(), SKLearnClassifier(model, fit_kwargs={"epochs": 2, "verbose": 0}))
    assert cross_val_score(three, X, WORDS, cv=2).shape == (2,)


def test_the_estimators_of_keras_3():
    model = build_softmax()
    before = model.get_weights()
    estimator = SKLearnClassifier(model, fit_kwargs={"epochs": 40, "verbose": 0, "batch_size": 8}).fit(X, WORDS)
    assert estimator.score(X, WORDS) > 0.8
    assert estimator.predict_proba(X).shape == estimator.decision_function(X).shape == (80, 2)
    for one, other in zip(before, model.get_weights(), strict=True):  # a copy was trained
        np.testing.assert_array_equal(one, other)
    function = SKLearnClassifier(made, model_kwargs={"units": 3}, fit_kwargs={"verbose": 0})
    search = GridSearchCV(function, {"model_kwargs": [{"units": 2}, {"units": 5}]}, cv=2).fit(X, WORDS)
    assert search.best_estimator_.model_.layers[0].units in (2, 5)
    copied = clone(estimator)
    assert copied.fit_kwargs == estimator.fit_kwargs
    assert not hasattr(copied, "model_")
    np.testing.assert_allclose(pickle.loads(pickle.dumps(estimator)).predict_proba(X), estimator.predict_proba(X))


def test_warm_start_regressors_and_transformers():
    regressor = SKLearnRegressor(build_regressor(), warm_start=True, fit_kwargs={"verbose": 0})
    first = regressor.fit(X_REAL, Y_REAL).model_
    assert regressor.fit(X_REAL, Y_REAL).model_ is first
    assert regressor.predict(X_REAL).shape == (80,)
    steps = make_pipeline(SKLearnTransformer(build_regressor(), fit_kwargs={"verbose": 0}), LogisticRegression())
    assert steps.fit(X, Y).predict(X).shape == (80,)


def test_mistakes():
    with pytest.raises(NotFittedError):
        SKLearnClassifier(build_softmax()).predict(X)
    with pytest.raises(ValueError, match="only one class"):
        SKLearnClassifier(build_softmax()).fit(X, np.zeros(80))
    with pytest.raises(ValueError, match="Target type: continuous"):
        SKLearnClassifier(build_softmax()).fit(X, Y_REAL)
    with pytest.raises(ValueError, match="needs a compiled model"):
        SKLearnRegressor(Sequential([Input((4,)), layers.Dense(1)])).fit(X, Y)


def test_without_scikit_learn():
    program = (
        "import sys; sys.modules['sklearn.base'] = None\n"
        "from cornu.wrappers import SKLearnClassifier\n"
        "from cornu.wrappers.scikit_learn import KerasClassifier\n"
        "KerasClassifier(lambda: None)\n"
        "SKLearnClassifier(None)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "SKLearnClassifier needs the package scikit-learn: pip install scikit-learn" in ran.stderr.splitlines()[-1]
