"""Dashboard and alarms, deployed."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from cloudformation.errors import UsageError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.parameters import resolve
from gateway.api import request_log
from gateway.telemetry.logs import JsonFormatter
from tests.cloudformation.played.cloud import Cloud

AGENT = Path(__file__).parents[3] / "cloudformation/image/cloudwatch-agent.json"
OUTPUTS = {
    "AutoScalingGroupName": "intent-service",
    "LoadBalancerFullName": "app/intent/0123456789abcdef",
    "RollbackAlarmArns": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:intent-target-5xx",
    "TargetGroupFullName": "targetgroup/intent/0123456789abcdef",
}


def alarms(cloud: Cloud) -> dict[str, dict[str, Any]]:
    return {alarm["AlarmName"]: alarm for alarm in cloud.client("cloudwatch").describe_alarms()["MetricAlarms"]}


def dashboard(cloud: Cloud) -> dict[str, Any]:
    body = cloud.client("cloudwatch").get_dashboard(DashboardName="intent")["DashboardBody"]
    found: dict[str, Any] = json.loads(body)
    return found


def test_alarms_of_the_default(fleet: Cloud) -> None:
    found = alarms(fleet)
    assert found.keys() == {
        f"intent-{kind}"
        for kind in (
            "target-5xx",
            "load-balancer-5xx",
            "unhealthy-hosts",
            "latency-p99",
            "no-healthy-host",
            "rejected-connections",
            "cpu-credits",
            "at-maximum",
            "memory",
        )
    }
    assert found["intent-at-maximum"]["Threshold"] == 3
    # Nothing there is as bad as nothing healthy.
    assert found["intent-no-healthy-host"]["TreatMissingData"] == "breaching"
    group = [{"Name": "AutoScalingGroupName", "Value": fleet.outputs["AutoScalingGroupName"]}]
    assert found["intent-cpu-credits"]["Dimensions"] == group


def test_credits_are_watched_where_an_instance_can_run_out_of_them(account: Cloud) -> None:
    account.outputs = dict(OUTPUTS)
    account.deploy("observability", {"InstanceType": "t3.micro"})
    assert "intent-cpu-credits" not in alarms(account)
    assert not any("cpu-credits" in arn for arn in dashboard(account)["widgets"][0]["properties"]["alarms"])


def test_the_topic_is_told(account: Cloud) -> None:
    account.outputs = dict(OUTPUTS)
    topic = account.client("sns").create_topic(Name="alarms")["TopicArn"]
    account.deploy("observability", {"AlarmTopicArn": topic})
    assert all(alarm["AlarmActions"] == alarm["OKActions"] == [topic] for alarm in alarms(account).values())


def test_dashboard_shows_every_alarm_and_what_was_deployed(fleet: Cloud) -> None:
    overview, *widgets = dashboard(fleet)["widgets"]
    assert set(overview["properties"]["alarms"]) == {alarm["AlarmArn"] for alarm in alarms(fleet).values()}
    text = json.dumps(widgets)
    for output in ("LoadBalancerFullName", "TargetGroupFullName", "AutoScalingGroupName"):
        assert fleet.outputs[output] in text
    assert "${" not in text
    assert all(widget["properties"]["region"] == "us-east-1" for widget in widgets)
    assert fleet.outputs["DashboardUrl"].endswith("#dashboards/dashboard/intent")


def test_widgets_do_not_overlap(fleet: Cloud) -> None:
    cells = [
        (x, y)
        for widget in dashboard(fleet)["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_shown_are_metrics_that_the_agent_sends(fleet: Cloud) -> None:
    agent = AGENT.read_text()
    config = json.loads(agent)
    sent = {
        f"{plugin}_{measurement}"
        for plugin, body in config["metrics"]["metrics_collected"].items()
        for measurement in body["measurement"]
    }
    declarations = config["logs"]["metrics_collected"]["prometheus"]["emf_processor"]["metric_declaration"]
    selectors = [selector for declaration in declarations for selector in declaration["metric_selectors"]]
    text = json.dumps(dashboard(fleet))
    shown = set(re.findall(r"\b(?:mem|swap|disk)_used_percent\b|\bgateway_[a-z_]+\b", text))
    assert len(shown) > 5
    for metric in shown:
        assert metric in sent or any(re.search(selector, metric) for selector in selectors), metric


def test_lines_about_single_requests_are_not_sent_to_the_logs() -> None:
    config = json.loads(AGENT.read_text())
    (filtered,) = (each for each in config["logs"]["logs_collected"]["files"]["collect_list"] if "filters" in each)
    (left_out,) = (each["expression"] for each in filtered["filters"] if each["type"] == "exclude")

    def is_left_out(logger: str, level: int) -> bool:
        line = JsonFormatter().format(logging.LogRecord(logger, level, "", 0, "request", (), None))
        return bool(re.search(left_out, line))

    assert is_left_out(request_log.__name__, logging.INFO)
    assert not is_left_out(request_log.__name__, logging.ERROR)
    assert not is_left_out("gateway.upstream.breaker", logging.INFO)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LoadBalancerFullName", "intent"),
        ("TargetGroupFullName", "intent"),
        ("AutoScalingGroupName", ""),
        ("RollbackAlarmArns", "intent-target-5xx"),
        ("InstanceType", "huge"),
        ("MaxSize", "11"),
        ("RequestsPerTarget", "many"),
        ("AlarmTopicArn", "alarms"),
    ],
)
def test_wrong_parameter_is_refused(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=name):
        resolve(load(TEMPLATES["observability"]), {**OUTPUTS, name: value})
