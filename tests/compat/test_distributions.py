"""What other packages find when they ask for the versions of Keras and TensorFlow."""

import subprocess
import sys

from cornu.compat.imports import KERAS_VERSION, TENSORFLOW_VERSION

ASKED = """
import cornu
from importlib import metadata
cornu.install_as_keras()
print(metadata.version("keras"), metadata.version("tensorflow"), metadata.metadata("tensorflow")["Name"])
print(sum(1 for one in metadata.distributions() if type(one).__name__ == "StandInDistribution"))
"""


def test_versions_are_those_that_programs_see():
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == [KERAS_VERSION, TENSORFLOW_VERSION, "tensorflow", "0"]
