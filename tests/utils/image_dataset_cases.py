"""Pictures of many kinds, and what Keras on TensorFlow makes of them; the answers are in image_dataset_answers.npz.

``python tests/utils/image_dataset_cases.py`` writes that file with real Keras (3.15, TensorFlow 2.21); the files
themselves are in it too, so that all who read them read the same bytes.
"""

import struct
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ANSWERS = HERE / "image_dataset_answers.npz"
METHODS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic")
SIZES = ((5, 7), (24, 20), (13, 17))  # smaller, larger, the same
MODES = ("rgb", "grayscale", "rgba")


def cases():
    """Return arguments of `image_dataset_from_directory` by the names of the answers, for the files of one folder."""
    found = {}
    for method in METHODS:
        for size in SIZES:
            found[f"{method} {size}"] = ("plain", {"interpolation": method, "image_size": size})
        for way in ("crop", "pad"):
            if way == "pad" or method in ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"):
                arguments = {"interpolation": method, "image_size": (6, 10), f"{way}_to_aspect_ratio": True}
                found[f"{method} {way}"] = ("plain", arguments)
    for mode in MODES:
        found[mode] = ("kinds", {"color_mode": mode, "image_size": (9, 9)})
    found["first"] = ("plain", {"data_format": "channels_first", "image_size": (6, 8)})
    return found


def drawn(height, width, channels, seed):
    """Return a picture with smooth colours and some noise."""
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / (3 + i) + y / (4 - i / 2) + seed) for i in range(channels)]
    noise = np.random.default_rng(seed).normal(0, 9, (height, width, channels))
    return (np.stack(waves, -1) + noise).clip(0, 255).astype("uint8")


def png_of_16_bits(pixels):
    """Return a PNG of 16 bits per channel, which Pillow writes only in grey."""
    height, width, channels = pixels.shape
    rows = pixels.astype(">u2").reshape(height, -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def make_files(folder):
    """Write the pictures."""
    from PIL import Image

    kinds = Path(folder) / "kinds"
    (Path(folder) / "plain").mkdir(parents=True)
    kinds.mkdir()
    Image.fromarray(drawn(13, 17, 3, 1)).save(Path(folder) / "plain" / "a.png")
    rgb, rgba = Image.fromarray(drawn(12, 15, 3, 2)), Image.fromarray(drawn(12, 15, 4, 3))
    rgb.save(kinds / "rgb.bmp")
    rgb.save(kinds / "rgb.png")
    rgb.save(kinds / "rgb.jpg", quality=95)
    rgb.save(kinds / "upright.jpeg", quality=95, exif=_turned(Image))
    rgba.save(kinds / "rgba.png")
    rgb.convert("L").save(kinds / "grey.png")
    rgb.convert("L").save(kinds / "grey.jpg", quality=95)
    rgba.convert("LA").save(kinds / "grey_alpha.png")
    rgb.quantize(16).save(kinds / "palette.png")
    rgb.quantize(16).save(kinds / "palette_clear.png", transparency=3)
    rgb.convert("1").save(kinds / "bits.png")
    rgb.convert("CMYK").save(kinds / "cmyk.jpg", quality=95)
    rgb.save(kinds / "animated.gif", save_all=True, append_images=[rgb.rotate(90)])
    for channels in (1, 2, 3, 4):
        wide = drawn(12, 15, channels, 4).astype("uint16") * 256 + drawn(12, 15, channels, 5)
        (kinds / f"wide{channels}.png").write_bytes(png_of_16_bits(wide))


def _turned(image):
    exif = image.Exif()
    exif[0x0112] = 6
    return exif


def unpack(folder, answers):
    """Write the files that are in the answers."""
    for name in answers.files:
        if name.startswith("file "):
            path = Path(folder) / name[5:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(answers[name].tobytes())


def write_answers():
    """Write what real Keras makes of every picture; those that it rejects are left out."""
    from keras.src.utils.image_dataset_utils import _load_image_tf

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        make_files(folder)
        files = sorted(Path(folder).rglob("*.*"))
        for path in files:
            found[f"file {path.relative_to(folder).as_posix()}"] = np.frombuffer(path.read_bytes(), "uint8")
        for name, (part, given) in cases().items():
            channels = {"grayscale": 1, "rgb": 3, "rgba": 4}[given.get("color_mode", "rgb")]
            arguments = {
                "image_size": given["image_size"],
                "num_channels": channels,
                "interpolation": given.get("interpolation", "bilinear"),
                "data_format": given.get("data_format", "channels_last"),
                "crop_to_aspect_ratio": given.get("crop_to_aspect_ratio", False),
                "pad_to_aspect_ratio": given.get("pad_to_aspect_ratio", False),
            }
            for path in [path for path in files if path.parent.name == part]:
                try:
                    picture = _load_image_tf(str(path), **arguments).numpy()
                except Exception as error:
                    print(f"{name}: {path.name}: {str(error)[:150]}", file=sys.stderr)
                    continue
                found[f"{name}: {path.name}"] = picture
    np.savez_compressed(ANSWERS, **found)


if __name__ == "__main__":
    write_answers()
