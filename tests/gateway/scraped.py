"""Reads what `GET /metrics` answers, as Prometheus would."""

from prometheus_client.parser import text_string_to_metric_families


class Scraped:
    """The samples of one answer."""

    def __init__(self, body: bytes) -> None:
        families = text_string_to_metric_families(body.decode())
        self.samples = [sample for family in families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and, among others, these labels; 0 if there are none."""
        return sum(each.value for each in self.samples if each.name == name and labels.items() <= each.labels.items())

    def labels(self, name: str, label: str) -> set[str]:
        """Every value that this label has in samples of this name."""
        return {each.labels[label] for each in self.samples if each.name == name}
