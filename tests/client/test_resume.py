"""A batch that is stopped, killed or fails, and goes on where it was: the result is that of an undisturbed run."""

import csv
import json
import random
import signal
import subprocess
from pathlib import Path

import pytest

from tests.client.command import finish, run, start
from tests.client.stand_in import StandIn, cut
from tests.gateway.conftest import MODEL, PATIENT
from tests.gateway.relay import Relay
from tests.gateway.running import gateway

TEXTS = [f"{number} {'x' * (number % 5)}" for number in range(100)]
ONE_AT_A_TIME = ["--batch-size", "4", "--concurrency", "1"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A CSV of `TEXTS`, one of them over two lines."""
    path = tmp_path / "in.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["id", "text"], *([number, text] for number, text in enumerate(TEXTS))])
        writer.writerow([100, "two\nlines"])
    return path


def _expected(url: str, source: Path) -> str:
    """What an undisturbed run gives."""
    done = run("batch", source, "--url", url)
    assert done.returncode == 0
    return done.stdout


def _asked_texts(played: StandIn) -> list[str]:
    return [text for asked in played.asked for text in asked.texts]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_it_finishes_what_is_in_flight_and_goes_on_behind_it(
    played: StandIn, source: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    expected = _expected(played.url, source)
    played.asked.clear()
    target = tmp_path / "out.csv"
    words = ["batch", source, target, "--url", played.url, *ONE_AT_A_TIME]
    played.reactions = [played.answer] * 9 + [played.hold]
    process = start(*words)
    played.held.wait()
    process.send_signal(number)
    assert process.stderr is not None
    assert "stopping: waiting for what is in flight" in process.stderr.readline()
    played.release()
    got, err = finish(process)
    assert got == status
    assert "stopped after row 40; to go on there, run the same command again, without --restart" in err
    assert not target.exists()
    assert (tmp_path / "out.csv.part").read_text() == "".join(expected.splitlines(keepends=True)[:41])

    done = run(*words)
    assert done.returncode == 0
    assert "going on after row 40" in done.stderr
    assert "101 rows: 101 answered" in done.stderr
    assert target.read_text() == expected
    # Nothing was asked twice.
    assert _asked_texts(played) == [*TEXTS, "two\nlines"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_a_second_signal_stops_at_once(played: StandIn, source: Path, tmp_path: Path) -> None:
    expected = _expected(played.url, source)
    played.asked.clear()
    target = tmp_path / "out.csv"
    words = ["batch", source, target, "--url", played.url, *ONE_AT_A_TIME]
    played.reactions = [played.answer] * 2 + [played.hold]
    process = start(*words)
    played.held.wait()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "once more stops at once" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    status, err = finish(process)
    assert status == 130
    assert "stopped after row 8" in err
    assert run(*words).returncode == 0
    assert target.read_text() == expected
    # Only the chunk that was in flight was asked twice.
    assert _asked_texts(played) == [*TEXTS[:12], *TEXTS[8:], "two\nlines"]


def test_with_several_requests_in_flight_nothing_is_lost_or_asked_twice(
    played: StandIn, source: Path, tmp_path: Path
) -> None:
    """The first of four is answered last: what came in behind it waits for it, and is written after it."""
    expected = _expected(played.url, source)
    played.asked.clear()
    target = tmp_path / "out.csv"
    words = ["batch", source, target, "--url", played.url, "--batch-size", "4", "--concurrency", "4"]
    played.reactions = [played.hold]
    process = start(*words)
    played.wait_until_asked(4)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "stopping" in process.stderr.readline()
    played.release()
    status, err = finish(process)
    assert status == 130
    assert "stopped after row 16" in err
    assert run(*words).returncode == 0
    assert target.read_text() == expected
    assert sorted(_asked_texts(played)) == sorted([*TEXTS, "two\nlines"])


def test_killed_it_goes_on_behind_the_last_whole_chunk(played: StandIn, source: Path, tmp_path: Path) -> None:
    expected = _expected(played.url, source)
    played.asked.clear()
    target = tmp_path / "out.csv"
    part = tmp_path / "out.csv.part"
    words = ["batch", source, target, "--url", played.url, *ONE_AT_A_TIME]
    played.reactions = [played.answer] * 5 + [played.hold]
    process = start(*words)
    played.held.wait()
    process.kill()
    process.communicate()
    # As if it had died in the middle of writing.
    with part.open("a") as file:
        file.write('20,"20 half a ro')
    done = run(*words)
    assert done.returncode == 0
    assert "going on after row 20" in done.stderr
    assert target.read_text() == expected
    assert _asked_texts(played) == [*TEXTS[:24], *TEXTS[20:], "two\nlines"]


def test_twenty_kills_at_random_moments_lose_no_row_and_write_none_twice(
    played: StandIn, source: Path, tmp_path: Path
) -> None:
    expected = _expected(played.url, source)
    target = tmp_path / "out.csv"
    words = ["batch", source, target, "--url", played.url, "--batch-size", "1", "--concurrency", "2"]
    moments = random.Random(12)
    for _ in range(20):
        process = start(*words)
        played.wait_until_asked(len(played.asked) + moments.randint(1, 4))
        process.kill()
        process.communicate()
    done = run(*words)
    assert done.returncode == 0
    assert "going on after row" in done.stderr
    assert target.read_text() == expected


def test_stopped_at_a_real_gateway(line: Relay, source: Path, tmp_path: Path) -> None:
    """In front of a real model server, whose connection is held in the middle of the batch."""
    target = tmp_path / "out.csv"
    with gateway(model_server=f"127.0.0.1:{line.port}", **PATIENT) as running:
        words = ["batch", source, target, "--url", f"http://127.0.0.1:{running.port}", *ONE_AT_A_TIME]
        line.hold(TEXTS[50].encode())
        process = start(*words)
        line.held.wait()
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "stopping" in process.stderr.readline()
        line.release()
        status, err = finish(process)
        assert status == 130
        assert "stopped after row 52" in err
        assert run(*words).returncode == 0
    with target.open(newline="") as file:
        got = [(row["text"], row["intent"], row["error"]) for row in csv.DictReader(file)]
    assert got == [(text, MODEL.intent(text), "") for text in [*TEXTS, "two\nlines"]]


def test_a_lost_gateway_stops_it_and_a_later_run_goes_on(played: StandIn, source: Path, tmp_path: Path) -> None:
    expected = _expected(played.url, source)
    target = tmp_path / "out.csv"
    words = ["batch", source, target, "--url", played.url, *ONE_AT_A_TIME, "--time-limit", "0.5"]
    played.reactions = [played.answer] * 3
    played.always = cut
    done = run(*words)
    assert done.returncode == 1
    assert "stopped after row 12" in done.stderr
    assert "unreachable: no connection to http://127.0.0.1" in done.stderr
    played.always = None
    assert run(*words).returncode == 0
    assert target.read_text() == expected


def test_jsonl_from_a_pipe_goes_on_with_the_same_input(played: StandIn, tmp_path: Path) -> None:
    lines = [json.dumps({"text": text}).encode() + b"\n" for text in TEXTS]
    target = tmp_path / "out.jsonl"
    words = ["batch", "-", target, "--format", "jsonl", "--url", played.url, *ONE_AT_A_TIME]
    played.reactions = [played.answer] * 4 + [played.hold]
    process = start(*words, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"".join(lines).decode())
    process.stdin.flush()
    played.held.wait()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "stopping" in process.stderr.readline()
    played.release()
    status, err = finish(process)
    assert status == 130
    assert "run the same command again, with the same input, without --restart" in err

    other = run(*words, stdin=b"".join([lines[1], lines[0], *lines[2:]]))
    assert other.returncode == 2
    assert "the input is not the one that was begun with" in other.stderr
    shorter = run(*words, stdin=lines[0])
    assert shorter.returncode == 2
    done = run(*words, stdin=b"".join(lines))
    assert done.returncode == 0
    assert [json.loads(line)["text"] for line in target.read_text().splitlines()] == TEXTS
    assert _asked_texts(played) == TEXTS


def test_a_pipe_that_sends_nothing_more_does_not_hold_it(played: StandIn, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    process = start("batch", "-", target, "--url", played.url, "--batch-size", "1", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("one\ntwo\n")
    process.stdin.flush()
    played.wait_until_asked(2)
    process.send_signal(signal.SIGINT)
    status = process.wait(60)
    _, err = finish(process)
    assert status == 130
    assert "stopped after row 2" in err


@pytest.fixture
def begun(played: StandIn, source: Path, tmp_path: Path) -> Path:
    """The output of a run that was killed behind the eighth row."""
    target = tmp_path / "out.csv"
    played.reactions = [played.answer] * 2 + [played.hold]
    process = start("batch", source, target, "--url", played.url, *ONE_AT_A_TIME)
    played.held.wait()
    process.kill()
    process.communicate()
    played.release()
    return target


@pytest.mark.parametrize(
    "change", [lambda text: text + "101,more\n", lambda text: text.replace("0 \n", "0 other\n", 1)]
)
def test_another_input_is_refused(played: StandIn, source: Path, begun: Path, change) -> None:
    source.write_text(change(source.read_text()))
    done = run("batch", source, begun, "--url", played.url)
    assert done.returncode == 2
    assert "the input is not the one that" in done.stderr
    assert "--restart throws it away and begins anew" in done.stderr
    expected = _expected(played.url, source)
    assert run("batch", source, begun, "--url", played.url, "--restart").returncode == 0
    assert begun.read_text() == expected


def test_other_options_that_shape_the_results_are_refused(played: StandIn, source: Path, begun: Path) -> None:
    done = run("batch", source, begun, "--url", played.url, "--no-context")
    assert done.returncode == 2
    assert "was begun with other options: --no-context none, now given; " in done.stderr
    done = run("batch", source, begun, "--url", played.url, "--threshold", "0.5", "--label", "stable")
    assert done.returncode == 2
    assert "was begun with other options: --label none, now stable; --threshold none, now 0.5" in done.stderr
    # How it is asked does not matter.
    done = run("batch", source, begun, "--url", played.url, "--batch-size", "7", "--concurrency", "3")
    assert done.returncode == 0
    assert begun.read_text() == _expected(played.url, source)


def test_a_finished_output_is_not_replaced_unless_told_so(played: StandIn, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("precious")
    done = run("batch", source, target, "--url", played.url)
    assert done.returncode == 2
    assert "is there already; move it away, or give --restart to replace it" in done.stderr
    assert target.read_text() == "precious"
    assert not (tmp_path / "out.csv.part").exists()
    # While it is replaced, the old one stays; and a restarted run goes on like any other.
    played.reactions = [played.answer] * 2 + [played.hold]
    process = start("batch", source, target, "--url", played.url, *ONE_AT_A_TIME, "--restart")
    played.held.wait()
    process.kill()
    process.communicate()
    played.release()
    assert target.read_text() == "precious"
    done = run("batch", source, target, "--url", played.url)
    assert done.returncode == 0
    assert "going on after row 8" in done.stderr
    assert target.read_text() == _expected(played.url, source)


def test_a_damaged_state_is_refused(played: StandIn, source: Path, begun: Path) -> None:
    part, journal = begun.with_name("out.csv.part"), begun.with_name("out.csv.part.json")
    content, state = part.read_bytes(), journal.read_bytes()
    part.write_bytes(content[:-1])
    done = run("batch", source, begun, "--url", played.url)
    assert done.returncode == 2
    assert "is shorter than" in done.stderr
    part.write_bytes(content)
    journal.write_bytes(state[:-1])
    done = run("batch", source, begun, "--url", played.url)
    assert done.returncode == 2
    assert "out.csv.part.json is missing or broken; --restart throws it away" in done.stderr
    journal.unlink()
    assert run("batch", source, begun, "--url", played.url).returncode == 2
    assert part.read_bytes() == content


def test_two_at_once_do_not_mix(played: StandIn, source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    played.reactions = [played.hold]
    first = start("batch", source, target, "--url", played.url)
    played.held.wait()
    second = run("batch", source, target, "--url", played.url, "--restart")
    assert second.returncode == 2
    assert "another process is writing" in second.stderr
    played.release()
    status, _ = finish(first)
    assert status == 0
    assert target.read_text() == _expected(played.url, source)
