"""The token in the address, and the headers that every answer has."""

import pytest
from starlette.testclient import TestClient

from cornu.serve.access import Access
from cornu.serve.application import Service
from cornu.serve.served_model import ServedModel


@pytest.fixture(scope="module")
def closed(two_model):
    service = Service([ServedModel("two", two_model, sizes=(2,))], access=Access(token="a secret"))
    with TestClient(service.application) as found:
        yield found


def test_the_address_with_the_token_opens_the_pages(closed):
    assert closed.get("/v2/health/live").status_code == 200
    for path in ("/", "/docs", "/v2", "/metrics", "/static/try.js", "/?token=wrong", "/nowhere"):
        assert closed.get(path).status_code == 401
    answer = closed.get("/evil.example/?token=a+secret&x=1", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/evil.example/?x=1")
    closed.cookies.clear()
    answer = closed.get("/docs?token=a+secret", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert {"HttpOnly", "SameSite=strict"} <= {*answer.headers["set-cookie"].split("; ")}
    assert closed.get("/docs").status_code == 200
    assert closed.get("/nowhere").status_code == 404


def test_every_answer_has_a_policy_and_forbids_sniffing(client):
    for path in ("/docs", "/models/two", "/", "/v2", "/metrics", "/nowhere", "/static/try.js", "/openapi.json"):
        headers = client.get(path, follow_redirects=False).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
