"""What a POST to one address does: run one model. Shared by the application and the fast lane."""

from types import ModuleType
from typing import Any, NamedTuple

from cornu.serve import inference_protocol, tensorflow_protocol
from cornu.serve.batching import Batcher
from cornu.serve.limits import Limits, RequestError
from cornu.serve.served_model import ServedModel

#: The routes and their protocols.
ROUTES: dict[str, ModuleType] = {
    "/v2/models/{model}/infer": inference_protocol,
    "/v2/models/{model}/versions/{version}/infer": inference_protocol,
    "/v1/models/{model}:predict": tensorflow_protocol,
    "/v1/models/{model}/versions/{version}:predict": tensorflow_protocol,
}

#: Bytes of JSON: longer requests are parsed outside the event loop. Handing over a shorter one takes too long.
LONG = 1 << 19
#: Keys of a body besides those of its rows.
OTHER_KEYS = 1000


class Computing(NamedTuple):
    """A model behind a protocol, which is a module with ``parse`` and ``answer``."""

    route: str
    protocol: ModuleType
    served: ServedModel
    batcher: Batcher
    limits: Limits

    @property
    def address(self) -> bytes:
        """The path that requests are sent to."""
        return self.route.format(model=self.served.name, version=1).encode()

    def understood(self, body: bytes, header_length: str | None) -> Any:
        """Return the parsed request; its ``arrays`` go to the batcher. `RequestError` if it does not fit the model."""
        if len(body) > LONG and is_long(body, header_length):
            self._check_keys(body)
        return self.protocol.parse(body, header_length, self.served, self.limits)

    def _check_keys(self, body: bytes) -> None:
        """Raise `RequestError` (422) if a long body has more keys than its rows can have: parsing them takes long."""
        most = self.limits.rows * len(self.served.inputs) + OTHER_KEYS
        if body.count(b":") > most:
            raise RequestError(422, f"The body has more than {most:,} keys (or colons); rows need fewer.")

    def answered(self, question: Any, outputs: list) -> tuple[bytes, int | None]:
        """Return the body of the answer, and how many of its bytes are JSON if binary data follows."""
        return self.protocol.answer(question, outputs, self.served)


def is_long(body: bytes, header_length: str | None) -> bool:
    """Return whether a request takes long to parse; binary data does not."""
    return len(body) > LONG and not (header_length and header_length.isdecimal() and len(header_length) < 6)
