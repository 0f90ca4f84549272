"""The graph of a functional model as plain data, in Keras 3's form. Keras 1's and 2's forms can be read too."""

from collections import deque
from collections.abc import Container
from typing import Any, NamedTuple

from cornu.core import budget, registry, spellings
from cornu.core.graph import FunctionOperation, SymbolicTensor, leaves, replace, symbolic_leaves
from cornu.core.layer import Layer
from cornu.core.serialization import deserialize, serialize, serialize_object
from cornu.models.operations import KerasOperation, described, form_of, is_operation
from cornu.training.objective import free_name

#: Written instead of a layer's name by tf.keras 2.4 to 2.15 if the first argument of a function is a plain value.
CONSTANT = "_CONSTANT_VALUE"
KERAS_VERSION = "3.15.1"  # the configs follow the form of this version


class _Numbers:
    """The nodes of a network: their numbers, counting only those inside it, and the names of its operations."""

    def __init__(self, network: Any) -> None:
        inside = {id(node) for node in network.nodes} | {id(t.node) for t in network.flat_inputs if t.node is not None}
        self.written = [one for one in network.operations if isinstance(one, Layer) or form_of(one) is not None]
        self.of_nodes: dict[int, int] = {}
        for layer in self.written:
            mine = [node for node in layer._inbound_nodes if id(node) in inside]
            self.of_nodes.update({id(node): number for number, node in enumerate(mine)})
        taken = {layer.name for layer in self.written if isinstance(layer, Layer)}
        self.names: dict[int, str] = {}
        for one in self.written:
            name = self.names[id(one)] = one.name if isinstance(one, Layer) else free_name(one.name, taken)
            taken.add(name)

    def history(self, tensor: SymbolicTensor) -> list[Any]:
        """Return the key of a tensor: the name of what made it, the number of the call, and that of the output."""
        if tensor.node is None or id(tensor.node) not in self.of_nodes:
            name = "an input" if tensor.node is None else repr(tensor.node.operation.name)
            raise ValueError(
                f"The model uses {name} between its layers, an array function that is not a layer and has no config.\n"
                "Put it into a Lambda layer (or a custom layer) to write the model's architecture."
            )
        return [self.names[id(tensor.node.operation)], self.of_nodes[id(tensor.node)], tensor.index]

    def end(self, tensor: SymbolicTensor) -> list[Any]:
        """Return the key of an input or output; Keras 3 counts a functional model's calls from 1 there."""
        name, number, index = self.history(tensor)
        return [name, number + _is_functional(tensor.node.operation), index]  # type: ignore[union-attr]


def of_network(model: Layer, network: Any) -> dict[str, Any]:
    """Return the config of a functional model."""
    numbers = _Numbers(network)
    layers = [_layer_config(layer, numbers) for layer in numbers.written]
    keys = (
        [numbers.end(tensor) for tensor in network.flat_inputs],
        [numbers.end(tensor) for tensor in network.flat_outputs],
    )
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers,
        "input_layers": _like(network.inputs, keys[0]),
        "output_layers": _like(network.outputs, keys[1]),
    }


def _layer_config(layer: Layer | FunctionOperation, numbers: _Numbers) -> dict[str, Any]:
    nodes = [node for node in layer._inbound_nodes if id(node) in numbers.of_nodes and node.inputs]
    name = numbers.names[id(layer)]
    if isinstance(layer, Layer):
        calls, entry = [(node.args, node.kwargs) for node in nodes], serialize_object(layer)
    else:
        all_described = [described(layer, node) for node in nodes]
        calls, entry = [(args, kwargs) for _, args, kwargs in all_described], all_described[0][0]
        entry = entry | {"config": {"name": name} | {key: serialize(one) for key, one in entry["config"].items()}}
    return entry | {"name": name, "inbound_nodes": [_node_config(args, kwargs, numbers) for args, kwargs in calls]}


def _node_config(args: tuple, kwargs: dict[str, Any], numbers: _Numbers) -> dict[str, Any]:
    def tensor_config(tensor: SymbolicTensor) -> dict[str, Any]:
        config = {"shape": tuple(tensor.shape), "dtype": tensor.dtype, "keras_history": numbers.history(tensor)}
        return {"class_name": "__keras_tensor__", "config": config}

    args, kwargs = replace((args, kwargs), tensor_config)
    return serialize({"args": list(args), "kwargs": kwargs})


