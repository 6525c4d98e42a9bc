"""What roles and successions say about an intent, on a table small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from training.data.intents import INTENTS
from training.fit import prior

ASK, GIVE, STOP = (INTENTS.index(name) for name in ("request_next_step", "return_next_step", "stop"))
UNKNOWN = len(INTENTS)
STUDENT, TEACHER = 1, 2


def dialogue(conversation: str, *turns: tuple[str, str, int]) -> list[dict[str, str]]:
    rows, previous = [], ""
    for role, text, intent in turns:
        rows.append(
            {
                "conversation_id": conversation,
                "role": role,
                "text": text,
                "previous": previous,
                "intent": INTENTS[intent],
            }
        )
        previous = text
    return rows


@pytest.fixture
def learned() -> np.ndarray:
    turns = [("student", "next?", ASK), ("teacher", "stir", GIVE), ("student", "bye", STOP)]
    return prior.learn(pd.DataFrame(dialogue("a", *turns) + dialogue("b", *turns[:2])))


def test_intent_that_a_role_never_has_is_masked(learned: np.ndarray) -> None:
    assert (learned[STUDENT, :, GIVE] == prior.MASKED).all()
    assert (learned[TEACHER, :, [ASK, STOP]] == prior.MASKED).all()
    assert (learned[STUDENT, UNKNOWN, [ASK, STOP]] == 0).all()
    assert (learned[0] > prior.MASKED).all()


def test_succession_is_half_the_log_ratio_of_smoothed_counts(learned: np.ndarray) -> None:
    """The teacher answers both requests with a step: (2 + 1) of 2 + 11, against (2 + 1) of 5 + 11 overall."""
    assert learned[TEACHER, ASK, GIVE] == pytest.approx(0.5 * (np.log(3 / 13) - np.log(3 / 16)))


def test_first_turn_and_a_turn_after_an_unlabelled_one_follow_nothing() -> None:
    rows = pd.DataFrame(dialogue("a", ("student", "next?", ASK), ("teacher", "stir", GIVE)))
    gap = rows.assign(previous=["", "unlabelled words between them"])
    assert prior.learn(rows)[0, ASK, GIVE] != prior.learn(gap)[0, ASK, GIVE]
    np.testing.assert_array_equal(prior.learn(gap)[0, ASK], prior.learn(gap)[0, STOP])


def test_shift_is_looked_up_by_role_and_the_likeliest_previous_intent(learned: np.ndarray) -> None:
    said_ask = 9.0 * tf.one_hot([ASK] * 4, len(INTENTS))
    found = prior.shift(
        tf.constant(learned),
        tf.constant(["teacher", "student", "", "chef"]),
        tf.constant(["next?", "", "next?", ""]),
        said_ask,
    ).numpy()
    np.testing.assert_array_equal(
        found, [learned[TEACHER, ASK], learned[STUDENT, UNKNOWN], learned[0, ASK], learned[0, UNKNOWN]]
    )
    assert not found[3].any(), "nothing is known, so nothing is shifted"
