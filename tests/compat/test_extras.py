import numpy as np
import pytest

from cornu.compat import extras


def test_count_params_counts_a_shared_array_once():
    array = np.zeros((3, 4))
    assert extras.count_params([array, np.zeros(4), array]) == 16


def test_multi_gpu_model_is_the_model():
    model = object()
    assert extras.multi_gpu_model(model, gpus=2) is model


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_lengths_are_those_of_real_convolutions(real_keras, padding, stride, dilation):
    if stride > 1 and dilation > 1:
        return
    shape = real_keras.layers.Conv1D(1, 3, stride, padding, dilation_rate=dilation).compute_output_shape((1, 11, 1))
    assert extras.conv_output_length(11, 3, padding, stride, dilation) == shape[1]
    if dilation == 1:
        shape = real_keras.layers.Conv1DTranspose(1, 3, stride, padding).compute_output_shape((1, 11, 1))
        assert extras.deconv_length(11, stride, 3, padding) == shape[1]


def test_unknown_lengths_stay_unknown_and_other_paddings_are_refused():
    assert extras.conv_output_length(None, 3, "same", 1) is extras.deconv_length(None, 1, 3, "same") is None
    for function in (extras.conv_output_length, extras.deconv_length):
        with pytest.raises(ValueError, match=r"padding must be .* 'some'"):
            function(3, 1, padding="some", stride=1) if function is extras.conv_output_length else function(
                3, 1, 1, "some"
            )


def test_normalize_tuple():
    assert extras.normalize_tuple(2, 3, "strides") == (2, 2, 2)
    assert extras.normalize_tuple([1, 2], 2, "strides") == (1, 2)
    with pytest.raises(ValueError, match="strides must be an integer or 2 of them"):
        extras.normalize_tuple((1, 2, 3), 2, "strides")


def test_classes_of_probabilities():
    assert extras.probas_to_classes(np.array([[0.1, 0.9], [0.8, 0.2]])).tolist() == [1, 0]
    assert extras.probas_to_classes(np.array([[0.1], [0.8]])).tolist() == [0, 1]


def test_lists():
    assert extras.to_list(3) == [3]
    assert extras.to_list((1, 2), allow_tuple=True) == [1, 2]
    assert extras.unpack_singleton([5]) == 5
    assert extras.unpack_singleton([5, 6]) == [5, 6]
