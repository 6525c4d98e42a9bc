"""Tells whoever waits for this instance: Auto Scaling by its launch hook, CloudFormation by a signal."""

import time
from collections.abc import Callable
from typing import Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cloudformation.image.instance.errors import InstanceError, NotReadyError
from cloudformation.image.instance.settings import InstanceSettings

PAUSE_SECONDS = 5.0
TELL_SECONDS = 60.0
"""How long it is tried to say a thing; the hook, for one, may not be reached yet when a fast instance is ready."""
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5})


class Rollout:
    """One instance's part in it: first the hook, so that the load balancer gets to know it, then the stack."""

    def __init__(
        self,
        settings: InstanceSettings,
        instance: str,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`instance` is its id."""
        self._settings = settings
        self._instance = instance
        self._say = say
        self._sleep = sleep

    def ready(self, seconds: float) -> None:
        """The instance answers: completes the hook, then has so many seconds until the stack is told.

        Raises:
            NotReadyError: the load balancer has not found it healthy in time; the stack has been told so.
            InstanceError: somebody could not be told.
        """
        if self._settings.hook:
            self._try_to_tell(lambda: self._complete_hook("CONTINUE"))
        if self._settings.stack:
            try:
                self._wait_for_load_balancer(seconds)
            except NotReadyError:
                self._try_to_tell(lambda: self._signal_stack("FAILURE"))
                raise
            self._try_to_tell(lambda: self._signal_stack("SUCCESS"))

    def not_ready(self) -> None:
        """The instance does not answer: everybody who waits is told now, and not when their patience ends.

        Raises:
            InstanceError: somebody could not be told.
        """
        # The stack first: Auto Scaling ends an instance whose hook is abandoned.
        if self._settings.stack:
            self._try_to_tell(lambda: self._signal_stack("FAILURE"))
        if self._settings.hook:
            self._try_to_tell(lambda: self._complete_hook("ABANDON"))

    def _wait_for_load_balancer(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (state := self._target_state()) != "healthy":
            if time.monotonic() > until:
                raise NotReadyError(f"the load balancer did not find this instance healthy in time: {state}")
            self._sleep(PAUSE_SECONDS)
        self._say("the load balancer finds it healthy")

    def _target_state(self) -> str:
        client = boto3.client("elbv2", region_name=self._settings.region, config=_RETRIES)
        try:
            answer = client.describe_target_health(
                TargetGroupArn=self._settings.target_group_arn, Targets=[{"Id": self._instance}]
            )
        except (BotoCoreError, ClientError) as error:
            return str(error)
        health = answer["TargetHealthDescriptions"][0]["TargetHealth"]
        return " ".join(filter(None, (health.get("State"), health.get("Reason"), health.get("Description"))))

    def _complete_hook(self, result: Literal["CONTINUE", "ABANDON"]) -> None:
        client = boto3.client("autoscaling", region_name=self._settings.region, config=_RETRIES)
        client.complete_lifecycle_action(
            AutoScalingGroupName=self._settings.asg,
            LifecycleHookName=self._settings.hook,
            InstanceId=self._instance,
            LifecycleActionResult=result,
        )
        self._say(f"told Auto Scaling: {result}")

    def _signal_stack(self, status: Literal["SUCCESS", "FAILURE"]) -> None:
        client = boto3.client("cloudformation", region_name=self._settings.region, config=_RETRIES)
        try:
            client.signal_resource(
                StackName=self._settings.stack,
                LogicalResourceId=self._settings.resource,
                UniqueId=self._instance,
                Status=status,
            )
        except ClientError as error:
            # An instance that Auto Scaling started by itself, or an update that does not wait for signals.
            if "cannot be signaled" not in str(error):
                raise
            self._say("the stack does not wait for a signal")
            return
        self._say(f"told CloudFormation: {status}")

    def _try_to_tell(self, tell: Callable[[], None]) -> None:
        until = time.monotonic() + TELL_SECONDS
        while True:
            try:
                return tell()
            except (BotoCoreError, ClientError) as error:
                if time.monotonic() > until:
                    raise InstanceError(f"nobody could be told: {error}") from error
                self._say(f"again in {PAUSE_SECONDS:.0f} s: {error}")
            self._sleep(PAUSE_SECONDS)
