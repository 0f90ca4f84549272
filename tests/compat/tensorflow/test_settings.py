"""Settings that have no meaning here, devices, and what is left of sessions."""

import numpy as np
import pytest

from cornu.compat.backend import functions as K  # noqa: N812
from cornu.compat.tensorflow import distribute, settings
from cornu.compat.tensorflow.function import function
from cornu.core.graph import SymbolicTensor


def test_sessions_give_values():
    variable = K.variable([1.0, 2.0])
    with settings.Session(config=settings.ConfigProto(allow_soft_placement=True)) as session:
        assert session.run(settings.global_variables_initializer()) is None
        assert session.run(variable).tolist() == [1, 2]
        found = session.run({"a": [variable, variable * 2]})
        assert found["a"][1].tolist() == [2, 4]
        assert isinstance(session.run(K.sum(variable)), np.floating)
        with pytest.raises(NotImplementedError, match=r"no TensorFlow graphs\.\nUse model\.predict"):
            session.run(SymbolicTensor((2,), "float32"))
    with pytest.raises(NotImplementedError, match=r"(?s)placeholder is a part of TensorFlow 1's graphs.*keras.Input"):
        settings.placeholder("float32", [None, 3])
    with pytest.raises(RuntimeError, match=r"Use tf\.GradientTape"):
        settings.gradients(1, 2)


def test_devices_have_tensorflows_names():
    cpu = settings.list_physical_devices("CPU")
    assert [(one.name, one.device_type) for one in cpu[:1]] == [("/physical_device:CPU:0", "CPU")]
    assert settings.list_logical_devices("cpu")[0].name == "/device:CPU:0"
    assert settings.get_device_details(cpu[0]) == {}
    assert set(settings.get_memory_info("GPU:0")) == {"current", "peak"}
    assert settings.list_local_devices()[0].device_type in ("CPU", "GPU")


def test_questions_about_compiled_functions():
    inside = []
    function(lambda: inside.append((settings.executing_eagerly(), settings.inside_function())))()
    assert set(inside) == {(False, True)}
    assert (settings.executing_eagerly(), settings.inside_function()) == (True, False)


def test_a_strategy_runs_everything_once():
    strategy = distribute.MirroredStrategy(["GPU:0", "GPU:1"])
    assert not distribute.has_strategy()
    with strategy.scope():
        assert distribute.get_strategy() is strategy
        assert distribute.has_strategy()
        assert distribute.get_replica_context() is None
    found = strategy.run(lambda x, y: x + y, args=(np.ones(2),), kwargs={"y": 1})
    assert found.tolist() == [2, 2]
    assert float(strategy.reduce(distribute.ReduceOp.MEAN, np.array([1.0, 3.0]), axis=0)) == 2
    assert float(strategy.reduce("SUM", np.array([1.0, 3.0]), axis=0)) == 4
    assert strategy.reduce("SUM", 5, axis=None) == 5
    assert strategy.experimental_local_results(3) == (3,)
    sizes = strategy.distribute_datasets_from_function(lambda context: context.get_per_replica_batch_size(8))
    assert sizes == 8
    assert distribute.get_replica_context().all_reduce("SUM", 4) == 4
