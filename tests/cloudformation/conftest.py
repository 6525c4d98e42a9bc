"""Accounts (moto) with the fleet in them."""

from collections.abc import Iterator

import pytest

from tests.cloudformation.played.cloud import Cloud, cloud
from tests.cloudformation.played.operating import aws as aws
from tests.cloudformation.played.operating import deployed as deployed
from tests.cloudformation.played.operating import models as models
from tests.cloudformation.played.operating import run as run
from tests.cloudformation.played.operating import standing as standing


@pytest.fixture
def account() -> Iterator[Cloud]:
    """An empty account."""
    with cloud() as empty:
        yield empty


@pytest.fixture(scope="module")
def fleet() -> Iterator[Cloud]:
    """An account with the fleet in it as it is by default; to look at only."""
    with cloud() as made:
        made.deploy_all()
        yield made
