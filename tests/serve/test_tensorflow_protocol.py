import numpy as np
import pytest

ROWS = {"size": [[1.0, 2, 3], [4, 5, 6]], "kind": [[0, 1], [2, 4]]}


def predict(client, document, model="two"):
    return client.post(f"/v1/models/{model}:predict", json=document)


def test_status_and_metadata(client):
    status = client.get("/v1/models/two").json()
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    assert (status["name"], status["ready"]) == ("two", True)
    found = client.get("/v1/models/two/versions/1/metadata").json()
    signature = found["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["kind"]["dtype"] == "DT_INT32"
    assert signature["outputs"]["class"]["tensor_shape"]["dim"][1] == {"size": "4", "name": ""}


def test_rows_of_one_input(client, digits_model):
    images = np.random.default_rng(0).random((3, 28, 28)).round(3)
    found = predict(client, {"instances": images.tolist(), "signature_name": "serving_default"}, "digits").json()
    np.testing.assert_allclose(found["predictions"], digits_model.predict(images, verbose=0), rtol=1e-4, atol=1e-6)
    by_name = [{digits_model.input_names[0]: image} for image in images.tolist()]
    assert predict(client, {"instances": by_name}, "digits").json() == found
    assert predict(client, {"inputs": images.tolist()}, "digits").json() == {"outputs": found["predictions"]}
    with_channel = predict(client, {"inputs": images[..., None].tolist()}, "digits").json()
    assert with_channel == {"outputs": found["predictions"]}


def test_rows_and_columns_of_several(client, two_model):
    price, kind = two_model.predict({name: np.array(values) for name, values in ROWS.items()}, verbose=0)
    columns = predict(client, {"inputs": ROWS}).json()["outputs"]
    np.testing.assert_allclose(columns["price"], price, rtol=1e-5)
    np.testing.assert_allclose(columns["class"], kind, rtol=1e-5)
    instances = [{name: values[i] for name, values in ROWS.items()} for i in range(2)]
    rows = predict(client, {"instances": instances}).json()["predictions"]
    np.testing.assert_allclose([row["price"] for row in rows], price, rtol=1e-5)
    np.testing.assert_allclose([row["class"] for row in rows], kind, rtol=1e-5)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "either 'instances'"),
        ({"instances": [], "inputs": []}, "either 'instances'"),
        ({"instances": []}, "at least one row"),
        ({"instances": {"size": 1}}, "at least one row"),
        ({"instances": [[1, 2, 3]]}, "several inputs: each instance"),
        ({"inputs": [[1, 2, 3]]}, "several inputs: 'inputs'"),
        ({"instances": [{"size": [1, 2, 3]}]}, "lacks 'kind'"),
        ({"instances": [{"size": [1, 2, 3]}, {"kind": [1, 2]}]}, "same keys"),
        ({"inputs": {**ROWS, "colour": [1]}}, "names 'colour'"),
        ({"inputs": {**ROWS, "kind": None}}, "not all numbers"),
        ({"inputs": {**ROWS, "kind": 5}}, "expected [rows, 2]"),
        ({"inputs": {**ROWS, "kind": "many"}}, "not all numbers"),
    ],
)
def test_a_mismatch_raises_a_clear_error(client, document, said):
    answer = predict(client, document)
    assert answer.status_code == 422
    assert said in answer.json()["error"]
