"""schemathesis asks a server whatever its own OpenAPI document allows, and what it does not allow."""

import warnings

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from cornu.serve import openapi

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from schemathesis import GenerationMode

BOUNDED = settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.generate],  # to shrink what fails takes minutes
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
PATHS = sorted(openapi.document([])["paths"])


@pytest.fixture(scope="module")
def document(service):
    return schemathesis.openapi.from_asgi("/openapi.json", service.application)


# Where nothing is given, nothing can be given wrongly.
@pytest.mark.parametrize(
    ("path", "mode"), [(path, mode) for path in PATHS for mode in GenerationMode if "{" in path or mode.is_positive]
)
def test_every_answer_is_one_that_the_document_describes(document, path, mode):
    # A document does not say how many values a shape needs: data that it allows may well be refused.
    checks = {"excluded_checks": [schemathesis.checks.positive_data_acceptance]}
    for operation in document[path].values():

        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case):
            case.call_and_validate(**checks)

        ask()
