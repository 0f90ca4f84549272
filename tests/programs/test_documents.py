import json

import pytest

from cornu.programs import documents
from cornu.programs.reading import parses

MARKDOWN = """# A title

```python
x = 1
```

prints

```
x: 1
```

- in a list

  ~~~py
  if x:
      y = 2
  ~~~

```bash
pip install keras
```

```
import os
```

```py
Layer (type)                 Output Shape              Param #
=================================================================
dense_1 (Dense)              (None, 512)               401920
```

{% highlight python %}
z = 3
{% endhighlight %}

```python
Test loss: 0.09
Test accuracy: 0.98
```

````python
s = '''
```
'''
````
"""


def test_markdown_blocks_keep_their_line_numbers():
    document = documents.markdown(MARKDOWN, "a.md", parses)
    assert [(cell.first_line, cell.text) for cell in document.cells] == [
        (4, "x = 1"),
        (16, "if x:\n    y = 2"),
        (25, "import os"),
        (35, "z = 3"),
        (44, "s = '''\n```\n'''"),
    ]
    assert document.notes == [
        "line 10: printed output, not run",
        "line 21: a block marked 'bash', not run",
        "lines 29-31: printed output, not run",
        "lines 39-40: printed output, not run",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "(60000, 28, 28) (60000,)\n(10000, 28, 28) (10000,)",
        "{'batch_size': 128,\n 'epochs': 10}",
        "Train labels: [5 0 4 ... 5 6 8]\nTest labels: [[0\\. 0\\. 1.]\n [1\\. 0\\. 0\\.]\n ...\n [0\\. 0\\. 0\\.]]",
        "Epoch 1/10\n60000/60000 [=====] - 3s - loss: 2.3 - acc: 0.13",
        "0.9803",
        "accuracy: 0.788",
        "Using TensorFlow backend.",
    ],
)
def test_printed_output(text):
    assert documents.is_printed_output(text, parses)


@pytest.mark.parametrize("text", ["model.summary()", "x = 3", "print 'a: 3'", "model.fit(x,\n  y", "import a\nfoo: ["])
def test_programs_are_no_printed_output(text):
    assert not documents.is_printed_output(text, parses)


PRINTED_NOTEBOOK = """In [1]:
import a
x = 1

Using TensorFlow backend.

In [2]: def f():
   ...:     return 1

f()
Out[2]: 1
text
In [ ]:
print(x)

1
None

In [4]:
x = '''a

b'''
<hr>
"""


def test_a_notebook_printed_as_text():
    document = documents.prompts(PRINTED_NOTEBOOK, "a.txt", parses)
    texts = [(cell.first_line, cell.text.strip()) for cell in document.cells]
    assert [first for first, _ in texts] == [1, 7, 13, 19]
    assert texts[0][1] == "import a\nx = 1"
    assert texts[1][1] == "def f():\n    return 1\n\nf()"
    assert texts[2][1] == "print(x)"
    assert texts[3][1] == "x = '''a\n\nb'''"
    assert all(cell.shows_value for cell in document.cells)


def test_notebook_files():
    cells = [
        {"cell_type": "markdown", "source": ["# a"]},
        {"cell_type": "code", "source": ["x = 1\n", "y = 2"]},
        {"cell_type": "code", "source": ""},
        {"cell_type": "code", "source": "x"},
    ]
    document = documents.notebook(json.dumps({"cells": cells}), "a.ipynb")
    assert [(cell.text, cell.file) for cell in document.cells] == [
        ("x = 1\ny = 2", "a.ipynb, cell 1"),
        ("x", "a.ipynb, cell 3"),
    ]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["z = 1"]}]}]}
    assert documents.notebook(json.dumps(old), "a.ipynb").cells[0].text == "z = 1"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"worksheets": []}', "x = 1"])
def test_what_is_no_notebook_is_rejected_with_a_clear_error(text):
    with pytest.raises(ValueError, match=r"a\.ipynb is not a notebook"):
        documents.notebook(text, "a.ipynb")


def test_a_notebook_of_another_language_is_refused():
    with pytest.raises(ValueError, match="notebook in R"):
        documents.notebook(json.dumps({"cells": [], "metadata": {"kernelspec": {"language": "R"}}}), "a.ipynb")
