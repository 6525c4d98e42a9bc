"""What the client's tests share."""

from collections.abc import Iterator

import pytest

from tests.gateway.client.stand_in import StandIn, stand_in
from tests.gateway.running import Gateway


@pytest.fixture
def url(running: Gateway) -> str:
    """Of a real gateway in front of a real model server."""
    return f"http://127.0.0.1:{running.port}"


@pytest.fixture
def played() -> Iterator[StandIn]:
    """A gateway that does as it is told."""
    with stand_in() as it:
        yield it
