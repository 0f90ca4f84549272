"""What keras-preprocessing 1.1.2 and Keras 1.2.2 answer to the questions below, written into `old_answers.npz`.

Run in an environment that has the old packages (Python 3.11):

    pip install 'numpy<2' 'scipy<1.12' Pillow pandas six Keras-Preprocessing==1.1.2
    pip download --no-deps Keras==1.2.2 && tar xzf Keras-1.2.2.tar.gz
    python tests/preprocessing/old_answers.py Keras-1.2.2

The tests ask Cornu the same questions.
"""

import contextlib
import io
import json
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("old_answers.npz")

TEXTS = [
    "The cat sat on the mat.",
    "The dog, a BIG dog: sat; on\tthe log!",
    "Ünïcode “quotes” — don't break\nwords_like_this or e-mail@addresses",
    "",
    "the the the cat",
]
TOKENIZERS = {
    "plain": {},
    "num_words": {"num_words": 5},
    "oov": {"num_words": 6, "oov_token": "<unk>"},
    "chars": {"char_level": True, "num_words": 9},
    "case": {"lower": False, "filters": "aT,", "split": "-"},
    "oov of all": {"oov_token": "nothing"},
}
SEEN = ["a cat and the dog", "nothing known", "", "the THE big-cat"]


def text_answers(text):
    """Return what a module `text` makes of the texts, as JSON."""
    found = {"words": [text.text_to_word_sequence(one) for one in TEXTS]}
    found["hashed"] = [text.hashing_trick(one, 50, hash_function="md5") for one in TEXTS]
    for name, arguments in TOKENIZERS.items():
        tokenizer = text.Tokenizer(**arguments)
        tokenizer.fit_on_texts(TEXTS)
        tokenizer.fit_on_texts([["The", "cat"], ["cat"]])
        sequences = tokenizer.texts_to_sequences(SEEN)
        found[name] = {
            "word_index": tokenizer.word_index,
            "word_counts": tokenizer.word_counts,
            "word_docs": tokenizer.word_docs,
            "index_docs": {str(key): value for key, value in tokenizer.index_docs.items()},
            "document_count": tokenizer.document_count,
            "sequences": sequences,
            "texts": tokenizer.sequences_to_texts([*sequences, [1, 2, 999]]),
            "matrices": [
                np.round(tokenizer.texts_to_matrix(TEXTS, mode), 6).tolist()
                for mode in ("binary", "count", "freq", "tfidf")
            ],
        }
    again = text.tokenizer_from_json(tokenizer.to_json())
    found["json"] = again.texts_to_sequences(SEEN)
    tokenizer = text.Tokenizer(num_words=6)
    tokenizer.fit_on_sequences([[1, 2, 2], [3, 1], [5]])
    found["fitted on sequences"] = np.round(tokenizer.sequences_to_matrix([[1, 1, 5, 9], []], "tfidf"), 6).tolist()
    return json.loads(json.dumps(found))


def sequence_answers(sequence):
    """Return what a module `sequence` answers, as JSON."""
    found = {"table": np.round(sequence.make_sampling_table(20), 9).tolist()}
    table = sequence.make_sampling_table(10, 0.1)
    for name, arguments in {
        "plain": {"seed": 3},
        "few": {"negative_samples": 0.5, "window_size": 1, "categorical": True, "seed": 4},
        "in order": {"shuffle": False, "sampling_table": table},
        "none wrong": {"negative_samples": 0, "seed": 1},
    }.items():
        random.seed(8)
        found[name] = sequence.skipgrams([1, 2, 0, 3, 4, 9, 5], 10, **arguments)
    return json.loads(json.dumps(found))


