"""The fast decoders against Pillow, bit for bit; what they do not take acts as if they did not exist."""

import io
import struct
import sys
import warnings
import zlib

import numpy as np
import pytest

from cornu.kernels.native import pictures as native
from cornu.preprocessing import decoders, pictures
from utils import image_dataset_cases as known

image = pytest.importorskip("PIL.Image")
CHANNELS = (1, 3, 4)


@pytest.fixture
def turbo():
    return pytest.importorskip("simplejpeg")


@pytest.fixture
def kernel():
    if not native.can_unfilter():
        pytest.skip("there are no native kernels")


def decoded(data, channels):
    found = decoders.decoded(data, channels, None)
    return None if found is None else found.copy()


def by_pillow(folder, data, channels):
    path = folder / "picture"
    path.write_bytes(data)
    return np.asarray(pictures.opened(path, channels)).reshape(*pictures.opened(path, channels).size[::-1], channels)


def read(folder, data, channels):
    """Return the pixels of a file as Pillow has them, or what is said about it."""
    path = folder / "picture"
    path.write_bytes(data)
    found = pictures.fast_pixels(path, channels)
    try:
        return pictures.pixels_of(path, channels).copy() if found is None else found.copy()
    except ValueError as error:
        return str(error)


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def photo(height=23, width=37, channels=3, seed=1):
    return image.fromarray(known.drawn(height, width, channels, seed))


def jpegs():
    exif = image.Exif()
    exif[0x0112] = 6
    grey = photo().convert("L")
    found = {
        f"{name} {quality}": saved(photo(), "JPEG", subsampling=name, quality=quality)
        for name in ("4:4:4", "4:2:2", "4:2:0")
        for quality in (30, 95)
    }
    return found | {
        "grey": saved(grey, "JPEG"),
        "grey, progressive": saved(grey, "JPEG", progressive=True),
        "progressive": saved(photo(), "JPEG", progressive=True),
        "optimized": saved(photo(), "JPEG", optimize=True),
        "RGB": saved(photo(), "JPEG", keep_rgb=True),
        "restarts": saved(photo(), "JPEG", restart_marker_blocks=2),
        "turned": saved(photo(), "JPEG", exif=exif),
        "one pixel": saved(photo(1, 1), "JPEG"),
        "large": saved(photo(301, 500), "JPEG"),
        "two pictures": saved(photo(), "MPO", save_all=True, append_images=[photo(seed=3)]),
    }


def pngs():
    found = {
        f"{mode}, {level}": saved(photo(channels=4).convert(mode), "PNG", compress_level=level)
        for mode in ("L", "RGB", "RGBA")
        for level in (0, 6, 9)
    }
    return found | {
        "profile": saved(photo(), "PNG", icc_profile=b"profile", dpi=(72, 72)),
        "clear color": saved(photo(), "PNG", transparency=(1, 2, 3)),
        "large": saved(photo(300, 400), "PNG"),  # several chunks of pixels
        "noise": saved(image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 90, 3), np.uint8)), "PNG"),
        "one pixel": saved(photo(1, 1), "PNG"),
    }


@pytest.mark.parametrize("name", jpegs())
@pytest.mark.parametrize("channels", CHANNELS)
def test_jpegs(turbo, tmp_path, name, channels):
    data = jpegs()[name]
    np.testing.assert_array_equal(decoded(data, channels), by_pillow(tmp_path, data, channels))


def test_the_transform_of_tensorflow(turbo, tmp_path):
    """Data sets have the pixels of Keras, which test_image_dataset.py compares; here, that they are others at all."""
    data = saved(photo(), "JPEG", quality=95)
    (tmp_path / "picture").write_bytes(data)
    found = pictures.pixels_of(tmp_path / "picture", 3).copy()
    np.testing.assert_array_equal(found, turbo.decode_jpeg(data, fastdct=True))
    difference = np.abs(found.astype(int) - decoded(data, 3))
    assert 0 < difference.max() <= 20


@pytest.mark.parametrize("name", pngs())
def test_pngs(kernel, tmp_path, name):
    data = pngs()[name]
    stored = len(image.open(io.BytesIO(data)).getbands())
    for channels in CHANNELS:
        found = decoded(data, channels)
        if stored == channels or channels == 3:
            np.testing.assert_array_equal(found, by_pillow(tmp_path, data, channels))
        else:
            assert found is None


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(header=(4, 2, 8, 2, 0, 0, 0), rows=bytes(2 * 13), before=b"", between=b"", after=b""):
    compressed = zlib.compress(rows)
    pixels = chunk(b"IDAT", compressed[:5]) + between + chunk(b"IDAT", compressed[5:])
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    return start + before + pixels + after + chunk(b"IEND", b"")


