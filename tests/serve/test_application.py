import json
import re
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cornu.serve import openapi
from cornu.serve.application import Service
from cornu.serve.limits import Limits
from cornu.serve.served_model import ServedModel

SMALL = Limits(body=2000, rows=3, bodies=3000)


@pytest.fixture(scope="module")
def small(two_model):
    """A server with low limits."""
    with TestClient(Service([ServedModel("two", two_model, sizes=(2,))], SMALL).application) as found:
        yield found


def columns(rows):
    return {"inputs": {"size": [[1, 2, 3]] * rows, "kind": [[0, 1]] * rows}}


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        ({"json": columns(4)}, 413, "4 rows; at most 3 are allowed"),
        ({"content": b" " * 2001}, 413, "more than 2,000 bytes"),
        ({"content": iter([b" " * 1500, b" " * 1500])}, 413, "more than 2,000 bytes"),
        ({"content": b"{}", "headers": {"content-length": "9" * 30}}, 413, "more than 2,000 bytes"),
        ({"content": b"x", "headers": {"content-encoding": "gzip"}}, 415, "'gzip'"),
        ({"content": b'{"inputs": [1], "inputs": [2]}'}, 400, "same key twice"),
        ({"content": b""}, 400, "not valid JSON"),
        ({"content": b"\xff\xfe"}, 400, "not valid JSON"),
        ({"content": b'{"inputs": NaN}'}, 400, "not valid JSON"),
        ({"content": b'{"inputs": 1e999}'}, 400, "number is infinity"),
        ({"content": b'{"inputs": ' + b"[" * 900 + b"]" * 900 + b"}"}, 422, "several inputs"),
        ({"content": b"[" * 2000}, 400, "not valid JSON"),
        ({"content": b'{"inputs": ' + b"9" * 1900 + b"}"}, 400, "not valid JSON"),
    ],
)  # fmt: skip
def test_limits_and_bad_bodies(small, request_, status, said):
    answer = small.post("/v1/models/two:predict", **request_)
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text
    assert small.post("/v1/models/two:predict", json=columns(3)).status_code == 200


def test_unknown_paths_methods_models_and_versions(client):
    for method, path, status in (
        ("GET", "/v3", 404),
        ("GET", "/v2/models/three", 404),
        ("POST", "/v2/models/three/infer", 404),
        ("POST", "/v1/models/three:predict", 404),
        ("GET", "/v2/models/two/versions/2", 404),
        ("GET", "/v2/models/two/infer", 405),
        ("DELETE", "/v2/models/two", 405),
        ("POST", "/v1/models/two:classify", 405),
        ("GET", "/static/..%2Fpages.py", 404),
        ("GET", "/static/draw.html", 404),
        ("POST", "/draw/two?width=1&height=1", 404),
    ):
        answer = client.request(method, path)
        assert answer.status_code == status, (method, path)
        assert list(answer.json()) == ["error"]
    assert "expected one of 'digits', 'two'" in client.get("/v2/models/three").json()["error"]


def test_not_ready_while_it_shuts_down(two_model):
    service = Service([ServedModel("two", two_model, sizes=(1,))])
    with TestClient(service.application) as found:
        assert found.get("/v2/health/ready").status_code == 200
        service.ready = False
        assert found.get("/v2/health/ready").status_code == 503
        assert found.get("/v2/models/two/ready").status_code == 503
        assert found.get("/v2/health/live").status_code == 200


def test_an_error_of_ours_is_said_in_the_same_form(client, service, monkeypatch):
    monkeypatch.setattr(service.metrics, "text", lambda: 1 / 0)
    answer = client.get("/metrics")
    assert answer.status_code == 500
    assert answer.json() == {"error": "Internal error: ZeroDivisionError."}


def test_metrics_are_what_prometheus_reads(client):
    client.post("/v1/models/two:predict", json=columns(2))
    client.get("/v2/models/" + "x" * 50)
    text = client.get("/metrics").text
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"\n]*",?)+\})? [-+.\de]+|', line), line
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(found['cornu_requests_total{route="/v1/models/{model}:predict",status="200"}']) >= 1
    assert float(found['cornu_requests_total{route="/v2/models/{model}",status="404"}']) >= 1
    assert found['cornu_waiting_rows{model="two"}'] == "0"
    name = 'cornu_batch_rows_bucket{model="two",le='
    buckets = [float(value) for key, value in found.items() if key.startswith(name)]
    assert buckets == sorted(buckets)
    assert buckets[-1] == float(found['cornu_batch_rows_count{model="two"}']) > 0
    assert "xxx" not in text


def test_the_document_describes_every_route_and_its_answers(client, service):
    document = client.get("/openapi.json").json()
    assert document == json.loads(json.dumps(openapi.document([entry.served for entry in service.entries.values()])))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answer = client.request(method, path.format(model="two"), content=b"{}")
            assert str(answer.status_code) in operation["responses"], (path, answer.status_code)
            content = operation["responses"][str(answer.status_code)]["content"]
            kind = answer.headers["content-type"].partition(";")[0]
            assert kind in content
            if kind == "application/json":
                name = content[kind]["schema"]["$ref"].rpartition("/")[2]
                assert set(document["components"]["schemas"][name].get("required", ())) <= set(answer.json())
    people = {"/", "/docs", "/models/{model}", "/static/{file}"}
    paths = {route.path for route in service.application.routes if "{version}" not in route.path}
    assert paths - people == set(document["paths"])


