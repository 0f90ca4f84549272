"""``tf.summary``: what is in the files, as TensorBoard reads them."""

import numpy as np
import pytest

from cornu.compat.tensorflow import summaries
from cornu.compat.tensorflow.function import function
from cornu.compat.tensorflow.records import records_in
from cornu.compat.tensorflow.variables import Variable
from cornu.saving.protobuf import Message, Record


def values_in(folder):
    """Return tag, step and kind of value (the field of ``Summary.Value``) of each event."""
    found = []
    for path in sorted(folder.glob("events*")):
        for event in records_in(str(path)):
            record = Record(Message(event, "event"))
            for summary in record.each(5):
                for value in Record(summary).each(1):
                    one = Record(value)
                    kind = next(number for number in (2, 4, 5, 6, 8) if number in one.found)
                    found.append((one.text(1), record.number(2), kind))
    return found


SCALAR, IMAGE, HISTOGRAM, AUDIO, TENSOR = 2, 4, 5, 6, 8


def test_each_kind_is_written(tmp_path):
    writer = summaries.create_file_writer(str(tmp_path))
    with writer.as_default(step=1):
        assert summaries.scalar("loss", 0.5)
        summaries.histogram("weights", np.arange(5.0), step=2)
        summaries.image("pictures", np.zeros((2, 4, 5, 3), "float32"))
        summaries.image("grey", np.zeros((1, 4, 5, 1), "uint8"))
        summaries.text("words", ["a", "b"], step=np.int64(3))
        summaries.audio("sounds", np.zeros((1, 8, 1), "float32"), sample_rate=8000)
        with summaries.record_if(False):
            summaries.scalar("loss", 9.0)
            assert not summaries.should_record_summaries()
    assert not summaries.scalar("loss", 0.5, step=3)  # no writer
    assert values_in(tmp_path) == [
        ("loss", 1, SCALAR), ("weights", 2, HISTOGRAM), ("pictures/image/0", 1, IMAGE), ("pictures/image/1", 1, IMAGE),
        ("grey", 1, IMAGE), ("words", 3, TENSOR), ("sounds", 1, AUDIO),
    ]  # fmt: skip


def test_a_compiled_function_writes_when_it_runs(tmp_path):
    steps = Variable(0)

    @function
    def step(x):
        steps.assign_add(1)
        summaries.scalar("sum", (x * 2).sum(), step=steps)
        return x

    with summaries.create_file_writer(tmp_path).as_default():
        for _ in range(3):
            step(np.ones(2, "float32")).block_until_ready()
    assert values_in(tmp_path) == [("sum", 1, SCALAR), ("sum", 2, SCALAR), ("sum", 3, SCALAR)]


def test_a_step_is_needed(tmp_path):
    with summaries.create_file_writer(tmp_path).as_default():
        with pytest.raises(ValueError, match=r"No step for the summary 'loss': pass step="):
            summaries.scalar("loss", 1.0)
        summaries.set_step(7)
        summaries.scalar("loss", 1.0)
        summaries.set_step(None)
    assert values_in(tmp_path) == [("loss", 7, SCALAR)]
