"""The header traceparent, taken from the caller or made."""

import pytest

from gateway.telemetry.trace import TraceParent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{SPAN}-01"


def test_a_span_of_ours_stands_below_the_callers() -> None:
    caller = TraceParent.read(HEADER)
    assert caller == TraceParent(TRACE, SPAN, "01")
    assert str(caller) == HEADER
    ours = caller.child()
    assert (ours.trace_id, ours.flags) == (TRACE, "01")
    assert ours.span_id != SPAN
    assert TraceParent.read(str(ours)) == ours


def test_a_new_trace_is_like_no_other_and_not_recorded() -> None:
    one, other = TraceParent.new(), TraceParent.new()
    assert one.trace_id != other.trace_id
    assert one.flags == "00"
    assert TraceParent.read(str(one)) == one


def test_a_later_version_may_say_more() -> None:
    expected = TraceParent(TRACE, SPAN, "01")
    assert TraceParent.read(f"cc-{TRACE}-{SPAN}-01") == expected
    assert TraceParent.read(f"cc-{TRACE}-{SPAN}-01-what-ever") == expected


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        TRACE,
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01",
        f" {HEADER}",
        f"{HEADER}\n",
        f"{HEADER},{HEADER}",
    ],
)
def test_a_wrong_header_is_as_none(header: str) -> None:
    assert TraceParent.read(header) is None
