"""docs/gateway.md against the code: errors, the table of gRPC statuses, metrics. Settings are in test_settings."""

import re
from collections.abc import Iterator

from gateway.errors import GatewayError
from gateway.telemetry.metrics import Metrics
from gateway.upstream.statuses import TABLE
from tests.servers import ROOT

DOCUMENT = (ROOT / "docs/gateway.md").read_text()


def _codes(kind: type[GatewayError]) -> Iterator[tuple[str, str]]:
    # Classes without a code of their own only group others.
    if "code" in vars(kind):
        yield str(kind.status), kind.code
    for each in kind.__subclasses__():
        yield from _codes(each)


def test_every_error_has_a_row_and_every_row_an_error() -> None:
    listed = set(re.findall(r"^\| (\d{3}) \| `(\w+)` \|", DOCUMENT, re.MULTILINE))
    assert listed == set(_codes(GatewayError))


def test_every_grpc_status_has_its_row() -> None:
    listed = re.findall(r"^\| `([A-Z_]+)` \| (\d{3}) \| `(\w+)` \|", DOCUMENT, re.MULTILINE)
    assert listed == [(code.name, str(kind.status), kind.code) for code, (kind, _) in TABLE.items()]


def test_every_metric_has_its_row() -> None:
    metrics = Metrics()
    metrics.watch(lambda: 0, lambda: 0)
    body, _ = metrics.render("")
    exported = set(re.findall(rb"^# TYPE (gateway_\w+) ", body, re.MULTILINE))
    listed = set(re.findall(r"^\| `(gateway_\w+)` \|", DOCUMENT, re.MULTILINE))
    assert {name.decode() for name in exported if not name.endswith(b"_created")} == listed
