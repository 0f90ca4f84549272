"""The HTML pages. Everything that they load is packaged with them, so they work offline."""

from html import escape
from importlib import resources
from typing import Any

import numpy as np
import orjson
from starlette.responses import Response

from cornu.serve.access import POLICY
from cornu.serve.digits import DigitReader
from cornu.serve.limits import RequestError
from cornu.serve.pictures import PictureReader
from cornu.serve.served_model import ServedModel
from cornu.serve.tensors import Tensor

_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_FILES = {
    file.name: file.read_bytes()
    for file in resources.files("cornu.serve").joinpath("static").iterdir()
    if file.name.endswith((*_TYPES, "html"))
}
#: Pages load and contact nothing but this server, and no other page may frame them.
_HEADERS = {
    "content-security-policy": f"{POLICY}; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
_TEXT = "your text"
_LONGEST_EXAMPLE = 120
_MOST_NAMES = 12


def static(name: str) -> Response:
    """Return a script, style sheet or drawing for the pages."""
    ending = name.rpartition(".")[2]
    if name not in _FILES or ending not in _TYPES:
        raise RequestError(404, f"There is no file {name[:80]!r}.")
    return Response(_FILES[name], headers=_HEADERS, media_type=_TYPES[ending])


def index(models: list[tuple[str, DigitReader | PictureReader | None]]) -> Response:
    """Return the list of several models."""
    rows = [
        f'<li><a href="/models/{escape(name)}"><b>{escape(name)}</b></a> {_purpose(reader)}</li>'
        for name, reader in models
    ]
    return _page("index.html", {"models": "\n".join(rows)})


def _purpose(reader: DigitReader | PictureReader | None) -> str:
    if reader is None:
        return "its inputs and outputs, and a form to try it"
    return "draw a digit" if isinstance(reader, DigitReader) else "name a picture"


def of_model(served: ServedModel, reader: DigitReader | PictureReader | None) -> Response:
    """Return the page to draw a digit on or to name a picture; for other models, the page that describes them."""
    if isinstance(reader, DigitReader):
        return _page("draw.html", name=served.name, accuracy=f"{reader.accuracy:.0%}", form=reader.form)
    if isinstance(reader, PictureReader):
        shown = ", ".join(reader.names[:_MOST_NAMES]) + (", …" if len(reader.names) > _MOST_NAMES else "")
        size = f"{reader.width} × {reader.height}"
        return _page("picture.html", name=served.name, count=str(len(reader.names)), classes=shown, size=size)
    return model(served)


def model(served: ServedModel) -> Response:
    """Return the page that describes a model's inputs and outputs, with an example."""
    return _page(
        "model.html",
        {"inputs": _rows(served.inputs), "outputs": _rows(served.outputs)},
        name=served.name,
        example=_example(served),
        short=_shortened(_example(served)),
        python=_in_python(served),
    )


def documentation() -> Response:
    """Return the page that shows the OpenAPI document."""
    return _page("docs.html")


def _page(file: str, parts: dict[str, str] | None = None, **texts: str) -> Response:
    """Return a page with `texts` inserted as text, and `parts` as HTML."""
    page = _FILES[file].decode()
    for key, part in {**{key: escape(text) for key, text in texts.items()}, **(parts or {})}.items():
        page = page.replace("{{" + key + "}}", part)
    return Response(page, headers=_HEADERS, media_type="text/html")


def _rows(tensors: list[Tensor]) -> str:
    return "".join(
        f"<tr><td><code>{escape(tensor.name)}</code></td><td>{tensor.datatype}</td>"
        f"<td>{' × '.join(['rows', *('any' if size is None else str(size) for size in tensor.shape)])}</td></tr>"
        for tensor in tensors
    )


def _row(served: ServedModel) -> Any:
    """Return a request with one row of zeros, or of a text, for a model, as in TensorFlow Serving."""
    rows = {
        tensor.name: np.full([size or 1 for size in tensor.shape], _TEXT if tensor.dtype == "object" else 0).tolist()
        for tensor in served.inputs
    }
    return rows if len(rows) > 1 else next(iter(rows.values()))


def _example(served: ServedModel) -> str:
    return orjson.dumps({"instances": [_row(served)]}).decode()


def _shortened(text: str) -> str:
    """Return an example short enough to read its shape."""
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[:_LONGEST_EXAMPLE]} ..."


def _in_python(served: ServedModel) -> str:
    """Return a program that requests one row from the model by the Open Inference Protocol."""
    lines = ["import json, urllib.request", "import numpy as np", ""]
    inputs = []
    for number, tensor in enumerate(served.inputs):
        shape = (1, *(size or 1 for size in tensor.shape))
        rows = f"full({shape}, {_TEXT!r})" if tensor.dtype == "object" else f"zeros({shape}, {tensor.dtype!r})"
        lines.append(f"x{number} = np.{rows}  # {tensor.name}: your rows")
        described = f'"name": {tensor.name!r}, "shape": x{number}.shape, "datatype": "{tensor.datatype}"'
        inputs.append(f'    {{{described}, "data": x{number}.ravel().tolist()}},')
    address = f'"HERE/v2/models/{served.name}/infer"'
    ask = ["inputs = [", *inputs, "]", 'body = json.dumps({"inputs": inputs}).encode()']
    ask.append(f"answer = json.load(urllib.request.urlopen({address}, body))")
    ask.append('print(answer["outputs"])')
    return "\n".join([*lines, *ask])