#: Name -> arguments of `ImageDataGenerator` that every version has.
GENERATORS = {
    "all moves": {
        "rotation_range": 25,
        "width_shift_range": 0.2,
        "height_shift_range": 0.1,
        "zoom_range": 0.3,
        "horizontal_flip": True,
        "vertical_flip": True,
    },
    "shear": {"shear_range": 0.4, "fill_mode": "constant", "cval": 7.0, "horizontal_flip": True},
    "channels": {"channel_shift_range": 40.0, "rescale": 1 / 255, "vertical_flip": True},
    "samplewise": {"samplewise_center": True, "samplewise_std_normalization": True, "zoom_range": (0.8, 0.9)},
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True, "fill_mode": "reflect"},
    "wrap": {"rotation_range": 180, "fill_mode": "wrap"},
}
#: Those of Keras 2.
GENERATORS_OF_2 = {
    "pixels": {"width_shift_range": 3, "height_shift_range": [-2, 1], "horizontal_flip": True},
    "many pixels": {"width_shift_range": 2.0, "rotation_range": 5.0, "interpolation_order": 3},
    "brightness": {"brightness_range": (0.4, 1.5), "rotation_range": 30, "interpolation_order": 0},
    "whitening": {"zca_whitening": True, "zca_epsilon": 0.1},
    "draws": {"preprocessing_function": lambda image: image + np.random.rand(), "horizontal_flip": True},
    "functions": {"preprocessing_function": lambda image: image[::-1] * 2, "zoom_range": 0.2, "shear_range": 15.0},
}


def images(count=7, rows=8, columns=6, channels=3):
    """Return images for the questions."""
    return np.random.RandomState(1).randint(0, 256, (count, rows, columns, channels)).astype("float32")


def generator_answers(image, first=False, **axes):
    """Return the batches of `image.ImageDataGenerator`, those of Keras 1 if `first`."""
    found = {}
    x, y = images(), np.arange(7)
    for name, arguments in {**GENERATORS, **({} if first else GENERATORS_OF_2)}.items():
        generator = image.ImageDataGenerator(**arguments, **axes)
        generator.fit(x, augment="featurewise" in name, seed=2)
        batches = generator.flow(x, y, batch_size=3, seed=4)
        for number in range(3):
            found[f"{name}/{number}"] = next(batches)[0]
        found[f"{name}/order"] = np.concatenate([next(batches)[1] for _ in range(5)])
    return found


def function_answers(image):
    """Return what the functions of one image answer."""
    x, found = images(1)[0], {}
    axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    calls = {
        "random_rotation": lambda: image.random_rotation(x, 40, **axes),
        "random_shift": lambda: image.random_shift(x, 0.2, 0.3, **axes),
        "random_shear": lambda: image.random_shear(x, 20, **axes),
        "random_zoom": lambda: image.random_zoom(x, (0.5, 1.4), **axes, fill_mode="constant"),
        "random_channel_shift": lambda: image.random_channel_shift(x, 50, 2),
        "random_brightness": lambda: image.random_brightness(x, (0.5, 1.5)),
        "apply_channel_shift": lambda: image.apply_channel_shift(x, 30.5, 2),
        "apply_brightness_shift": lambda: image.apply_brightness_shift(x / 300 - 0.1, 1.3),
        "apply_affine_transform": lambda: image.apply_affine_transform(x, 10, 1, 2, 5, 0.9, 1.1, **axes, order=2),
        "integers": lambda: image.apply_affine_transform(x.astype("uint8"), 30, **axes),
        "flip_axis": lambda: image.ImageDataGenerator().apply_transform(x, {"flip_vertical": True, "tx": 1}),
    }
    for name, call in calls.items():
        np.random.seed(5)
        found[name] = call()
    return found


