"""Every file that has to write the gateway's port down writes the default of the gateway's own settings."""

import re

import pytest

from gateway.settings.settings import Settings
from tests.servers import ROOT

# Each file with a pattern of what is written before the port, and how often it stands there.
PLACES = [
    ("gateway/Dockerfile", "EXPOSE ", 1),
    ("gateway/Dockerfile", "'GATEWAY_PORT', '", 1),
    ("compose.yaml", 'GATEWAY_PORT: "', 1),
    ("compose.yaml", r"INTENT_ADDRESS:-127\.0\.0\.1}:", 1),
    ("compose.yaml", r"INTENT_ADDRESS:-127\.0\.0\.1}:\d+:", 1),
    ("serving_config/__main__.py", r'"--port", type=_port, default=', 1),
    ("client/intent_client/async_client.py", "http://localhost:", 1),
    ("client/intent_client/__init__.py", "http://localhost:", 1),
    ("cloudformation/image/prometheus.yaml", r"127\.0\.0\.1:", 1),
    ("cloudformation/image/instance/readiness.py", r"127\.0\.0\.1:", 1),
    ("cloudformation/image/instance/model_server.py", r"gateway=", 1),
    ("cloudformation/image/units/intent-gateway.service", r"HTTP ", 1),
    ("cloudformation/templates/balancer.yaml", r"(?:From|To)Port: (?=[5-7])", 4),
    ("cloudformation/templates/balancer.yaml", r"    Port: (?=\d{4})", 1),
    ("README.md", r"localhost:(?!850)", 2),
    ("README.md", r"\(HTTP ", 1),
    ("docs/gateway.md", "localhost:", 1),
    ("docs/client.md", "http://localhost:", 2),
    ("docs/deployment.md", "localhost:", 1),
]


@pytest.mark.parametrize(("file", "before", "times"), PLACES)
def test_the_port_is_the_same_everywhere(file: str, before: str, times: int) -> None:
    found = re.findall(rf"{before}(\d+)", (ROOT / file).read_text(encoding="utf-8"))
    assert found.count(str(Settings().port)) >= times
    others = set(found) - {str(Settings().port)}
    assert not others, f"{file} has {before}{others}, but the gateway listens on {Settings().port}"
