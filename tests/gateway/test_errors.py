"""The tree of errors at the head of gateway/errors.py."""

from collections.abc import Iterator

from gateway import errors


def _lines(error: type[errors.GatewayError], depth: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The depth of each error, and its words: its name, then its status and code if it is raised itself."""
    children = [each for each in error.__subclasses__() if each.__module__ == errors.__name__]
    raised = not children or error is errors.GatewayError
    yield depth, [error.__name__, str(error.status), error.code] if raised else [error.__name__]
    for child in children:
        yield from _lines(child, depth + 1)


def test_the_module_opens_with_the_tree_of_its_errors() -> None:
    assert errors.__doc__
    _, tree = errors.__doc__.rstrip().split("\n\n")
    told = [((len(line) - len(line.lstrip())) // 2, line.split()) for line in tree.splitlines()]
    assert told == list(_lines(errors.GatewayError))