def write_folder(folder, count=3):
    """Write image files of some kinds into folders for classes."""
    from PIL import Image

    drawn = np.random.RandomState(2)
    for name in ("cats", "dogs", "dogs/big", "eels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = drawn.randint(0, 256, (9, 12, 4)).astype("uint8")
            Image.fromarray(pixels[..., :3]).save(folder / name / f"{number}.png")
    Image.fromarray(pixels).save(folder / "cats" / "alpha.PNG")
    Image.fromarray(pixels[..., 0]).save(folder / "cats" / "grey.bmp")
    Image.fromarray(pixels[..., 0].astype("uint16") * 200).save(folder / "dogs" / "deep.png")
    (folder / "cats" / "notes.txt").write_text("no image")
    (folder / "loose.png").write_bytes((folder / "cats" / "0.png").read_bytes())


DIRECTORIES = {
    "plain": {"class_mode": "categorical"},
    "binary": {"class_mode": "binary", "classes": ["eels", "cats"], "color_mode": "grayscale", "shuffle": False},
    "sparse": {"class_mode": "sparse", "color_mode": "rgba", "subset": "training"},
    "input": {"class_mode": "input", "subset": "validation", "interpolation": "bilinear"},
    "none": {"class_mode": None, "shuffle": False},
}
FRAMES = {
    "categorical": {"class_mode": "categorical", "y_col": "tags"},
    "sparse": {"class_mode": "sparse", "y_col": "kind", "weight_col": "weight", "subset": "training"},
    "chosen": {"class_mode": "categorical", "y_col": "tags", "classes": ["wet", "small"], "shuffle": False},
    "binary": {"class_mode": "binary", "y_col": "kind", "classes": ["cats", "dogs"]},
    "raw": {"class_mode": "raw", "y_col": ["weight", "age"]},
    "multi_output": {"class_mode": "multi_output", "y_col": ["weight", "age"], "subset": "validation"},
    "none": {"class_mode": None, "y_col": "kind"},
}


def frame():
    """Return a data frame that names files of `write_folder`, one of which does not exist."""
    import pandas

    files = [f"{kind}/{number}.png" for number in range(3) for kind in ("cats", "dogs", "eels")]
    kinds = [file[:4] for file in files]
    tags = [["small"] if kind == "cats" else ["small", "wet"] if kind == "eels" else ["big"] for kind in kinds]
    table = {"filename": [*files[:-1], "eels/none.png"], "kind": kinds, "tags": tags}
    numbers = {"weight": np.linspace(0.5, 2, 9), "age": np.arange(9)}
    return pandas.DataFrame(table | numbers)


def file_answers(image, folder):
    """Return the batches of iterators over files, and what they know of them."""
    found = {}
    settings = {"validation_split": 0.4, "rotation_range": 20, "horizontal_flip": True}

    def keep(name, batches):
        found[f"{name}/filenames"] = np.array([file.replace(os.sep, "/") for file in batches.filenames])
        batch = next(batches)
        parts = list(batch) if isinstance(batch, tuple) else [batch]
        parts = [piece for part in parts for piece in (part if isinstance(part, list) else [part])]
        for number, part in enumerate(parts):
            found[f"{name}/{number}"] = part

    common = {"target_size": (6, 5), "batch_size": 3, "seed": 6}
    for name, arguments in DIRECTORIES.items():
        batches = image.ImageDataGenerator(**settings).flow_from_directory(str(folder), **common, **arguments)
        keep(f"directory {name}", batches)
        found[f"directory {name}/classes"] = batches.classes
    for name, arguments in FRAMES.items():
        generator = image.ImageDataGenerator(**settings)
        keep(f"frame {name}", generator.flow_from_dataframe(frame(), str(folder), **common, **arguments))
    kept = folder.parent / "kept"
    kept.mkdir()
    batches = image.ImageDataGenerator().flow(images(), batch_size=4, seed=1, save_to_dir=str(kept), save_prefix="x")
    next(batches), next(batches)
    found["kept"] = np.array(sorted(path.name for path in kept.iterdir()))
    return found


def answers(text, sequence, image, folder):
    """Return all answers of Keras 2's modules in one dictionary of arrays."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = generator_answers(image) | function_answers(image) | file_answers(image, folder)
        return found | {"text": json.dumps(text_answers(text)), "sequence": json.dumps(sequence_answers(sequence))}


def main(keras_1):
    """Write the answers of keras-preprocessing, and of the images of a Keras 1 whose source is in a folder."""
    import types

    import scipy.ndimage
    from keras_preprocessing import image, sequence, text

    scipy.ndimage.interpolation = scipy.ndimage
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "files")
        write_folder(folder)
        found = answers(text, sequence, image, folder)
    backend = types.ModuleType("keras.backend")
    backend.floatx, backend.epsilon, backend.image_dim_ordering = lambda: "float32", lambda: 1e-7, lambda: "tf"
    for name in ("keras", "keras.preprocessing"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(Path(keras_1, *name.split(".")))]
    sys.modules["keras.backend"] = sys.modules["keras"].backend = backend
    from keras.preprocessing import image as first

    found |= {f"1/{name}": value for name, value in generator_answers(first, first=True).items()}
    kept = {
        name: value.astype("float32") if np.asarray(value).dtype == float else value for name, value in found.items()
    }
    np.savez_compressed(FILE, **kept)
    print(f"{FILE}: {len(kept)} answers, {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
