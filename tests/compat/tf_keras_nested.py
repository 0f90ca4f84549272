"""Files of tf.keras with an adapted layer in a model inside another one.

With tf_keras installed, ``python tf_keras_nested.py`` writes `tf_keras_nested.zip`: the files, and what they predict.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

ARCHIVE = Path(__file__).with_suffix(".zip")
X = np.linspace(-3, 3, 25).astype("float32")[:, None]


def write():
    import tf_keras as keras

    layer = keras.layers.Discretization(num_bins=4)
    layer.adapt(X)
    given = keras.Input((1,))
    inner = keras.Model(given, keras.layers.CategoryEncoding(5)(layer(given)), name="inner")
    outer = keras.Input((1,))
    models = {
        "functional.h5": keras.Model(outer, keras.layers.Dense(2)(inner(outer))),
        "sequential.h5": keras.Sequential([keras.Input((1,)), inner, keras.layers.Dense(1)]),
    }
    models["functional.keras"] = models["functional.h5"]
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, model in models.items():
            model.save(name)
            archive.write(name)
            Path(name).unlink()
        answers = {name: model.predict(X, verbose=0).tolist() for name, model in models.items()}
        archive.writestr("answers.json", json.dumps(answers))


if __name__ == "__main__":
    write()
