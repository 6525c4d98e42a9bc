"""What the soak sends."""

import json

from benchmarks.serving import soak


def test_soak_bodies_are_of_many_shapes_and_repeat_by_seed() -> None:
    texts = [f"text {number}" for number in range(50)]
    first = soak.bodies(texts, 1)
    assert first == soak.bodies(texts, 1) != soak.bodies(texts, 2)
    sizes = [len(json.loads(body)["texts"]) for body in first]
    assert set(sizes) == set(range(1, soak.MOST_TEXTS + 1))
    assert 0.85 < sizes.count(1) / len(sizes) < 0.95
