import numpy as np
import pytest

from cornu.layers import Dense
from cornu.layers.window_arguments import channel_axis, padding_word, per_dimension, sides, space_axes

LAYER = Dense(1)


@pytest.mark.parametrize("value", [2, (2, 2), [2, 2], np.int64(2), np.array([2, 2])])
def test_one_number_or_one_per_dimension(value):
    assert per_dimension(LAYER, "strides", value, 2) == (2, 2)


@pytest.mark.parametrize("value", [0, (1, 0), (1, 2, 3), 1.5, "3", (True, 1), None])
def test_other_things_are_refused_by_name(value):
    with pytest.raises(ValueError, match="Dense: `strides` must be an integer of at least 1, or 2 of them"):
        per_dimension(LAYER, "strides", value, 2)


@pytest.mark.parametrize(
    ("value", "expected"), [(1, ((1, 1), (1, 1))), ((1, 2), ((1, 1), (2, 2))), (((1, 0), 2), ((1, 0), (2, 2)))]
)
def test_sides_are_pairs(value, expected):
    assert sides(LAYER, "padding", value, 2) == expected


def test_padding_words_may_be_written_in_capitals():
    assert padding_word(LAYER, "SAME") == "same"


def test_axes_of_space_and_channels():
    assert (space_axes("channels_last", 2), channel_axis("channels_last")) == ((1, 2), -1)
    assert (space_axes("channels_first", 2), channel_axis("channels_first")) == ((2, 3), 1)
