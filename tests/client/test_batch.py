"""`python -m intent_client batch` at a real gateway: files in, files out, in order, with each row's own error."""

import csv
import json
import os
import pty
import re
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tests.client.command import finish, run, start
from tests.client.stand_in import StandIn, refuse
from tests.gateway.conftest import MODEL
from tests.gateway.running import gateway
from tests.gateway.tiny_model import NOT_A_NUMBER, PROBABILITY, probability
from tests.servers import ModelServer

ADDED = ["intent", "score", "version", "abstained", "error"]


def _read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _read_jsonl(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_csv_keeps_its_columns_and_order(url: str, tmp_path: Path) -> None:
    rows = [{"id": str(number), "text": "x" * (1 + number % 11), "note": f'a "{number}", b'} for number in range(200)]
    rows[7]["text"] = "two\nlines, 🍝"
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    with source.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, ["id", "text", "note"])
        writer.writeheader()
        writer.writerows(rows)
    done = run("batch", source, target, "--url", url, "--batch-size", "7", "--concurrency", "4")
    assert done.returncode == 0, done.stderr
    got = _read_csv(target)
    assert list(got[0]) == ["id", "text", "note", *ADDED]
    assert [{name: row[name] for name in ("id", "text", "note")} for row in got] == rows
    assert [row["intent"] for row in got] == [MODEL.intent(row["text"]) for row in rows]
    assert {(row["score"], row["version"], row["abstained"], row["error"]) for row in got} == {
        (str(PROBABILITY), "1", "false", "")
    }
    assert done.stdout == ""
    assert "200 rows: 200 answered; " in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_jsonl_keeps_its_fields_as_they_stand(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(
        '{"text": "abc", "n": 1.50, "big": 123456789012345678901234567890, "deep": {"a": [1, null]}}\n'
        '\n{"id":2,"text":"caf\\u00e9"}\n{"text":"no line feed"}',
        encoding="utf-8",
    )
    done = run("batch", source, "-o", target, "--url", url, "--threshold", "0.9")
    assert done.returncode == 0, done.stderr
    first = target.read_text(encoding="utf-8").splitlines()[0]
    assert '"n":1.50,"big":123456789012345678901234567890,"deep":{"a": [1, null]}' in first
    abstained = {"intent": None, "score": PROBABILITY, "version": 1, "abstained": True, "error": None}
    assert _read_jsonl(target)[1:] == [{"id": 2, "text": "café", **abstained}, {"text": "no line feed", **abstained}]
    assert "3 rows: 3 answered, 3 of them abstained; " in done.stderr


def test_lines_of_text_become_csv_or_jsonl(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_bytes("stop\r\n\n  \nNächster Schritt, bitte\n".encode())
    assert run("batch", source, target, "--url", url).returncode == 0
    assert [(row["text"], row["intent"]) for row in _read_jsonl(target)] == [
        (text, MODEL.intent(text)) for text in ("stop", "Nächster Schritt, bitte")
    ]
    done = run("batch", source, "--url", url)
    assert done.stdout.splitlines() == [
        "text,intent,score,version,abstained,error",
        f"stop,{MODEL.intent('stop')},0.75,1,false,",
        f'"Nächster Schritt, bitte",{MODEL.intent("Nächster Schritt, bitte")},0.75,1,false,',
    ]


@pytest.mark.parametrize(
    ("words", "stdin", "first"),
    [
        ([], b"a\nbb\n", "text,intent,score,version,abstained,error"),
        (["--format", "csv"], b"text\na\nbb\n", "text,intent,score,version,abstained,error"),
        (["--format", "jsonl"], b'{"text":"a"}\n{"text":"bb"}\n', '{"text":"a","intent":"chitchat"'),
    ],
)
def test_standard_input(url: str, words: list[str], stdin: bytes, first: str) -> None:
    done = run("batch", "-", "--url", url, *words, stdin=stdin)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(first)
    assert done.stdout.count("\n") == 2 + (first[0] == "t")


def test_csv_to_jsonl_with_another_column_and_names_of_its_own(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("utterance,intent\nabc,gold\n")
    refused = run("batch", source, target, "--url", url, "--column", "utterance")
    assert refused.returncode == 2
    assert "the input has intent already; name the results otherwise, as with --prefix predicted_" in refused.stderr
    assert not target.exists()
    done = run("batch", source, target, "--url", url, "--column", "utterance", "--prefix", "predicted_")
    assert done.returncode == 0
    assert _read_jsonl(target) == [
        {
            "utterance": "abc",
            "intent": "gold",
            "predicted_intent": MODEL.intent("abc"),
            "predicted_score": PROBABILITY,
            "predicted_version": 1,
            "predicted_abstained": False,
            "predicted_error": None,
        }
    ]


def test_columns_role_and_previous_are_asked_with_the_text(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = ['"Shall we go on?",1,Yes,student', ",2,No,", '"a, b",3,ok,unknown', ",4,well,teacher", ",5,x,cook"]
    source.write_text("\n".join(["previous,id,text,role", *rows]))
    done = run("batch", source, target, "--url", url)
    assert done.returncode == 1
    got = _read_csv(target)
    assert list(got[0]) == ["previous", "id", "text", "role", *ADDED]
    assert [float(row["score"]) for row in got[:4]] == pytest.approx(
        [probability("student", "Shall we go on?"), PROBABILITY, probability("", "a, b"), probability("teacher")]
    )
    assert got[4]["error"] == "bad_row: line 6: the role is none of student, teacher, unknown"
    assert run("batch", source, target, "--url", url, "--no-context", "--restart").returncode == 0
    assert {row["score"] for row in _read_csv(target)} == {str(PROBABILITY)}


def test_fields_role_and_previous_are_asked_with_the_text(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"text": "Yes", "role": "student", "previous": "Shall we go on?"},
        {"text": "No", "role": None, "previous": None},
        {"text": "ok", "previous": "b"},
        {"text": "well", "role": 1},
        {"text": "so", "previous": ["b"]},
        {"text": "x", "role": "cook"},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run("batch", source, target, "--url", url).returncode == 1
    got = _read_jsonl(target)
    assert [{name: row[name] for name in given} for row, given in zip(got, rows, strict=True)] == rows
    assert [row["score"] for row in got[:3]] == pytest.approx(
        [probability("student", "Shall we go on?"), PROBABILITY, probability("", "b")]
    )
    assert [row["error"] for row in got[3:]] == [
        "bad_row: line 4: the field role is no text",
        "bad_row: line 5: the field previous is no text",
        "bad_row: line 6: the role is none of student, teacher, unknown",
    ]


def test_the_column_of_the_text_is_nothing_else(url: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("previous,text\nShall we go on?,Yes\n")
    done = run("batch", tmp_path / "in.csv", "--url", url, "--column", "previous")
    assert done.stdout.splitlines()[1] == f"Shall we go on?,Yes,{MODEL.intent('Shall we go on?')},0.75,1,false,"


def test_rows_that_cannot_be_answered_have_their_error(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    long = "x" * 1001
    source.write_bytes(f"text,id\na,1\n,2\n{NOT_A_NUMBER},3\n{long},4\nb\nc,6,7\n\n".encode() + b"caf\xe9,8\nd,9\n")
    done = run("batch", source, target, "--url", url)
    assert done.returncode == 1
    assert "8 rows: 2 answered, 6 failed (3 bad_row, 1 invalid_request, 1 model_contract_broken, 1 text_too_long)" in (
        done.stderr
    )
    got = _read_csv(target)
    assert [row["error"].split(":")[0] for row in got] == [
        "",
        "invalid_request",
        "model_contract_broken",
        "text_too_long",
        "bad_row",
        "bad_row",
        "bad_row",
        "",
    ]
    assert [row["intent"] != "" for row in got] == [row["error"] == "" for row in got]
    assert got[4]["error"] == "bad_row: line 6 ends a row of 1 cells under 2 columns"
    assert got[5]["error"] == "bad_row: line 7 ends a row of 3 cells under 2 columns"
    assert got[6]["error"] == "bad_row: line 9 is not UTF-8"
    assert (got[6]["text"], got[6]["id"]) == ("caf\ufffd", "8")


def test_lines_that_are_no_json_have_their_error(url: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = [b"not json", b'["text"]', b'{"id": 3}', b'{"text": 4}', b'{"text": "\\ud800"}', b'{"text": "\xff"}']
    huge = b'{"text": "' + b"x" * (1 << 20) + b'"}'
    source.write_bytes(b"\n".join([*lines, huge, b'{"text": "good"}']))
    done = run("batch", source, target, "--url", url)
    assert done.returncode == 1
    got = _read_jsonl(target)
    assert [row["error"] for row in got] == [
        "bad_row: line 1 is no JSON object",
        "bad_row: line 2 is no JSON object",
        "bad_row: line 3 has no field text",
        "bad_row: line 4: the field text is no text",
        "bad_row: line 5 is no JSON object",
        "bad_row: line 6 is not UTF-8",
        "bad_row: line 7 is longer than 1048576 bytes",
        None,
    ]
    assert got[0]["line"] == "not json"
    assert got[2]["id"] == 3
    assert got[7]["intent"] == MODEL.intent("good")


@pytest.mark.parametrize(
    ("name", "content", "words", "message"),
    [
        (
            "in.csv",
            b"utterance,id\na,1\n",
            ["out.csv"],
            "no column text; it has utterance, id; name the right one with",
        ),
        ("in.csv", b"", ["out.csv"], "the CSV has no column text; it has no header at all"),
        ("in.csv", b"text,text\na,1\n", ["out.csv"], "the CSV's header names a column twice: text, text"),
        ("in.dat", b"a\n", ["out.csv"], "the ending says no format; give --format csv, jsonl or txt"),
        ("in.txt", b"a\n", ["out.txt"], "results are written as .csv or .jsonl"),
        ("in.jsonl", b'{"text":"a"}\n', ["out.csv"], "may differ from line to line; write the results as .jsonl"),
        ("in.csv", b"text\na\n", ["in.csv"], "input and output are the same file"),
        ("in.csv", b"text\na\n", ["out.csv", "-o", "out.csv"], "OUTPUT is given twice"),
        ("in.csv", b"text\na\n", ["out.csv", "--batch-size", "0"], "0 is no whole number above 0"),
        ("in.csv", b"text\na\n", ["out.csv", "--threshold", "1.5"], "1.5 is no number from 0 to 1"),
        ("in.csv", b"text\na\n", ["out.csv", "--version", "1", "--label", "x"], "not allowed with argument"),
        ("in.csv", b"text\na\n", ["out.csv", "--url", "nowhere"], "nowhere is no URL of a gateway"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_written(
    tmp_path: Path, name: str, content: bytes, words: list[str], message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    placed = [str(tmp_path / word) if "." in word and word != "1.5" else word for word in words]
    done = run("batch", tmp_path / name, *placed)
    assert done.returncode == 2
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    done = run("batch", tmp_path / "in.csv", tmp_path / "out.csv")
    assert done.returncode == 1
    assert "in.csv: No such file or directory" in done.stderr
    (tmp_path / "in.csv").write_text("text\na\n")
    done = run("batch", tmp_path / "in.csv", tmp_path / "nowhere" / "out.csv")
    assert done.returncode == 1
    assert "No such file or directory" in done.stderr


def test_a_quote_left_open_does_not_swallow_the_rows_before_it(played: StandIn, tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text('text\na\nb\n"open\nc\n')
    done = run("batch", source, target, "--url", played.url, "--batch-size", "1")
    assert done.returncode == 2
    assert "the CSV cannot be read from line 4 on: unexpected end of data; is a quote left open?" in done.stderr
    assert len(_read_csv(tmp_path / "out.csv.part")) == 2


def test_nothing_in_nothing_out(url: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,id\n")
    assert run("batch", tmp_path / "in.csv", tmp_path / "out.csv", "--url", url).returncode == 0
    assert (tmp_path / "out.csv").read_text() == "text,id,intent,score,version,abstained,error\n"
    assert run("batch", "-", "--format", "jsonl", "--url", url).stdout == ""


def test_the_bar_is_drawn_on_stderr_when_asked_for(played: StandIn) -> None:
    stdin = b"a\n" * 100
    with_bar = run("batch", "-", "--progress", "--url", played.url, "--batch-size", "10", stdin=stdin)
    without = run("batch", "-", "--url", played.url, "--batch-size", "10", stdin=stdin)
    assert with_bar.stdout == without.stdout
    # A run that takes more than a second shows its speed too.
    assert re.search(r"100 rows(, [\d,]+ a second)? \[", with_bar.stderr)
    assert "\r" in with_bar.stderr
    assert "\r" not in without.stderr


def test_on_a_terminal_the_bar_is_drawn_unless_forbidden(played: StandIn, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("a\n" * 100)
    drawn = []
    for words in ([], ["--no-progress"]):
        terminal, stderr = pty.openpty()
        termios.tcsetwinsize(stderr, (24, 80))
        words += ["--url", played.url, "--restart"]
        process = start("batch", tmp_path / "in.txt", tmp_path / "out.csv", *words, stderr=stderr)
        os.close(stderr)
        shown = b""
        # A terminal whose last user is gone gives EIO.
        with suppress(OSError):
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)
        process.communicate()
        assert process.returncode == 0
        assert b"100 rows: 100 answered" in shown
        drawn.append(b"%" in shown)
    assert drawn == [True, False]


def test_a_reader_that_has_enough_ends_it_quietly(played: StandIn, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("a\n" * 20000)
    enough, stdout = os.pipe()
    os.close(enough)
    process = start("batch", tmp_path / "in.txt", "--url", played.url, "--batch-size", "1000", stdout=stdout)
    os.close(stdout)
    status, err = finish(process)
    assert status == 1
    assert "Broken pipe" not in err


def test_most_requests_at_once_and_texts_in_each(played: StandIn) -> None:
    done = run("batch", "-", "--url", played.url, "--batch-size", "5", "--concurrency", "2", stdin=b"a\n" * 23)
    assert done.returncode == 0
    assert sorted(len(asked.texts) for asked in played.asked) == [3, 5, 5, 5, 5]
    assert played.most_at_once <= 2
    assert len({asked.peer for asked in played.asked}) <= 2
    assert all(asked.body["top_k"] == 1 for asked in played.asked)


def test_memory_does_not_grow_with_the_input(played: StandIn, tmp_path: Path) -> None:
    one, many = tmp_path / "one.csv", tmp_path / "many.csv"
    row = f"stop,{'x' * 16384}\n"
    one.write_text("text,note\n" + row)
    with many.open("w") as file:
        file.write("text,note\n")
        file.writelines(row for _ in range(4096))
    kibibytes = []
    for source in (one, many):
        process = start("batch", source, source.with_suffix(".out.csv"), "--url", played.url)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.communicate()
        assert process.returncode == 0
        kibibytes.append(usage.ru_maxrss)
    # The input has 64 MiB.
    assert kibibytes[1] - kibibytes[0] < 16 * 1024


def test_a_rate_limit_is_respected(server: ModelServer, tmp_path: Path) -> None:
    """A real gateway whose key allows two requests a second: every row is answered all the same."""
    from gateway.api_keys.key import ApiKey, digest

    keys, key = tmp_path / "keys.txt", tmp_path / "key.txt"
    keys.write_text(f"{ApiKey('batch', digest('s3cret'), 2)}\n")
    key.write_text("s3cret\n")
    with gateway(model_server=server.address, keys_file=keys) as limited:
        words = ["--url", f"http://127.0.0.1:{limited.port}", "--batch-size", "1", "--concurrency", "4"]
        without = run("batch", "-", *words, stdin=b"a\n")
        done = run("batch", "-", *words, "--key-file", key, stdin=b"a\nbb\nccc\n" * 2)
        in_environment = run("batch", "-", *words, stdin=b"a\n", INTENT_API_KEY="s3cret")
        wrong = run("batch", "-", *words, "--key", "wrong", stdin=b"a\n")
    assert (without.returncode, wrong.returncode) == (1, 1)
    assert "key_required: " in without.stderr
    assert "key_required: " in wrong.stderr
    assert done.returncode == 0, done.stderr
    assert [line.split(",")[1] for line in done.stdout.splitlines()[1:]] == [
        MODEL.intent(text) for text in ("a", "bb", "ccc") * 2
    ]
    assert in_environment.returncode == 0


def test_a_gateway_that_stays_busy_stops_it_resumably(played: StandIn, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_text("a\nbb\nccc\n")
    played.reactions = [played.answer]
    played.always = refuse(503, "overloaded", retry_after="3600")
    done = run("batch", source, target, "--url", played.url, "--batch-size", "1", "--concurrency", "1")
    assert done.returncode == 1
    assert "overloaded: about overloaded, request " in done.stderr
    assert "stopped after row 1; to go on there, run the same command again" in done.stderr
    assert not target.exists()
    played.always = None
    done = run("batch", source, target, "--url", played.url, "--batch-size", "1", "--concurrency", "1")
    assert done.returncode == 0
    assert [row["text"] for row in _read_csv(target)] == ["a", "bb", "ccc"]
    assert [asked.texts for asked in played.asked] == [["a"], ["bb"], ["bb"], ["ccc"]]
