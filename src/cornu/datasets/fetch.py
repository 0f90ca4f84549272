"""The only place that downloads files: once, verified, and cached where Keras caches them."""

import hashlib
import ipaddress
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from cornu.core.atomic_files import replacing
from cornu.core.errors import one_line
from cornu.core.settings import keras_home

KERAS_FILES = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
LENGTHS = {64: "sha256", 32: "md5"}
#: IPv6 networks whose last 32 bits are an IPv4 address: NAT64 (RFC 6052), and the deprecated IPv4-compatible form.
WITH_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))

Opener = Callable[..., Any]  # `open`, `gzip.open`


def fetch(*names: str, origin: str, digest: str | None, subfolder: str = "datasets", opener: Opener = open) -> Path:
    """Return the path of a file with known content, downloading it if it is not on this machine.

    Args:
        names: File names that it may have in the cache folder; a download gets the first.
        origin: URL to download from.
        digest: SHA-256 or MD5 of the content, in hexadecimal; None if it is not known.
        subfolder: Folder inside ``~/.keras`` (or ``$KERAS_HOME``), or an absolute path.
        opener: How to open the file to verify it; `gzip.open` verifies the decompressed content.

    Raises:
        ConnectionError: The file cannot be downloaded; the message says where to put it by hand.
        ValueError: The download does not have the expected content.
    """
    folder = cache_folder(None, subfolder)
    for name in names:
        found = folder / name
        if found.is_file():
            if digest is None or has_digest(found, digest, opener=opener):
                return found
            print(f"{found} does not have the expected content (digest {digest}): downloading it again.")
    return download(origin, folder / names[0], digest, opener=opener)


def cache_folder(home: str | os.PathLike | None, subfolder: str = "datasets") -> Path:
    """Return `subfolder` of `home` (None: ``$KERAS_HOME`` or ``~/.keras``), creating it if necessary.

    If `home` is not writable, a folder of the system's temporary folder is used, as in Keras.
    """
    base = Path(home).expanduser() if home is not None else keras_home()
    try:
        (base / subfolder).mkdir(parents=True, exist_ok=True)
        writable = os.access(base / subfolder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        base = Path(tempfile.gettempdir()) / ".keras"
        (base / subfolder).mkdir(parents=True, exist_ok=True)
    return base / subfolder


def has_digest(path: Path, digest: str, algorithm: str = "auto", opener: Opener = open) -> bool:
    """Return whether the content of `path` has `digest`; ``"auto"`` distinguishes SHA-256 from MD5 by length."""
    if algorithm == "auto":
        algorithm = LENGTHS.get(len(digest), "md5")
    if algorithm not in LENGTHS.values():
        raise ValueError(f"hash_algorithm must be 'auto', 'sha256' or 'md5'; got {algorithm!r}.")
    try:
        with opener(path, "rb") as content:
            return hashlib.file_digest(content, algorithm).hexdigest() == digest.lower()
    except (OSError, EOFError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        return False  # a damaged gzip file


def download(
    origin: str, target: Path, digest: str | None = None, algorithm: str = "auto", opener: Opener = open
) -> Path:
    """Download `origin` to `target`. The file appears there only when it is complete and has `digest`."""
    print(f"Downloading data from {origin}")
    with replacing(target, own=True) as partial:
        _retrieve(origin, partial, target)
        if digest is not None and not has_digest(partial, digest, algorithm, opener):
            raise ValueError(
                f"The file from {origin} is incomplete or not the right one: its digest is not {digest}. "
                f"Nothing was kept; try again, or put the right file at {target}."
            )
    return target


def _retrieve(origin: str, partial: Path, target: Path) -> None:
    parts = urlsplit(origin)
    if parts.scheme == "file":
        shutil.copyfile(_local_path(parts.path), partial)
        return
    import pooch  # takes 0.1 s to import: only for programs that download

    downloaders = {"http": pooch.HTTPDownloader, "https": pooch.HTTPDownloader, "ftp": pooch.FTPDownloader}
    if parts.scheme not in downloaders:
        raise ValueError(f"Cannot download {origin!r}: the URL must begin with http, https, ftp or file.")
    watched = {} if parts.scheme == "ftp" else {"hooks": {"response": _Watch(origin)}}
    try:
        downloaders[parts.scheme](timeout=30, **watched)(origin, str(partial), None)
    except OSError as error:  # includes the errors of requests
        raise ConnectionError(
            f"Could not download {target.name} from {origin} ({one_line(_reason(error))}). "
            f"Without a network, get the file elsewhere and put it into {target.parent} as {target.name}."
        ) from error


class _Watch:
    """Raises ValueError if a download from the internet reaches an address of this machine or its network.

    It looks at where servers redirect to, and at the address that each answer came from: a name may resolve differently
    the second time.
    """

    def __init__(self, origin: str) -> None:
        self.outside = not is_private(origin)

    def __call__(self, response: Any, **_: Any) -> None:
        if not self.outside:
            return
        if response.is_redirect:
            target = urljoin(response.url, response.headers["location"])
            if is_private(target):
                raise _inside(f"{response.url} redirects to {target}")
        peer = None if _has_proxy(response.url) else _peer(response)
        if peer and _is_inside(peer):
            raise _inside(f"The answer for {response.url} came from {peer}")


def _inside(what: str) -> ValueError:
    return ValueError(
        f"{one_line(what)}, an address inside this network: refused. If this is intended, pass that address as the "
        "origin."
    )


def _has_proxy(url: str) -> bool:
    from requests.utils import get_environ_proxies, select_proxy  # loaded by pooch

    return select_proxy(url, get_environ_proxies(url)) is not None


def _peer(response: Any) -> str | None:
    """Return the address that an answer comes from, if its connection is still open."""
    try:
        connection = socket.socket(fileno=response.raw.fileno())
    except (OSError, ValueError):
        return None
    try:
        return str(connection.getpeername()[0])
    except OSError:
        return None
    finally:
        connection.detach()


def is_private(url: str) -> bool:
    """Return whether a URL's host is not on the internet: this machine, its network, or a cloud's internal services.

    >>> is_private("http://169.254.169.254/latest"), is_private("https://8.8.8.8/data.bin")
    (True, False)
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:  # behind a proxy, only the proxy can resolve names
        return host == "localhost" or host.endswith(".localhost")
    return any(map(_is_inside, found))


def _is_inside(address: str) -> bool:
    """Return whether an IP address, or the IPv4 address inside an IPv6 address, is not on the internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        teredo = found.teredo[1] if found.teredo else None
        embedded = found.ipv4_mapped or found.sixtofour or teredo
        if any(found in network for network in WITH_IPV4):
            embedded = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if embedded is not None:
            return not embedded.is_global
    return not found.is_global


def _local_path(path: str) -> str:
    from urllib.request import url2pathname

    return url2pathname(path)


def _reason(error: OSError) -> str:
    """Return the last and plainest part of an error that wraps others."""
    return re.sub(r"^.*\[Errno -?\d+\]\s*|['\")]+$", "", str(error), flags=re.DOTALL)[:200] or type(error).__name__
