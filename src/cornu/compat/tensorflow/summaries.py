"""The module ``tf.summary``: files that TensorBoard reads.

Follows https://www.tensorflow.org/api_docs/python/tf/summary
"""

import contextlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from cornu.callbacks.tensorboard.event_file import EventFile
from cornu.callbacks.tensorboard.event_file import histogram as histogram_value
from cornu.callbacks.tensorboard.event_file import picture as picture_value
from cornu.callbacks.tensorboard.event_file import scalar as scalar_value
from cornu.compat.tensorflow.audio import encode_wav
from cornu.compat.tensorflow.files import path_of, tensor_message
from cornu.compat.tensorflow.image_files import file_bytes
from cornu.core.records import field, varint, whole
from cornu.core.text import text_array
from cornu.core.variable import Variable, plain
from cornu.kernels.compiler import keeps_order


class SummaryWriter:
    """A file of events; as a context, what the functions of ``tf.summary`` write to."""

    def __init__(self, logdir: Any) -> None:
        self._folder = Path(path_of(logdir))
        self._file: EventFile | None = None

    def write(self, step: int, value: bytes) -> None:
        """Append a value."""
        self.init().write(step, [value])

    @contextlib.contextmanager
    def as_default(self, step: Any = None) -> Iterator["SummaryWriter"]:
        """Return a context in which this is where summaries go, with a `step` for all of them."""
        before = _state.step
        _state.writers.append(self)
        _state.step = before if step is None else step
        try:
            yield self
        finally:
            _state.writers.pop()
            _state.step = before

    def set_as_default(self, step: Any = None) -> None:
        """Let summaries go here from now on."""
        _state.writers.append(self)
        _state.step = _state.step if step is None else step

    def init(self) -> EventFile:
        """Make the file, unless there is one; returns it."""
        if self._file is None:
            self._file = EventFile(self._folder)
        return self._file

    def flush(self) -> None:
        """Do nothing: every value reaches the disk at once."""

    close = flush


class _State:
    """The writers that are open, the step, and whether summaries are recorded."""

    def __init__(self) -> None:
        self.writers: list[SummaryWriter] = []
        self.step: Any = None
        self.records: Any = True

    def recorded(self) -> Any:
        """Return whether summaries are recorded now, which a function may tell."""
        return self.records() if callable(self.records) else self.records


_state = _State()


def create_file_writer(logdir: Any, *_: Any, **__: Any) -> SummaryWriter:
    """Return a writer into a folder."""
    return SummaryWriter(logdir)


def create_noop_writer() -> SummaryWriter:
    """Return a writer that writes nothing."""
    writer = SummaryWriter(".")
    writer.write = lambda step, value: None  # type: ignore[method-assign]
    return writer


def _write(tag: str, step: Any, value_of: Callable[..., bytes], *arrays: Any) -> bool:
    """Write a value at once, or whenever the compiled function runs."""
    writer = _state.writers[-1] if _state.writers else None
    step = _state.step if step is None else step
    if writer is None:
        return False
    if step is None:
        raise ValueError(f"No step for the summary {tag!r}: pass step=, or call tf.summary.experimental.set_step(0).")

    def write(records: Any, step: Any, *values: Any) -> None:
        if bool(np.asarray(records)):
            writer.write(int(np.asarray(step)), value_of(*values))

    given = [plain(one) for one in (_state.recorded(), step, *arrays)]
    if any(isinstance(one, jax.core.Tracer) for one in given):
        jax.debug.callback(write, *given, ordered=keeps_order())
    else:
        write(*given)
    return True


def scalar(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    """Write a number; returns whether there is a writer."""
    return _write(name, step, lambda one: scalar_value(name, float(np.asarray(one))), data)


def histogram(name: str, data: Any, step: Any = None, buckets: Any = None, description: Any = None) -> bool:
    """Write the distribution of values."""
    bins = 30 if buckets is None else int(buckets)
    return _write(name, step, lambda one: histogram_value(name, one, bins), data)


def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: Any = None) -> bool:
    """Write up to `max_outputs` pictures ``(count, height, width, channels)``: bytes, or floats from 0 to 1."""

    def value(pixels: Any) -> bytes:
        pixels = np.asarray(pixels)[:max_outputs]
        if pixels.dtype != np.uint8:
            pixels = (np.clip(pixels, 0, 1) * 255.5).astype(np.uint8)
        pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., 0]
        tags = [name] if len(pixels) == 1 else [f"{name}/image/{number}" for number in range(len(pixels))]
        return b"".join(picture_value(tag, one) for tag, one in zip(tags, pixels, strict=True))

    return _write(name, step, value, data)


def text(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    """Write texts."""
    metadata = field(1, field(1, b"text")) + whole(4, 2)  # 2: kept as a tensor
    value = field(1, field(1, name.encode()) + field(8, tensor_message(text_array(data))) + field(9, metadata))
    return _write(name, step, lambda: value)


def audio(
    name: str, data: Any, sample_rate: Any, step: Any = None, max_outputs: int = 3, encoding: Any = None,
    description: Any = None,
) -> bool:  # fmt: skip
    """Write up to `max_outputs` recordings ``(count, time, channels)`` from -1 to 1."""

    def value(clips: Any) -> bytes:
        clips = np.asarray(clips)[:max_outputs]
        tags = [name] if len(clips) == 1 else [f"{name}/audio/{number}" for number in range(len(clips))]
        return b"".join(_recording(tag, clip, int(sample_rate)) for tag, clip in zip(tags, clips, strict=True))

    return _write(name, step, value, data)


def _recording(tag: str, clip: np.ndarray, rate: int) -> bytes:
    content = varint(1 << 3 | 5) + struct.pack("<f", rate) + whole(2, clip.shape[1]) + whole(3, len(clip))
    content += field(4, file_bytes(encode_wav(clip, rate))) + field(5, b"audio/wav")
    return field(1, field(1, tag.encode()) + field(6, content))


def flush(writer: Any = None, name: Any = None) -> None:
    """Do nothing: every value reaches the disk at once."""


def set_step(step: Any) -> None:
    """Set the step of the summaries that do not say one: a number or a variable."""
    _state.step = step


def get_step() -> Any:
    """Return the step that is set, or None."""
    return _state.step


def should_record_summaries() -> bool:
    """Return whether summaries are written."""
    return bool(_state.writers) and bool(plain(_state.recorded()))


@contextlib.contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """Return a context in which summaries are written if a condition, or a function of none, is true."""
    before, _state.records = _state.records, condition
    try:
        yield
    finally:
        _state.records = before


def write(tag: str, tensor: Any, step: Any = None, metadata: Any = None, name: Any = None) -> bool:
    """Write a tensor, as a number if it is one, else as a distribution."""
    value = tensor.value if isinstance(tensor, Variable) else tensor
    return (scalar if np.ndim(value) == 0 else histogram)(tag, value, step)


FileWriter = SummaryWriter
