"""Make src/cornu/datasets/bundled/mnist.zip from the `mnist.npz` that Keras distributes.

    python scripts/pack_mnist.py path/to/mnist.npz

Four pixels in five are blank, so ink positions (one bit per pixel) and ink darkness (one byte per inked pixel) are
stored separately, each with the compression that suits it: 15 % smaller than the .npz, and unpacked in 0.4 seconds.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np

BUNDLED = Path(__file__).resolve().parents[1] / "src" / "cornu" / "datasets" / "bundled" / "mnist.zip"


def pack(source: Path, target: Path) -> None:
    """Write the images and labels of `source`, training rows first, to `target`."""
    with np.load(source, allow_pickle=False) as arrays:
        images = np.concatenate([arrays["x_train"], arrays["x_test"]])
        labels = np.concatenate([arrays["y_train"], arrays["y_test"]])
    ink = images != 0
    members = [
        ("ink", np.packbits(ink), zipfile.ZIP_LZMA),
        ("darkness", images[ink], zipfile.ZIP_DEFLATED),
        ("labels", labels, zipfile.ZIP_LZMA),
    ]
    with zipfile.ZipFile(target, "w") as archive:
        for name, array, compression in members:  # ZipInfo's fixed date: the same input gives the same file
            archive.writestr(zipfile.ZipInfo(name), array.tobytes(), compression, compresslevel=9)


if __name__ == "__main__":
    pack(Path(sys.argv[1]), BUNDLED)
    print(f"{BUNDLED}: {BUNDLED.stat().st_size:,} bytes")
