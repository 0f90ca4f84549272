"""The ONNX file of a model."""

from typing import Any

import onnx
from onnx import helper

from cornu.core.atomic_files import replacing
from cornu.core.placement import on_host
from cornu.export.onnx import (  # noqa: F401 (they fill the tables)
    control,
    elementwise,
    indexing,
    products,
    recurrent,
    reductions,
    shapes,
)
from cornu.export.onnx.graph import Graph, inputs_of, value_info, without_unused
from cornu.export.onnx.translator import NoFormError, Translator, Value, known
from cornu.export.program import Program, program_of

OLDEST, USUAL = 18, 18
MOST_BYTES = (1 << 31) - 1  # the limit of a protobuf file


def write_onnx(filepath: Any, model: Any, input_signature: Any = None, opset_version: int | None = None) -> None:
    """Write a model's prediction as an ONNX file.

    Inputs and outputs have the model's names, weights those of their variables. Raises ValueError for an operation
    without an ONNX form (with the layer's name), for a file larger than 2 GB, and for an unknown opset.
    """
    opset = _opset(opset_version)
    content = onnx_model(program_of(model, input_signature), opset)
    if content.ByteSize() > MOST_BYTES:
        raise ValueError(
            f"The model {model.name!r} would have {content.ByteSize():,} bytes as ONNX; the limit is "
            f"{MOST_BYTES:,}. Export it to 'stablehlo'."
        )
    with replacing(filepath) as temporary:
        temporary.write_bytes(content.SerializeToString())


def _opset(version: int | None) -> int:
    newest = onnx.defs.onnx_opset_version()
    if version is None:
        return USUAL
    if not isinstance(version, int) or not OLDEST <= version <= newest:
        raise ValueError(f"opset_version is {version!r}; Cornu writes {OLDEST} to {newest} ({USUAL} by default).")
    return version


def onnx_model(program: Program, opset: int = USUAL) -> onnx.ModelProto:
    """Return a traced model in ONNX's form."""
    symbols: dict[str, tuple[str, int]] = {}
    names = [argument.name for argument in program.inputs]
    for name, struct in zip(names, program.structs, strict=True):
        for axis, size in enumerate(struct.shape):
            if not isinstance(size, int):
                symbols.setdefault(str(size), (name, axis))
    graph = Graph(symbols)
    graph.names.given.update(names)
    inputs = [Value(s.shape, s.dtype, name) for name, s in zip(names, program.structs, strict=True)]
    weights = [known(on_host(variable._value), hint=variable.path) for variable in program.variables]
    translator = Translator(graph)
    try:
        results = translator.run(program.closed, [*weights, *inputs])
    except NoFormError as error:
        raise ValueError(_words(program, error)) from None
    outputs = []
    for name, value in zip(program.output_names, results, strict=True):
        own = graph.names.fresh(name)
        graph.nodes.append(helper.make_node("Identity", [translator.full(value)], [own], name=f"output {own}"))
        outputs.append(value_info(own, value.dtype, value.shape))
    infos = [value_info(name, s.dtype, s.shape) for name, s in zip(names, program.structs, strict=True)]
    nodes = without_unused(graph.nodes, [output.name for output in outputs])
    used = set().union(*map(inputs_of, nodes))
    constants = [constant for constant in graph.names.constants if constant.name in used]
    content = helper.make_graph(nodes, program.model_name, infos, outputs, constants)
    versions = [helper.make_operatorsetid("", opset)]
    return helper.make_model(
        content, opset_imports=versions, producer_name="cornu", ir_version=helper.find_min_ir_version_for(versions)
    )


def _words(program: Program, error: NoFormError) -> str:
    where = f"Layer {error.layer!r} of the model" if error.layer else "The model"
    return (
        f"{where} {program.model_name!r} needs {error}. Export to 'stablehlo' instead, which has every operation, or "
        "compute it in another way."
    )
