"""The order in which versions of one model come and go."""

from pathlib import Path

import pytest

from model_server.versions.rollout import Action, Managed, Phase, next_action

NEW, BUSY, SERVING, OVER = Phase


def wanted(version: int, phase: Phase) -> Managed:
    return Managed(version, Path(), is_aspired=True, phase=phase)


def unwanted(version: int, phase: Phase) -> Managed:
    return Managed(version, Path(), is_aspired=False, phase=phase)


@pytest.mark.parametrize(
    ("versions", "action"),
    [
        pytest.param([], None, id="no version, nothing to do"),
        pytest.param([wanted(1, SERVING)], None, id="all is well"),
        pytest.param([wanted(1, NEW), wanted(3, NEW), wanted(2, NEW)], (Action.LOAD, 3), id="the highest comes first"),
        pytest.param([unwanted(1, SERVING), wanted(2, NEW)], (Action.LOAD, 2), id="the new one beside the old one"),
        pytest.param([unwanted(1, SERVING), wanted(2, BUSY)], None, id="the old one stays while the new one loads"),
        pytest.param([unwanted(1, SERVING), wanted(2, SERVING)], (Action.UNLOAD, 1), id="then the old one goes"),
        pytest.param([wanted(1, NEW), unwanted(2, SERVING)], (Action.LOAD, 1), id="rollback: the older comes first"),
        pytest.param([unwanted(2, SERVING)], (Action.UNLOAD, 2), id="nothing is wanted, all go"),
        pytest.param(
            [unwanted(3, SERVING), unwanted(2, SERVING), wanted(4, NEW)],
            (Action.UNLOAD, 2),
            id="of two unwanted ones the lowest goes before the new one comes",
        ),
        pytest.param([unwanted(1, NEW)], None, id="an unwanted one that was never tried is left alone"),
        pytest.param([unwanted(1, OVER), wanted(2, SERVING)], None, id="one that failed need not be unloaded"),
        pytest.param(
            [unwanted(1, SERVING), wanted(3, OVER), wanted(2, NEW)],
            (Action.LOAD, 2),
            id="after one that failed the next one is tried",
        ),
    ],
)
def test_next_action(versions: list[Managed], action: tuple[Action, int] | None) -> None:
    assert next_action(versions) == action
