import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cornu.visuals.layout import layered


def boxes(layout, sizes):
    return {key: (x, y, x + sizes[key][0], y + sizes[key][1]) for key, (x, y) in layout.corners.items()}


def overlap(a, b):
    return a[0] < b[2] - 1e-6 and b[0] < a[2] - 1e-6 and a[1] < b[3] - 1e-6 and b[1] < a[3] - 1e-6


@given(st.integers(1, 9), st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=14), st.integers(0, 99))
def test_boxes_of_any_graph_stand_apart_and_edges_join_them(count, pairs, seed):
    """Circles and edges to oneself are no exception."""
    rng = np.random.default_rng(seed)
    sizes = {i: (float(rng.integers(20, 200)), float(rng.integers(20, 90))) for i in range(count)}
    edges = [(a % count, b % count) for a, b in pairs]
    layout = layered(sizes, edges)
    found = boxes(layout, sizes)
    assert not any(overlap(found[a], found[b]) for a in found for b in found if a < b)
    assert all(left >= -1e-6 and top >= -1e-6 for left, top, _, _ in found.values())
    assert all(
        right <= layout.size[0] + 1e-6 and bottom <= layout.size[1] + 1e-6 for _, _, right, bottom in found.values()
    )
    for (source, target), route in zip(edges, layout.routes, strict=True):
        assert np.isclose(route[0][1], found[source][3])
        assert np.isclose(route[-1][1], found[target][1])


def test_edges_run_downwards_and_around_boxes():
    sizes = dict.fromkeys("abcd", (60.0, 20.0))
    layout = layered(sizes, [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    tops = [layout.corners[name][1] for name in "abcd"]
    assert tops == sorted(tops)
    found = boxes(layout, sizes)
    for x, y in layout.routes[3][1:-1]:  # the long edge passes b and c beside them
        assert not any(box[0] < x < box[2] and box[1] < y < box[3] for box in found.values())


def test_two_branches_do_not_cross():
    sizes = dict.fromkeys(("in", "a", "b", "a2", "b2", "out"), (40.0, 20.0))
    edges = [("in", "b"), ("in", "a"), ("a", "a2"), ("b", "b2"), ("a2", "out"), ("b2", "out")]
    places = layered(sizes, edges).corners
    assert (places["a"][0] < places["b"][0]) == (places["a2"][0] < places["b2"][0])


def test_nothing_is_nothing():
    assert layered({}, []).size == (0.0, 0.0)
