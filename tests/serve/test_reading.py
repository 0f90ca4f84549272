import json
import time

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornu.serve import reading
from cornu.serve.reading import loads

pytest.importorskip("simdjson")
LONG = [i / 7 for i in range(200)]


def plain(found):
    """Return a document with arrays as lists."""
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if isinstance(found, list):
        return [plain(value) for value in found]
    return found.tolist() if isinstance(found, np.ndarray) else found


@pytest.mark.parametrize(
    ("document", "arrays"),
    [
        ({"instances": [LONG, LONG]}, 1),
        ({"inputs": {"a": [[LONG[:100]], [LONG[100:]]], "b": LONG}, "signature_name": "x"}, 2),
        ({"inputs": [{"name": "a", "shape": [1, 200], "data": LONG}] * 3, "id": "x"}, 3),
        ({"inputs": [{"name": "a", "shape": [1, 150], "data": [-1, 2**63, 3] * 50}]}, 1),
        ({"inputs": [{"name": "a[", "shape": [1, 200], "data": LONG}]}, 0),
    ],
)
def test_numbers_are_arrays(document, arrays):
    found = loads(json.dumps(document).encode(), floats=True)
    assert plain(found) == document
    assert repr(found).count("array(") == arrays


@pytest.mark.parametrize(
    "text",
    [
        [LONG, LONG[1:]],
        [LONG, LONG[1:], [0, *LONG]],
        [[*LONG, "x"]],
        [[*LONG, True]],
        [[*LONG, None]],
        [[*LONG, [1]]],
        [[*LONG, {}]],
        [LONG, 3],
        [],
        [[]],
    ],
)
def test_other_lists_stay_lists(text):
    body = json.dumps({"instances": text, "more": "x" * 600}).encode()
    assert loads(body, floats=True) == orjson.loads(body)


@pytest.mark.parametrize("floats", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        b'{"a": %s, "a": 3}' % json.dumps(LONG).encode(),
        b'{"a": 1, "a": 3}',
        b'{"x": [{"name": "a:0", "data": [1, 2], "name": "b"}]}',
        b'{"x": [[3], {"y": {"\\"": 1, "\\"": ":"}}]}',
        b'{"a": 1, "\\u0061": 2}',
    ],
)
def test_a_key_twice_is_refused(body, floats):
    with pytest.raises(reading.DuplicateKeyError):
        loads(body, floats)
    with pytest.raises(reading.DuplicateKeyError):
        loads(memoryview(body), floats)


@given(
    st.recursive(
        st.integers() | st.text(':"\\{[a', max_size=4),
        lambda one: st.lists(one, max_size=4) | st.dictionaries(st.text(':"\\a', max_size=3), one, max_size=4),
    )
)
def test_keys_once_are_read(document):
    for floats in (True, False):
        body = json.dumps({"document": document, "more": "x" * 600}).encode()
        assert plain(loads(body, floats)) == orjson.loads(body)


def hostile(size):
    """Documents of about a number of bytes that some parsers read in quadratic time."""
    yield b"{%s}" % b",".join(b'"%d": 1' % i for i in range(size // 10))
    yield b'{"instances": [%s]}' % b",".join(b'{"%d": 1}' % i for i in range(size // 12))
    yield b'{"x": [%s1]}' % ((b"[" * 60 + b"]" * 60 + b",") * (size // 121))
    yield b'{"x": [%s1]}' % ((b"[" * 900 + b"]" * 900 + b",") * (size // 1801))
    yield b'{"x": %s}' % (b'"' + b'\\":' * (size // 3) + b'"')
    yield b'{"x": [%s]}' % b",".join([b'{"a": {"b": {}}}'] * (size // 17))


@pytest.mark.parametrize("number", range(6))
def test_the_time_is_linear(number):
    """A body four times as long takes four times as long, not sixteen: so much that a busy machine does not matter."""

    def seconds(size):
        body = list(hostile(size))[number]
        started = time.process_time()
        loads(body, floats=True)
        return time.process_time() - started

    assert min(seconds(1_600_000) for _ in range(3)) < 12 * min(seconds(400_000) for _ in range(3)) + 0.1


def test_numbers_out_of_range_are_as_orjson_has_them():
    body = b'{"a": [%d%s]}' % (10**19 * 9, b",1.5" * 200)
    assert plain(loads(body, floats=True)) == orjson.loads(body)
    for broken in (b"1e999", b"NaN", b"01", b"1.", b"- 1", b"1,,2", b"0x1"):
        with pytest.raises(orjson.JSONDecodeError):
            loads(b'{"a": [%s%s]}' % (broken, b",1.5" * 200), floats=True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=16, max_size=40))
def test_numbers_are_the_same_to_the_last_bit(numbers):
    body = json.dumps({"instances": [numbers], "more": "x" * 600}).encode()
    found = loads(body, floats=True)["instances"]
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found.view("int64"), np.array([numbers]).view("int64"))


@pytest.mark.parametrize("key", ["", "/", "a\0b", "\0", "é\n", "\ud83d\ude00", "a~1b", '"'])
def test_any_key_is_read(key):
    document = {"a": LONG, key: [LONG, LONG]}
    assert plain(loads(json.dumps(document).encode("utf-8", "surrogatepass"), floats=True)) == orjson.loads(
        json.dumps(document)
    )


def test_without_the_package_lists_are_read_as_usual(monkeypatch):
    monkeypatch.setattr(reading, "simdjson", None)
    assert loads(json.dumps({"instances": LONG}).encode(), floats=True) == {"instances": LONG}


def test_long_documents_leave_no_memory_behind():
    body = json.dumps({"instances": [[0.123456789] * 1000] * 100}).encode()
    assert len(body) > reading._LONGEST_KEPT
    assert loads(body, floats=True)["instances"].shape == (100, 1000)
    assert reading._own.reader.parser is None


def test_many_short_lists_are_read_by_orjson(monkeypatch):
    shapes = []
    monkeypatch.setattr(reading, "_shape", lambda value, found=reading._shape: shapes.append(1) or found(value))
    for item in (b"[]", b"[1]", b'{"a":[]}', b'["x"]'):
        shapes.clear()
        assert len(loads(b'{"instances":[%s]}' % b",".join([item] * 100_000), floats=True)["instances"]) == 100_000
        assert len(shapes) <= reading._MOST_CONTAINERS