def test_a_long_request_is_parsed_outside_the_event_loop(client, service, monkeypatch):
    threads = []
    protocol = service.computing["/v1/models/{model}:predict", "two"].protocol
    parse = protocol.parse
    monkeypatch.setattr(
        protocol, "parse", lambda *args: threads.append(threading.current_thread().name) or parse(*args)
    )
    assert client.post("/v1/models/two:predict", json={**columns(1), "more": "x" * 1_000_000}).status_code == 200
    many = {"inputs": dict.fromkeys(map(str, range(5_000)), 1), "more": "x" * 1_000_000}
    answer = client.post("/v1/models/two:predict", json=many)
    assert (answer.status_code, "names '0'" in answer.json()["error"] or "lacks" in answer.json()["error"]) == (
        422,
        True,
    )
    assert [name.startswith("cornu-parser") for name in threads] == [True, True]
    assert client.post("/v1/models/two:predict", json=columns(1)).status_code == 200
    assert not threads[2].startswith("cornu-parser")
    assert service.receiving == 0


NUMBERS = st.one_of(
    st.integers(-3, 9), st.integers(), st.floats(), st.sampled_from([1e308, -1e39, 2**63, -(2**63), 2**64, 10**400])
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=12,
)
DATA = st.one_of(
    ANYTHING, st.lists(NUMBERS, max_size=6), st.lists(st.lists(NUMBERS, min_size=2, max_size=3), max_size=3)
)
NAMES = st.one_of(st.sampled_from(["size", "kind", "price", "class", "sizes"]), ANYTHING)


def nearly(required, optional=None):
    """Objects that have what they should, or something else in its place."""
    return st.one_of(st.fixed_dictionaries(required, optional=optional or {}), ANYTHING)


TENSOR = nearly(
    {"name": NAMES, "shape": st.one_of(st.lists(st.integers(-1, 4), max_size=3), ANYTHING), "data": DATA},
    {"datatype": st.one_of(st.sampled_from(["FP32", "INT32", "BOOL", "BYTES"]), ANYTHING),
     "parameters": nearly({}, {"binary_data_size": NUMBERS})},
)  # fmt: skip
INFERENCE = nearly({"inputs": st.one_of(st.lists(TENSOR, max_size=3), ANYTHING)}, {"outputs": ANYTHING, "id": ANYTHING})
COLUMNS = st.one_of(st.fixed_dictionaries({"size": DATA, "kind": DATA}), DATA)
PREDICTION = st.one_of(
    nearly({"instances": st.one_of(st.lists(COLUMNS, max_size=3), ANYTHING)}), nearly({"inputs": COLUMNS})
)
BODIES = st.one_of(INFERENCE, PREDICTION).map(lambda found: json.dumps(found).encode())


@given(
    path=st.sampled_from(["/v2/models/two/infer", "/v1/models/two:predict"]),
    body=st.one_of(BODIES, BODIES, BODIES, st.binary(max_size=200)),
    header=st.one_of(st.none(), st.none(), st.integers(-5, 300).map(str), st.text("0123456789xe-", max_size=6)),
)
def test_no_request_is_answered_by_anything_else_than_what_the_document_says(client, path, body, header):
    answer = client.post(
        path, content=body, headers={} if header is None else {"inference-header-content-length": header}
    )
    assert answer.status_code in (200, 400, 413, 422), (answer.status_code, answer.text)
    if answer.status_code == 200:
        assert answer.json().keys() & {"outputs", "predictions"}
    else:
        assert list(answer.json()) == ["error"]
        assert len(answer.text) < 1000


@given(
    size=st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), min_size=1, max_size=5),
    data=st.data(),
)
def test_every_valid_request_gets_the_models_numbers_in_both_protocols(client, two_model, size, data):
    pair = st.lists(st.integers(0, 4), min_size=2, max_size=2)
    kind = data.draw(st.lists(pair, min_size=len(size), max_size=len(size)))
    first = client.post("/v1/models/two:predict", json={"inputs": {"size": size, "kind": kind}}).json()["outputs"]
    inputs = [
        {"name": "size", "shape": [len(size), 3], "datatype": "FP32", "data": np.ravel(size).tolist()},
        {"name": "kind", "shape": [len(size), 2], "datatype": "INT32", "data": kind},
    ]
    second = client.post("/v2/models/two/infer", json={"inputs": inputs}).json()["outputs"]
    expected = two_model({"size": np.array(size, "float32"), "kind": np.array(kind)})
    for output, values, name in zip(second, expected, ("price", "class"), strict=True):
        np.testing.assert_allclose(first[name], values, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(output["data"], np.ravel(first[name]), rtol=1e-6, atol=1e-6)
