"""The peers: the alternatives to Cornu that a user might pick."""

from typing import NamedTuple


class Peer(NamedTuple):
    """A peer, the word that its worker is started with, and the environment variables that it needs."""

    name: str
    title: str
    kind: str
    variables: tuple[tuple[str, str], ...] = ()
    python: str = ""  # command name of the Python that it needs, if not this one
    speaks_keras: bool = True


_ALL = [
    Peer("cornu", "Cornu", "cornu"),
    Peer("keras-tensorflow", "Keras on TensorFlow", "keras", (("KERAS_BACKEND", "tensorflow"),)),
    Peer("keras-jax", "Keras on JAX", "keras", (("KERAS_BACKEND", "jax"),)),
    Peer("keras-torch", "Keras on PyTorch", "keras", (("KERAS_BACKEND", "torch"),)),
    Peer("torch", "PyTorch loop", "torch", speaks_keras=False),
    Peer("jax", "JAX loop", "jax", speaks_keras=False),
    Peer("keras2", "Keras 2.2.4 on TensorFlow 1.15", "keras", (("TF_CPP_MIN_LOG_LEVEL", "3"),), "python3.7"),
]
PEERS = {peer.name: peer for peer in _ALL}