def _is_functional(layer: Any) -> bool:
    return getattr(layer, "_network", None) is not None and not hasattr(layer, "stack")


def _like(structure: Any, keys: list[list]) -> Any:
    """Return the keys of tensors in the tensors' structure: one key, a list, or a dictionary."""
    if isinstance(structure, SymbolicTensor):
        return keys[0]
    if isinstance(structure, dict):
        return dict(zip(sorted(structure), keys, strict=True))
    return tuple(keys) if isinstance(structure, tuple) else keys


def tensors(config: dict[str, Any]) -> tuple[Any, Any]:
    """Rebuild the graph of a config and return its symbolic inputs and outputs."""
    budget.step(len(config["layers"]))
    layers = {entry.get("name") or entry["config"]["name"]: _layer_of(entry) for entry in config["layers"]}
    calls = {
        entry.get("name") or entry["config"]["name"]: entry.get("inbound_nodes") or [] for entry in config["layers"]
    }
    budget.step(sum(map(len, calls.values())))
    made: dict[tuple[str, int], list[SymbolicTensor]] = {}
    for name, layer in layers.items():
        if layer._inbound_nodes and not calls[name]:
            made[name, 0] = leaves(layer._inbound_nodes[0].outputs)
    parsed = {name: [_parse_call(call, layers) for call in calls[name]] for name in layers}
    inside = {_call_of(key) for entries in parsed.values() for call in entries for key in call["keys"]}
    ends: set[tuple[str, int]] = set()
    for place in ("input_layers", "output_layers"):
        _map_keys(lambda key: ends.add(_call_of(key)), config[place])
    first = {name: _first_numbers(layer, name, calls[name], inside, ends) for name, layer in layers.items()}
    _run_calls(
        layers, made, [_Call(name, first[name][0] + n, call) for name in layers for n, call in enumerate(parsed[name])]
    )

    def find(key: Any) -> Any:
        in_calls, in_ends = first.get(key[0], (0, 0))
        return _find(made, [key[0], key[1] - in_ends + in_calls, key[2]])

    return _map_keys(find, config["input_layers"]), _map_keys(find, config["output_layers"])


def _first_numbers(layer: Layer | KerasOperation, name: str, calls: list, inside: set, ends: set) -> tuple[int, int]:
    """Return from which number a layer's calls are counted in the keys of calls, and in those of inputs and outputs.

    Keras 2 counts the calls of an inner model from 1. Keras 3 does so only for functional models, and only in the keys
    of inputs and outputs.
    """
    if getattr(layer, "_network", None) is None or not calls:
        return 0, 0
    if isinstance(calls[0], dict):
        return 0, int(_is_functional(layer) and (name, 0) not in ends)
    from_one = int((name, len(calls)) in inside | ends and (name, 0) not in inside | ends)
    return from_one, from_one


class _Call(NamedTuple):
    """One numbered call of a layer, as `_parse_call` read it."""

    layer: str
    number: int
    parsed: dict[str, Any]


def _run_calls(layers: dict[str, Layer | KerasOperation], made: dict, calls: list[_Call]) -> None:
    """Repeat the calls, each when the tensors that it needs are there; ValueError where some never are."""
    ready: deque[_Call] = deque()
    waiting: dict[tuple, list[_Call]] = {}

    def sort(call: _Call) -> None:
        missing = next((key for key in map(_call_of, call.parsed["keys"]) if key not in made), None)
        ready.append(call) if missing is None else waiting.setdefault(missing, []).append(call)

    for call in calls:
        sort(call)
    while ready:
        call = ready.popleft()
        if not call.parsed["keys"]:
            raise ValueError(f"The config calls {call.layer!r} on no tensor; each call in a graph has one at least.")
        args, kwargs = call.parsed["fill"](lambda key: _find(made, key))
        result = layers[call.layer](*args, **kwargs)
        made[call.layer, call.number] = leaves(result) if symbolic_leaves(result) else [result]  # a shape
        for other in waiting.pop((call.layer, call.number), ()):
            sort(other)
    if waiting:
        name = next(iter(waiting.values()))[0].layer
        raise ValueError(
            f"The config's graph cannot be built: layer {name!r} needs tensors that no layer returns "
            "(a missing layer, or a cycle)."
        )


