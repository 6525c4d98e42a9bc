"""How samples become parts of the gateway's work."""

import re

import pytest

from benchmarks.gateway import profile

LOOP = "BaseEventLoop._run_once (asyncio/base_events.py:1922);Handle._run (asyncio/events.py:80)"
BEFORE = f"main (gateway/__main__.py:55);BaseEventLoop.run_forever (asyncio/base_events.py:607);{LOOP}"
LOG = "Application._handle (aiohttp/web_app.py:563);RequestLog.middleware (gateway/api/request_log.py:69)"


def raw(calls: str, count: int, pid: int = 7) -> str:
    return f"thread ({pid}): MainThread;{BEFORE}{calls and ';'}{calls} {count}"


@pytest.mark.parametrize(
    ("calls", "part", "function"),
    [
        ("", profile.EVENT_LOOP, "asyncio/events.py:Handle._run"),
        (LOG, "middlewares, limits, views", "gateway/api/request_log.py:RequestLog.middleware"),
        (
            f"{LOG};_values (gateway/api/request_log.py:104)",
            "access log",
            "gateway/api/request_log.py:_values",
        ),
        (
            f"{LOG};_values (gateway/api/request_log.py:104);Logger.log (logging/__init__.py:1559)",
            "access log",
            "logging/__init__.py:Logger.log",
        ),
        (
            f"{LOG};__call__ (enum.py:5)",
            "middlewares, limits, views",
            "gateway/api/request_log.py:RequestLog.middleware",
        ),
        (
            f"{LOG};Metrics.done (gateway/telemetry/metrics.py:1);Histogram.observe (prometheus_client/metrics.py:1)",
            "metrics",
            "prometheus_client/metrics.py:Histogram.observe",
        ),
        (
            "UnaryUnaryCall._invoke (grpc/aio/_call.py:595);_transform (grpc/_common.py:87)",
            "gRPC client",
            "grpc/_common.py:_transform",
        ),
        (
            "Combiner._together (gateway/upstream/combiner.py:1);Loop.call_later (asyncio/base_events.py:727)",
            "combiner",
            "gateway/upstream/combiner.py:Combiner._together",
        ),
        (f"{LOG};json_response (gateway/api/views.py:21)", "JSON (msgspec)", "gateway/api/views.py:json_response"),
        (
            "StreamWriter._writelines (aiohttp/http_writer.py:116);write (asyncio/selector_events.py:1057)",
            "sockets: read, write, wait",
            "asyncio/selector_events.py:write",
        ),
        (f"{LOG};read_body (gateway/api/bodies.py:56)", "checks of the request", "gateway/api/bodies.py:read_body"),
        (
            "RequestHandler.start (aiohttp/web_protocol.py:666)",
            "HTTP (aiohttp)",
            "aiohttp/web_protocol.py:RequestHandler.start",
        ),
        (
            "Calls.__init__.<locals>.<dictcomp>.<lambda> (gateway/upstream/calls.py:43)",
            "gRPC client",
            "gateway/upstream/calls.py:Calls.__init__.<locals>.<dictcomp>.<lambda>",
        ),
    ],
)
def test_a_sample_belongs_to_the_innermost_part(calls: str, part: str, function: str) -> None:
    ((frames, count),) = profile.main_stacks([raw(calls, 3)], 7)
    assert count == 3
    assert profile.part_of(frames) == (part, function)


def test_shares_are_of_the_whole_process() -> None:
    samples = [
        raw("", 10),
        raw(LOG, 30),
        # Only sleeps; what gRPC's threads use is known from the kernel.
        "thread (9): Thread-1;run (threading.py:982) 500",
        "thread (7): MainThread 5",
    ]
    parts = profile.parts(profile.main_stacks(samples, 7), main=0.8)
    assert [(part.name, part.share) for part in parts] == [
        ("middlewares, limits, views", pytest.approx(0.6)),
        (profile.EVENT_LOOP, pytest.approx(0.2)),
        (profile.OWN_THREADS, pytest.approx(0.2)),
    ]
    assert parts[0].functions == (("gateway/api/request_log.py:RequestLog.middleware", pytest.approx(0.6)),)


def test_a_profile_without_samples_is_an_error() -> None:
    with pytest.raises(profile.ProfileError, match="--profile-seconds"):
        profile.parts([], 1)


@pytest.mark.parametrize(
    ("said", "explained"),
    [
        ("Error: Permission Denied: Try running again with elevated permissions", "ptrace_scope"),
        ("Error: Operation not permitted (os error 1)", "ptrace_scope"),
        ("Error: no such process\n\nStack backtrace:\n   0: main", "py-spy failed: Error: no such process$"),
    ],
)
def test_a_failure_of_py_spy_is_explained(said: str, explained: str) -> None:
    assert re.search(explained, profile.explained(said))
