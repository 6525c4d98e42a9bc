"""What the model server is asked: rows of text for a signature whose inputs are strings [-1]."""

SIGNATURE = "serving_default"
SENTENCE = "How long do I boil the pasta?"


def words(count: int) -> str:
    """A text of this many words."""
    return " ".join(["pasta"] * count)
