"""Steps on several devices: the same step, with the layouts of its state and its batch.

The compiler splits the program along the batch and adds what the devices have to tell each other. So sums over the
batch are over all of it (losses, metrics, the statistics of BatchNormalization), random numbers are those of one
device, and a batch may have any number of rows.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec, Sharding

from cornu.core import processes
from cornu.core.distribution import DataParallel, Distribution
from cornu.core.donation import exchange
from cornu.core.placement import constrained, is_even, laid_out, on_host, to_device
from cornu.core.scope import get_mask, set_mask
from cornu.core.variable import Variable
from cornu.data.batch import Batch
from cornu.kernels.compiler import Split
from cornu.training.state import TrainState


class Placement:
    """Where the arrays of a learner's programs are.

    Args:
        distribution: What says so.
    """

    def __init__(self, distribution: Distribution) -> None:
        self.distribution = distribution
        mesh = distribution.device_mesh.backend_mesh
        self.whole = NamedSharding(mesh, PartitionSpec())
        self._of_variables: dict[int, tuple[Variable, Sharding]] = {}
        self.spans_processes = not self.whole.is_fully_addressable
        axis = distribution.batch_dim_name
        self.split = Split(mesh, axis if mesh.shape.get(axis) == mesh.size else None)
        self._of_rows = functools.cache(self._found_for_rows)

    # ---- variables

    def of(self, variable: Variable) -> Sharding:
        """Return the sharding of a variable."""
        found = self._of_variables.get(id(variable))
        if found is None:
            found = variable, layout_of(self.distribution, variable)
            self._of_variables[id(variable)] = found
        return found[1]

    def settle(self, variables: Sequence[Variable]) -> None:
        """Lay out the arrays of variables whose step this is, or that no step has."""
        if self.spans_processes:
            self._begin_alike(variables)
        for variable in variables:
            array = variable._held
            sharding = self.of(variable)
            if array.sharding is not sharding and array.sharding != sharding:
                with exchange:
                    if variable._held is array:
                        variable._held = laid_out(array, sharding)

    def _begin_alike(self, variables: Sequence[Variable]) -> None:
        """Let new variables begin with the first process's values: a program's own draws may differ."""
        new = [one for one in variables if id(one) not in self._of_variables and one._held.is_fully_addressable]
        group = processes.group()
        if not new or group is None:
            return
        arrays = [np.asarray(one._held) for one in new]
        data = group.from_first(b"".join(map(np.ndarray.tobytes, arrays))) or b""
        place = 0
        for variable, array in zip(new, arrays, strict=True):
            part = np.frombuffer(data, array.dtype, array.size, place).reshape(array.shape)
            place += array.nbytes
            with exchange:
                variable._held = to_device(part, copy=True)

    def kept(self, variables: Sequence[Variable], values: Sequence[Any]) -> tuple:
        """Return the new values of variables inside a program, laid out as the variables are."""
        return tuple(constrained(value, self.of(one)) for one, value in zip(variables, values, strict=True))

    # ---- batches

    def _found_for_rows(self, shape: tuple[int, ...]) -> Sharding:
        return self.distribution.get_data_layout(shape).backend_layout if shape else self.whole

    def on_devices(self, array: Any) -> Any:
        """Return an array of a batch: each device has its rows, or all of them if they cannot be split evenly.

        An array of numpy may be read where it is.
        """
        sharding = self._of_rows(tuple(np.shape(array)))
        return laid_out(array, sharding if is_even(np.shape(array), sharding) else self.whole)

    def copied(self, array: Any, own_rows: bool = False) -> Any:
        """Return an array as `on_devices` does; what its owner writes to it later changes nothing.

        With `own_rows`, or ``auto_shard_dataset=False``, each of several processes gives its own rows, all as many.
        """
        given = array if isinstance(array, jax.Array) else np.array(array)
        own_rows = own_rows or not self.distribution.auto_shard_dataset
        if own_rows and self.spans_processes and np.ndim(given):
            return self._with_others(given)
        return self.on_devices(given)

    def _with_others(self, rows: Any) -> Any:
        """Return the rows of all processes as one array, which takes no word between them."""
        sharding: Any = self._of_rows(tuple(rows.shape))
        if rows.shape[0] % sharding.mesh.local_mesh.shape[self.distribution.batch_dim_name]:
            sharding = self._by_process
        return jax.make_array_from_process_local_data(sharding, on_host(rows))

    @property
    def part(self) -> tuple[int, int] | None:
        """Which part of a batch's rows this process computes, of how many; None if the rows are not split so."""
        group = processes.group() if self.spans_processes else None
        if group is None or self.split.axis is None:
            return None
        numbers = [device.process_index for device in self.whole.mesh.devices.flat]
        return (group.index, group.count) if numbers == sorted(numbers) else None

    @functools.cached_property
    def _by_process(self) -> Sharding:
        """Each device has all rows of its process, for those that cannot be split evenly: a program splits them."""
        mesh = self.whole.mesh
        if self.split.axis is None:
            raise ValueError(
                f"The batch's axis of {mesh} does not divide the rows that each process gives. "
                "Choose a batch size that it divides, or leave out the last batch."
            )
        devices = mesh.devices.reshape(processes.count(), -1)
        return NamedSharding(Mesh(devices, ("process", "device")), PartitionSpec("process"))

    def order(self, array: np.ndarray) -> jax.Array:
        """Return the order of an epoch's rows, on all devices: the first process's."""
        group = processes.group() if self.spans_processes else None
        if group is not None:
            array = np.frombuffer(group.from_first(array.tobytes()) or b"", array.dtype)
        return self.everywhere(to_device(array))

    def everywhere(self, array: Any) -> jax.Array:
        """Return an array that each device has as a whole."""
        return laid_out(array, self.whole)

    def _rows(self, batch: Batch) -> Batch:
        """Return a batch inside a program, its rows split over the devices.

        Rows that do not divide evenly are split as well, if the mesh splits nothing else: on meshes with two axes, XLA
        (jaxlib 0.12) then computes wrong gradients, so each device computes all rows of such a batch.
        """

        def split(array: Any) -> Any:
            sharding = self._of_rows(array.shape)
            is_safe = self.split.axis is not None or is_even(array.shape, sharding)
            return constrained(array, sharding if is_safe else self.whole)

        return jax.tree.map(split, batch._replace(lengths=None))._replace(lengths=batch.lengths)

    @functools.cached_property
    def lay_out(self) -> Callable[[str, Any], Any] | None:
        """Lays out the outputs of a layer, by their path, inside a program; None where nothing says how."""
        found = self.distribution.get_tensor_layout
        return None if getattr(found, "__func__", None) is DataParallel.get_tensor_layout else self._laid_out_by_path

    def _laid_out_by_path(self, path: str, outputs: Any) -> Any:
        layout: Any = self.distribution.get_tensor_layout(path)
        if layout is None:
            return outputs
        sharding = getattr(layout, "backend_layout", layout)

        def laid(output: Any) -> Any:
            found = constrained(output, sharding)
            set_mask(found, get_mask(output))
            return found

        return jax.tree.map(laid, outputs)

    # ---- steps

    def results(self, found: Any) -> Any:
        """Return results of a program, which each device has as a whole: the host reads them."""
        return jax.tree.map(lambda one: constrained(one, self.whole), found)

    def training(self, step: Callable, learner: Any) -> Callable:
        """Return a step of training or evaluation that keeps the layouts."""

        def placed(state: TrainState, batch: Batch) -> tuple[TrainState, dict]:
            after, logs = step(state, self._rows(batch))
            slots = learner.slots if after.slots else ()
            groups = learner.params, learner.others, slots, learner.totals
            kept = TrainState(*(self.kept(*pair) for pair in zip(groups, after, strict=True)))
            return kept, self.results(logs)

        return placed

    def predicting(self, step: Callable, learner: Any) -> Callable:
        """Return a step of prediction that keeps the layouts."""

        def placed(state: TrainState, batch: Batch) -> tuple[Any, dict]:
            outputs, changes = step(state, self._rows(batch))
            return self.results(outputs), {
                at: constrained(one, self.of(learner.others[at])) for at, one in changes.items()
            }

        return placed


def gather(variables: Sequence[Variable]) -> None:
    """Put variables that were on several devices on one."""
    with exchange:
        for variable in variables:
            if len(variable._held.sharding.device_set) > 1:
                variable._held = to_device(on_host(variable._held), copy=True)


def layout_of(distribution: Distribution, variable: Variable) -> Sharding:
    """Return the sharding of a variable: that of the weight whose slot it is, if they have one shape.

    Raises ValueError if the axes do not divide evenly.
    """
    like = variable.like
    of = variable if like is None or like.shape != variable.shape else like
    layout = distribution.get_variable_layout(of)
    found: Any = getattr(layout, "backend_layout", layout)
    if not is_even(variable.shape, found):
        raise ValueError(
            f"The variable {variable.path!r} of shape {variable.shape} cannot be split evenly as {layout} says.\n"
            "Choose another axis, or another mesh."
        )
    return found
