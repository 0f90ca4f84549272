import ast

import numpy as np
import pytest

from cornu.programs.python2 import DIVIDE, LISTS, divide, missing_names, translate, with_old_division


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("print 'a', b", "print('a', b)"),
        ("print", "print()"),
        ("print 'a',", "print('a', end=' ')"),
        ("print >>f, 'a', b", "print('a', b, file=f)"),
        ("print >> f", "print(file=f)"),
        ("print ('a %d') % 3", "print(('a %d') % 3)"),
        ("print ('a')", "print ('a')"),
        ("print('a', b)  # c", "print('a', b)  # c"),
        ("print 'a %s' % b  # print it", "print('a %s' % b)  # print it"),
        ("if x: print 'a'; print -1", "if x: print('a'); print(-1)"),
        ("else: print `x`", "else: print(repr(x))"),
        ("print f(1,\n  2), 3", "print(f(1,\n  2), 3)"),
        ("print 'a', \\\n 'b'", "print('a', \\\n 'b')"),
        ("print {1: 2}[1]", "print({1: 2}[1])"),
        ("f = lambda x: x; print f", "f = lambda x: x; print(f)"),
        ("except IOError, e:", "except IOError as e:"),
        ("except (IOError, OSError), e: print e", "except (IOError, OSError) as e: print(e)"),
        ("except (IOError, OSError):", "except (IOError, OSError):"),
        ("raise ValueError, 'bad %d' % x", "raise ValueError('bad %d' % x)"),
        ("raise ValueError('a', b)", "raise ValueError('a', b)"),
        ("exec code in names", "exec(code, names)"),
        ("exec 'x = 1'", "exec('x = 1')"),
        ("a <> b", "a != b"),
        ("os.chmod(p, 0755); x = 0; y = 00; z = 10L", "os.chmod(p, 0o755); x = 0; y = 00; z = 10"),
        ("for k in d.iteritems():", "for k in d.items():"),
        ("d.has_key(k)", "d.__contains__(k)"),
        ("it.next(); it.next(1)", "it.__next__(); it.next(1)"),
        ("ur'a'", "r'a'"),
        ("printer = 1; x.print_ = 2", "printer = 1; x.print_ = 2"),
    ],
)
def test_translation(old, new):
    assert translate(old)[0] == new


def test_tabs_mixed_with_spaces():
    old = "if 1:\n        x = 1\n\tprint x\n"
    new, said = translate(old)
    ast.parse(new)
    assert said == ["print statements"]


def test_lines_keep_their_numbers_and_python3_stays_as_it_is():
    text = "def f(x):\n    '''print x'''\n    return {'a': x, 'b': [x <= 1, x != 2]}\n\nprint(f(1), end='')\n"
    assert translate(text) == (text, [])


def test_print_is_left_alone_where_the_program_imports_the_function():
    assert translate("from __future__ import print_function\nprint (1), 2\n")[1] == []


def test_division_and_lists_are_those_of_python2():
    names = {DIVIDE: divide} | LISTS
    tree = with_old_division(ast.parse("a = [7 / 2, -7 / 2, 7.0 / 2, x / 2]; b = map(str, range(2)); c = zip(b, b)[0]"))
    exec(compile(tree, "a.py", "exec"), names | {"x": np.array([3])}, names)
    assert names["a"] == [3, -4, 3.5, np.array([1])]
    assert (names["b"], names["c"]) == (["0", "1"], ("0", "0"))


def test_names_that_python3_dropped():
    assert set(missing_names("for i in xrange(3): unicode(i)")) == {"xrange", "unicode"}
    assert missing_names("from functools import reduce\nreduce(f, x)") == {}
    assert missing_names("xrange = range\nxrange(3)") == {}
    assert missing_names("'xrange'  # xrange") == {}
    assert missing_names("cmp")["cmp"](1, 2) == -1