def _call_of(key: Any) -> tuple[str, int]:
    """Return the layer and call number in a tensor's key; ValueError if the key is malformed."""
    plain = isinstance(key, (list, tuple)) and len(key) == 3 and isinstance(key[0], str)
    if not plain or not all(isinstance(number, int) for number in key[1:]):
        raise ValueError(f"A tensor in the config must be [layer, call, output]; got {str(key)[:80]}.")
    return key[0], key[1]


def _layer_of(entry: dict[str, Any]) -> Layer | KerasOperation:
    if is_operation(entry):
        return KerasOperation(entry)
    function = spellings.old_operation(entry)
    if function is not None:
        return function  # type: ignore[return-value]
    layer = deserialize(spellings.translate_layer(entry), table=registry.LAYERS)
    if not isinstance(layer, Layer):
        raise ValueError(f"The config names {entry.get('class_name')!r} as a layer; it is a {type(layer).__name__}.")
    return layer


def _parse_call(call: Any, layers: Container[str]) -> dict[str, Any]:
    """Read a call in Keras 3's form (a dictionary) or Keras 1's and 2's (a list of [layer, node, tensor, kwargs]).

    In Keras 2's form, tensors among the kwargs are [layer, node, tensor] as well; `layers` has the names.
    """
    if isinstance(call, dict):
        keys: list[Any] = []
        _collect_keys(call, keys)

        def fill(find: Any) -> tuple[list, dict]:
            return [_filled(arg, find) for arg in call["args"]], {
                k: _filled(v, find) for k, v in call["kwargs"].items()
            }

        return {"keys": keys, "fill": fill}
    entries = [call] if call and isinstance(call[0], str) else call
    kwargs = entries[0][3] if entries and len(entries[0]) > 3 and isinstance(entries[0][3], dict) else {}
    keys = [entry[:3] for entry in entries if entry[0] != CONSTANT]
    _collect_old_keys(kwargs, layers, keys)

    def fill_old(find: Any) -> tuple[list, dict]:
        found = [entry[2] if entry[0] == CONSTANT else find(entry[:3]) for entry in entries]
        filled = {name: _filled(_new_form(value, layers), find) for name, value in kwargs.items()}
        return [found[0] if len(found) == 1 else found], filled

    return {"keys": keys, "fill": fill_old}


def _is_old_key(value: Any, layers: Container[str]) -> bool:
    plain = isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)
    return plain and value[0] in layers and all(type(number) is int for number in value[1:])


def _collect_old_keys(value: Any, layers: Container[str], keys: list[Any]) -> None:
    if _is_old_key(value, layers):
        keys.append(value)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _collect_old_keys(item, layers, keys)


def _new_form(value: Any, layers: Container[str]) -> Any:
    """Return an argument of Keras 2's form in Keras 3's."""
    if _is_old_key(value, layers):
        return {"class_name": "__keras_tensor__", "config": {"keras_history": value}}
    if isinstance(value, list):
        return [_new_form(item, layers) for item in value]
    return {key: _new_form(item, layers) for key, item in value.items()} if isinstance(value, dict) else value


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _collect_keys(value: Any, keys: list[Any]) -> None:
    if _is_tensor(value):
        keys.append(value["config"]["keras_history"])
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            _collect_keys(item, keys)


def _filled(value: Any, find: Any) -> Any:
    if _is_tensor(value):
        return find(value["config"]["keras_history"])
    if isinstance(value, dict) and "class_name" in value:
        return deserialize(value)
    if isinstance(value, dict):
        return {key: _filled(item, find) for key, item in value.items()}
    return [_filled(item, find) for item in value] if isinstance(value, (list, tuple)) else value


def _find(made: dict, key: Any) -> SymbolicTensor:
    name, number = _call_of(key)
    index = key[2]
    if (name, number) not in made or not 0 <= index < len(made[name, number]):
        raise ValueError(
            f"The config refers to output {index} of call {number} of layer {name!r}, which does not exist."
        )
    return made[name, number][index]


def _map_keys(find: Any, keys: Any) -> Any:
    if isinstance(keys, dict):
        return {name: _map_keys(find, key) for name, key in keys.items()}
    if len(keys) == 3 and isinstance(keys[0], str):
        return find(keys)
    found = [_map_keys(find, key) for key in keys]
    return tuple(found) if isinstance(keys, tuple) else found
