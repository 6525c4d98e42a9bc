"""Reads a model server's metrics page."""

import re
from dataclasses import dataclass

from tests.model_server.rest_client import Rest

DEFAULT_PATH = "/monitoring/prometheus/metrics"
SERVING = ":tensorflow:serving:"
CONFIG = "prometheus_config { enable: true }"

_POINT = re.compile(r"(\S+)\{(.*)\} (\S+)")


@dataclass(frozen=True)
class Page:
    """The metrics at one moment: kinds by name, values by name and braces as they are written."""

    text: str

    @property
    def kinds(self) -> dict[str, str]:
        """The TYPE lines."""
        found = re.findall("^# TYPE (.*) (.*)$", self.text, re.MULTILINE)
        return dict(found)

    def value(self, name: str, labels: str = "") -> float:
        """The value of `name{labels}`; 0 as long as the page does not have it."""
        points = (_POINT.fullmatch(line) for line in self.text.splitlines() if line.startswith(SERVING + name + "{"))
        return sum(float(point[3]) for point in points if point and point[2] == labels)


def read(rest: Rest, path: str = DEFAULT_PATH) -> Page:
    """The page as it is now."""
    answer = rest.get(path)
    assert (answer.status, answer.content_type) == (200, "text/plain")
    return Page(answer.text)
