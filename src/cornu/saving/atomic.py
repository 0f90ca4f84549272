"""Writing a file whole or not at all: see `cornu.core.atomic`, which callbacks use too."""

from cornu.core.atomic import replacing as replacing
