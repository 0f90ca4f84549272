"""Downloads: once, checked, from this machine's own web server only."""

import gzip
import hashlib
import http.server
import stat
import threading

import pytest

from cornu.datasets import fetch as fetch_module
from cornu.datasets.fetch import cache_folder, fetch, has_digest

CONTENT = b"four score and seven"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
CLOSED_PORT = "http://127.0.0.1:9/data.bin"


@pytest.fixture
def origin(site):
    (site.folder / "data.bin").write_bytes(CONTENT)
    return f"{site.url}/data.bin"


def test_downloads_once(home, site, origin):
    for _ in range(2):
        path = fetch("data.bin", origin=origin, digest=DIGEST)
    assert path == home / "datasets" / "data.bin"
    assert path.read_bytes() == CONTENT
    assert len(site.requests) == 1


def test_others_may_read_the_cache(home, origin):
    path = fetch("data.bin", origin=origin, digest=DIGEST)
    (path.parent / "plain").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((path.parent / "plain").stat().st_mode)


@pytest.mark.parametrize("name", ["keras3_name", "keras2_name"])
def test_finds_what_keras_left_there(home, no_network, name):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / name).write_bytes(CONTENT)
    found = fetch("keras3_name", "keras2_name", origin=CLOSED_PORT, digest=hashlib.md5(CONTENT).hexdigest())
    assert found.name == name


def test_a_damaged_file_is_downloaded_anew(home, origin, capsys):
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "data.bin").write_bytes(CONTENT[:-1])
    assert fetch("data.bin", origin=origin, digest=DIGEST).read_bytes() == CONTENT
    assert "downloading it again" in capsys.readouterr().out


def test_a_file_whose_content_is_not_known_is_taken_as_it_is(home, site, origin):
    for _ in range(2):
        assert fetch("data.bin", origin=origin, digest=None).read_bytes() == CONTENT
    assert len(site.requests) == 1


def test_another_content_is_refused_and_not_kept(home, site, origin):
    (site.folder / "data.bin").write_bytes(b"something else")
    with pytest.raises(ValueError, match="incomplete or not the right one"):
        fetch("data.bin", origin=origin, digest=DIGEST)
    assert list((home / "datasets").iterdir()) == []


def test_no_network_says_which_file_goes_where(home):
    with pytest.raises(ConnectionError) as caught:
        fetch("data.bin", origin=CLOSED_PORT, digest=DIGEST)
    message = str(caught.value)
    assert f"put it into {home / 'datasets'} as data.bin" in message
    assert CLOSED_PORT in message
    assert "refused" in message
    assert list((home / "datasets").iterdir()) == []


def test_a_missing_page_says_so(home, site):
    with pytest.raises(ConnectionError, match="404"):
        fetch("data.bin", origin=f"{site.url}/elsewhere.bin", digest=DIGEST)


def test_digest_of_what_is_inside_a_gzip_file(home, site):
    (site.folder / "data.gz").write_bytes(gzip.compress(CONTENT, compresslevel=1))
    path = fetch("data.gz", origin=f"{site.url}/data.gz", digest=DIGEST, opener=gzip.open)
    assert has_digest(path, DIGEST, opener=gzip.open)
    path.write_bytes(path.read_bytes()[:-9])
    assert not has_digest(path, DIGEST, opener=gzip.open)


def test_unknown_digest_algorithm(tmp_path):
    with pytest.raises(ValueError, match=r"hash_algorithm must be .*crc"):
        has_digest(tmp_path, DIGEST, "crc")


def test_cache_falls_back_to_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "a_file").touch()
    assert cache_folder(tmp_path / "a_file", "datasets") == tmp_path / ".keras" / "datasets"


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1/x", True),
        ("http://localhost/x", True),
        ("http://10.1.2.3:8080/x", True),
        ("http://192.168.0.1/x", True),
        ("http://169.254.169.254/latest/meta-data", True),
        ("http://[::1]/x", True),
        ("http://[::ffff:127.0.0.1]/x", True),
        ("http://[fe80::1]/x", True),
        ("http://[::127.0.0.1]/x", True),
        ("http://[64:ff9b::127.0.0.1]/x", True),  # NAT64
        ("http://[2002:7f00:1::]/x", True),  # 6to4
        ("http://[2002:a01:203::1]/x", True),
        ("http://[64:ff9b::8.8.8.8]/x", False),
        ("http://[2002:808:808::1]/x", False),
        ("http://2130706433/x", True),  # 127.0.0.1 as one number
        ("https://8.8.8.8/x", False),
        ("https://[2001:4860:4860::8888]/x", False),
    ],
)
def test_addresses_inside_and_outside(url, private):
    assert fetch_module.is_private(url) == private


def test_a_server_outside_may_not_lead_inside(monkeypatch, tmp_path):
    """One on this machine stands for a server of the internet here."""
    asked = []

    class Leading(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(302 if self.path == "/data.bin" else 200)
            self.send_header("Location", "/inside.bin")
            self.end_headers()
            self.wfile.write(b"secret")

        def log_message(self, *_):
            pass

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Leading) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}/data.bin"
        monkeypatch.setattr(fetch_module, "is_private", lambda url: "inside" in url)
        monkeypatch.setattr(fetch_module, "_is_inside", lambda address: False)
        with pytest.raises(ValueError, match=r"data.bin redirects to .*/inside.bin, an address inside this network"):
            fetch_module.download(origin, tmp_path / "data.bin")
        assert asked == ["/data.bin"]
        assert not list(tmp_path.iterdir())
        monkeypatch.undo()
        assert fetch_module.download(origin, tmp_path / "data.bin").read_bytes() == b"secret"
        server.shutdown()


def test_a_name_that_resolves_differently_the_second_time(monkeypatch, tmp_path):
    """It is outside when it is checked; the connection leads to this machine."""

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}/data.bin"
        monkeypatch.setattr(fetch_module, "is_private", lambda url: False)
        with pytest.raises(ValueError, match=r"came from 127\.0\.0\.1, an address inside this network"):
            fetch_module.download(origin, tmp_path / "data.bin")
        assert not list(tmp_path.iterdir())
        server.shutdown()
