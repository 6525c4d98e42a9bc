"""What somebody said, as requests bring it: a text, and maybe what is known around it. Checked before it is sent."""

from typing import Any

from msgspec import UNSET

from gateway.api import strict_json
from gateway.api.schemas import ClassifyBody, Turn
from gateway.errors import InvalidRequestError, TextTooLongError
from gateway.settings.settings import Settings
from gateway.upstream.question import NOTHING, ROLES, UNKNOWN, Dialogue

TURN_EXAMPLE = '{"text": "Yes, please", "role": "student", "previous": "Shall we go on?"}'


def check_text(text: str, pointer: str, settings: Settings) -> None:
    """Whether this can be sent to the model.

    Raises:
        InvalidRequestError: nothing is in it.
        TextTooLongError: more characters than allowed.
    """
    if not text or text.isspace():
        raise InvalidRequestError("the text is empty; send what was said", pointer=pointer)
    _check_length("the text", text, pointer, settings)


def read_item(item: Any, pointer: str, settings: Settings) -> tuple[str, Dialogue]:
    """An item of `texts`: a text, or an object with one.

    Raises:
        InvalidRequestError: neither, or a field of it cannot be used.
        TextTooLongError: more characters than allowed.
    """
    if type(item) is str:
        check_text(item, pointer, settings)
        return item, NOTHING
    if type(item) is not dict:
        raise InvalidRequestError(f"the item is no text; send a string or {TURN_EXAMPLE}", pointer=pointer)
    turn = strict_json.convert(item, Turn, pointer, TURN_EXAMPLE)
    check_text(turn.text, f"{pointer}/text", settings)
    return turn.text, read_dialogue(turn, pointer, settings)


def read_dialogue(given: ClassifyBody | Turn, pointer: str, settings: Settings) -> Dialogue:
    """What is known around the text; `NOTHING` itself if that is nothing. `pointer`: of what was given.

    Raises:
        InvalidRequestError: another role.
        TextTooLongError: the turn before has more characters than allowed. Which end of it may go is not for the
            gateway to say, so it cuts nothing.
    """
    role, previous = given.role, given.previous
    if role is UNSET and previous is UNSET:
        return NOTHING
    if role is UNSET or role == UNKNOWN:
        role = ""
    elif role not in ROLES:
        raise InvalidRequestError(
            f"the role is none of {', '.join(ROLES)}; send one of them", pointer=f"{pointer}/role"
        )
    # Blanks say as little as nothing at all.
    if previous is UNSET or previous.isspace():
        previous = ""
    _check_length("the turn before", previous, f"{pointer}/previous", settings)
    return Dialogue(role, previous) if role or previous else NOTHING


def _check_length(what: str, text: str, pointer: str, settings: Settings) -> None:
    if len(text) > settings.max_text_characters:
        raise TextTooLongError(
            f"{what} has {len(text)} characters; send at most {settings.max_text_characters}", pointer=pointer
        )