def left_to_pillow():
    """Return files that the fast decoders do not take."""
    jpeg, whole = saved(photo(), "JPEG"), saved(photo(), "PNG")
    frames = [photo(seed=seed) for seed in (1, 2)]
    middle = len(jpeg) // 2
    return {
        "CMYK": saved(photo().convert("CMYK"), "JPEG"),
        "cut JPEG": jpeg[:-200],
        "JPEG without end": jpeg[:-2],
        "beginning of a JPEG": jpeg[:20],
        "damaged JPEG": jpeg[:middle] + b"\xff\xd0\xff\xd9" + jpeg[middle:],
        "three bytes": jpeg[:3],
        "palette": saved(photo().quantize(16), "PNG"),
        "bits": saved(photo().convert("1"), "PNG"),
        "16 bits": known.png_of_16_bits(known.drawn(5, 6, 3, 1).astype("uint16") * 99),
        "grey with alpha": saved(photo(channels=4).convert("LA"), "PNG"),
        "animated": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "interlaced": png((4, 2, 8, 2, 0, 0, 1)),
        "unknown filters": png((4, 2, 8, 2, 0, 1, 0)),
        "no pixels": png((0, 2, 8, 2, 0, 0, 0)),
        "filter 7": png(rows=b"\7" + bytes(25)),
        "too few rows": png(rows=bytes(13)),
        "too many rows": png(rows=bytes(13 * 3000)),
        "pixels in two places": png(between=chunk(b"tEXt", b"a\0b")),
        "wrong checksum": png(before=chunk(b"tEXt", b"a\0b")[:-1] + b"?"),
        "unfinished chunk": png(after=b"\0\0\1\0tEXt"),
        "cut PNG": whole[:-300],
        "PNG without end": whole[:-12],
        "beginning of a PNG": whole[:20],
        "wrong pixels": whole.replace(whole[60:70], bytes(10)),
        "text": b"text",
        "nothing": b"",
        "BMP": saved(photo(), "BMP"),
        "GIF": saved(photo(), "GIF"),
    }


@pytest.mark.parametrize("name", left_to_pillow())
def test_what_is_left_to_pillow(tmp_path, monkeypatch, name):
    data = left_to_pillow()[name]
    for channels in CHANNELS:
        assert decoded(data, channels) is None
        found = read(tmp_path, data, channels)
        with monkeypatch.context() as patch:
            patch.setattr(pictures, "decoded", lambda *_: None)
            np.testing.assert_array_equal(found, read(tmp_path, data, channels))


def test_an_undamaged_png_of_the_test_is_read(kernel, tmp_path):
    extra = chunk(b"tEXt", b"a\0b")
    for data in (png(), png(before=extra, after=extra)):
        np.testing.assert_array_equal(decoded(data, 3), by_pillow(tmp_path, data, 3))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_files_with_wrong_bytes(tmp_path, monkeypatch, kind):
    """Whatever is damaged: pixels, or what is said, are those of Pillow."""
    drawn = np.random.default_rng(0)
    whole = np.frombuffer(saved(photo(13, 9), kind), np.uint8)
    for _ in range(120):
        data = whole.copy()
        data[drawn.integers(0, len(data), 1 + drawn.integers(3))] = drawn.integers(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that became enormous
            found = read(tmp_path, data.tobytes(), 3)
            with monkeypatch.context() as patch:
                patch.setattr(pictures, "decoded", lambda *_: None)
                expected = read(tmp_path, data.tobytes(), 3)
        np.testing.assert_array_equal(found, expected)


@pytest.fixture
def without(monkeypatch):
    """Return a function that hides a package."""

    def hide(package):
        monkeypatch.setitem(sys.modules, package, None)
        forget()

    def forget():
        for search in (decoders._simplejpeg, decoders._inflating):
            search.cache_clear()

    yield hide
    forget()


def test_without_simplejpeg(tmp_path, without):
    data = saved(photo(), "JPEG")
    without("simplejpeg")
    assert decoded(data, 3) is None
    np.testing.assert_array_equal(read(tmp_path, data, 3), by_pillow(tmp_path, data, 3))


def test_without_isal(kernel, tmp_path, without):
    data = saved(photo(), "PNG")
    expected = decoded(data, 3)
    without("isal")
    assert decoders._inflating() is zlib.decompressobj
    np.testing.assert_array_equal(decoded(data, 3), expected)


def test_without_native_kernels(tmp_path, monkeypatch):
    data = saved(photo(), "PNG")
    expected = read(tmp_path, data, 3)
    monkeypatch.setattr(native.library, "available", lambda _: False)
    assert decoded(data, 3) is None
    np.testing.assert_array_equal(read(tmp_path, data, 3), expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pillow_warns_of_pictures_that_are_too_large(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(image, "MAX_IMAGE_PIXELS", 700)
    data = saved(photo(), kind)
    with pytest.warns(image.DecompressionBombWarning):
        assert read(tmp_path, data, 3).shape == (23, 37, 3)
    monkeypatch.setattr(image, "MAX_IMAGE_PIXELS", None)
    assert read(tmp_path, data, 3).shape == (23, 37, 3)


def test_a_gone_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no picture '.*gone\.jpg' any more"):
        pictures.pixels_of(tmp_path / "gone.jpg", 3)
    with pytest.raises(ValueError, match="cannot be read"):
        pictures.pixels_of(tmp_path, 3)


def test_pictures_larger_than_the_kept_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(decoders, "_KEPT", 23 * 37)
    for kind in ("JPEG", "PNG"):
        data = saved(photo(), kind)
        first = read(tmp_path, data, 3)
        np.testing.assert_array_equal(first, by_pillow(tmp_path, data, 3))
