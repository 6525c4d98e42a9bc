"""List prices of AWS in us-east-1 (N. Virginia), on demand, without tax and without the free tier of new accounts."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Price:
    """One price, and where it stands."""

    usd: Decimal
    unit: str
    page: str
    """AWS's own page, to look it up again."""
    read: str
    """Where and of what date the figure was read: those pages fill in most prices by script."""


def _price(usd: str, unit: str, page: str, read: str) -> Price:
    return Price(Decimal(usd), unit, f"https://aws.amazon.com/{page}", read)


_BALANCER = "the examples on that page, transcribed on 2026-09-20 (github.com/api-evangelist)"

INSTANCES = {
    "t2.micro": _price(
        "0.0116",
        "instance-hour",
        "ec2/pricing/on-demand/",
        "cloud-bench.com/blog/aws-t2-micro-vs-t3-micro, no date; the same on 2017-10-31 (gist of franc3000)",
    ),
}
"""By instance type."""
VOLUME = _price("0.08", "GB-month of gp3", "ebs/pricing/", "cloud-bench.com/blog/aws-free-tier-ec2, no date")
SNAPSHOT = _price("0.05", "GB-month of snapshot", "ebs/pricing/", "cloud-bench.com/blog/aws-free-tier-ec2, no date")
ADDRESS = _price(
    "0.005",
    "address-hour",
    "vpc/pricing/",
    "doit.com/aws-public-ipv4-price-increase-the-complete-guide, in force since 2024-02-01",
)
NAT_GATEWAY = _price("0.045", "NAT-gateway-hour", "vpc/pricing/", _BALANCER)
LOAD_BALANCER = _price("0.0225", "load-balancer-hour", "elasticloadbalancing/pricing/", _BALANCER)
CAPACITY_UNIT = _price("0.008", "LCU-hour", "elasticloadbalancing/pricing/", _BALANCER)
ALARM = _price("0.10", "metric of an alarm", "cloudwatch/pricing/", "test data of github.com/infracost, no date")
METRIC = _price("0.30", "metric", "cloudwatch/pricing/", "signoz.io/guides/cloudwatch-pricing, 2026-02-15")
LOGS = _price(
    "0.50",
    "GB taken in",
    "cloudwatch/pricing/",
    "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards, 2026-06-13",
)
DASHBOARD = _price("3.00", "dashboard", "cloudwatch/pricing/", LOGS.read)
