"""Names of variables begin with the scopes that they are made in."""

from cornu.compat.tensorflow.module import Module
from cornu.compat.tensorflow.name_scopes import NameScope
from cornu.compat.tensorflow.variables import Variable


class Inner(Module):
    @Module.with_name_scope
    def __call__(self):
        if not hasattr(self, "w"):
            self.w = Variable(1.0, name="w")
        return self.w


class Outer(Module):
    def __init__(self, name=None):
        super().__init__(name)
        with self.name_scope:
            self.inner, self.v = Inner(), Variable(2.0, name="v")


def test_modules():
    outer = Outer("net")
    assert (outer.v.name, outer.inner().name) == ("net/v:0", "net/inner/w:0")
    with NameScope("elsewhere"):
        assert outer.inner.name_scope.name == "net/inner/"
    assert Variable(1.0, name="x").name == "x:0"
    assert len(outer.variables) == 2


def test_a_scope_ends_after_an_error():
    try:
        with NameScope("a"):
            raise KeyError
    except KeyError:
        assert Variable(1.0, name="x").name == "x:0"
