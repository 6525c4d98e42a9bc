"""The label lists: kept under the fingerprint that came with them, and fetched once by all who need them."""

import asyncio
from dataclasses import dataclass, field

import pytest

from gateway.errors import DeadlineExceededError, ModelContractError, ModelNotReadyError
from gateway.upstream.deadline import Deadline
from gateway.upstream.labels import MAX_LISTS, TRIES, LabelList, LabelLists

FIRST, SECOND = LabelList(1, ("stop", "chitchat")), LabelList(2, ("misc", "request_next_step"))


@dataclass
class Source:
    """What the lists are fetched from: gives these in turn, the last one for ever; waits until it may."""

    gives: list[LabelList | Exception]
    asked: list[tuple[int, int]] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self, version: int, classes: int) -> LabelList:
        self.asked.append((version, classes))
        await self.may_answer.wait()
        given = self.gives.pop(0) if len(self.gives) > 1 else self.gives[0]
        if isinstance(given, Exception):
            raise given
        return given


def source(*gives: LabelList | Exception) -> Source:
    it = Source(list(gives))
    it.may_answer.set()
    return it


def deadline() -> Deadline:
    return Deadline.after(60)


async def test_a_list_is_fetched_once_for_any_version_that_uses_it() -> None:
    origin = source(FIRST)
    lists = LabelLists(origin.fetch)
    for version in (1, 2, 1):
        assert await lists.find(1, version, 2, deadline()) == FIRST.names
    assert origin.asked == [(1, 2)]


async def test_those_who_ask_together_share_one_fetch() -> None:
    origin = source(FIRST)
    origin.may_answer.clear()
    lists = LabelLists(origin.fetch)
    asking = [asyncio.create_task(lists.find(1, 1, 2, deadline())) for _ in range(20)]
    await asyncio.sleep(0)
    origin.may_answer.set()
    assert await asyncio.gather(*asking) == [FIRST.names] * 20
    assert origin.asked == [(1, 2)]


@pytest.mark.parametrize("before", [SECOND, ModelNotReadyError("not here"), ModelContractError("fewer intents")])
async def test_what_another_server_says_is_passed_over(before: LabelList | Exception) -> None:
    lists = LabelLists(source(*[before] * (TRIES - 1), FIRST).fetch)
    assert await lists.find(1, 1, 2, deadline()) == FIRST.names


async def test_a_list_under_another_number_is_never_believed() -> None:
    origin = source(SECOND)
    lists = LabelLists(origin.fetch)
    with pytest.raises(ModelNotReadyError, match="another model took the number of version 7"):
        await lists.find(1, 7, 2, deadline())
    assert len(origin.asked) == TRIES


async def test_a_list_that_does_not_fit_the_answer_breaks_the_contract() -> None:
    lists = LabelLists(source(FIRST).fetch)
    assert await lists.find(1, 1, 2, deadline()) == FIRST.names
    with pytest.raises(ModelContractError, match="3 probabilities for 2 intents"):
        await lists.find(1, 1, 3, deadline())


async def test_a_fetch_that_failed_is_made_again() -> None:
    origin = source(*[ModelNotReadyError("gone")] * TRIES, FIRST)
    lists = LabelLists(origin.fetch)
    with pytest.raises(ModelNotReadyError):
        await lists.find(1, 1, 2, deadline())
    assert await lists.find(1, 1, 2, deadline()) == FIRST.names


async def test_who_runs_out_of_time_leaves_the_fetch_to_the_others() -> None:
    origin = source(FIRST)
    origin.may_answer.clear()
    lists = LabelLists(origin.fetch)
    patient = asyncio.create_task(lists.find(1, 1, 2, deadline()))
    await asyncio.sleep(0)
    with pytest.raises(DeadlineExceededError):
        await lists.find(1, 1, 2, Deadline.after(0.01))
    origin.may_answer.set()
    assert await patient == FIRST.names
    assert origin.asked == [(1, 2)]


async def test_as_many_lists_are_kept_as_fit_and_those_used_last_stay() -> None:
    lists = {number: LabelList(number, ("a", "b")) for number in range(MAX_LISTS + 1)}
    asked: list[int] = []

    async def fetch(version: int, classes: int) -> LabelList:
        asked.append(version)
        return lists[version]

    kept = LabelLists(fetch)
    for number in (*range(MAX_LISTS), 0, MAX_LISTS):
        await kept.find(number, number, 2, deadline())
    asked.clear()
    await kept.find(0, 0, 2, deadline())
    await kept.find(1, 1, 2, deadline())
    assert asked == [1]
