"""The account and the region that the command works on, and what AWS's refusals mean, in one line each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from boto3.exceptions import Boto3Error
from botocore import exceptions as said
from botocore.config import Config
from botocore.parsers import ResponseParserError

from cloudformation.errors import FleetError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

# `standard` waits with growing, jittered pauses after throttling and lost connections. CloudFormation throttles
# describe calls per account, where others work too: more than twice the usual three tries.
_TRIES = 8

CONNECTION_LOST = (said.ConnectionError, said.HTTPClientError)
"""What botocore raises when AWS cannot be reached or does not answer, all its tries included."""

REFUSALS = (said.BotoCoreError, said.ClientError, Boto3Error, ResponseParserError)
"""Everything that a call can raise; the last is what a proxy's own page becomes."""

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN = {
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_FORBIDDEN = {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


@dataclass(frozen=True)
class Aws:
    """Clients of one account in one region."""

    session: boto3.Session
    region: str
    account: str

    @cached_property
    def autoscaling(self) -> "AutoScalingClient":
        """The group, its instances, their refresh."""
        return self.session.client("autoscaling", self.region, config=_config())

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """The stacks."""
        return self.session.client("cloudformation", self.region, config=_config())

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """The alarms."""
        return self.session.client("cloudwatch", self.region, config=_config())

    @cached_property
    def load_balancing(self) -> "ElasticLoadBalancingv2Client":
        """The targets' health."""
        return self.session.client("elbv2", self.region, config=_config())

    @cached_property
    def s3(self) -> "S3Client":
        """The artifacts' bucket."""
        return self.session.client("s3", self.region, config=_config())

    @cached_property
    def ssm(self) -> "SSMClient":
        """The releases' images."""
        return self.session.client("ssm", self.region, config=_config())


def connect(region: str | None, profile: str | None) -> Aws:
    """Region and profile as the AWS CLI takes them: the option, then the environment, then the configuration file.

    Raises:
        FleetError: no region.
        BotoCoreError, ClientError: no such profile, or no credentials that AWS accepts.
    """
    session = boto3.Session(profile_name=profile)
    # The AWS CLI reads AWS_REGION first; boto3 knows AWS_DEFAULT_REGION only.
    chosen = region or os.environ.get("AWS_REGION") or session.region_name
    if not chosen:
        raise FleetError("no region; give --region, set AWS_REGION, or name one in ~/.aws/config")
    account = session.client("sts", chosen, config=_config()).get_caller_identity()["Account"]
    return Aws(session, chosen, account)


@contextmanager
def plain_refusals() -> Iterator[None]:
    """Turns everything that AWS and its library raise into FleetError."""
    try:
        yield
    except REFUSALS as error:
        raise FleetError(explain(error)) from error


def _config() -> Config:
    tries = int(os.environ.get("AWS_MAX_ATTEMPTS", _TRIES))
    return Config(retries={"mode": "standard", "total_max_attempts": tries}, connect_timeout=10, read_timeout=60)


def error_code(error: said.ClientError) -> str:
    """AWS's own word for the error."""
    return error.response.get("Error", {}).get("Code", "")


def error_message(error: said.ClientError) -> str:
    """AWS's own sentence, on one line."""
    return " ".join(error.response.get("Error", {}).get("Message", "").split())


def explain(error: Exception) -> str:
    """What a refusal of AWS, or of botocore before it asks, means and what to do about it, in one line."""
    if isinstance(error, said.ClientError):
        return _explain_answer(error)
    text = " ".join(str(error).split())
    if isinstance(error, said.NoCredentialsError):
        return "no AWS credentials; sign in (`aws sso login`, `aws configure`) or set AWS_PROFILE"
    if isinstance(error, said.ProfileNotFound):
        return f"{text}; `aws configure list-profiles` shows those that exist"
    if isinstance(error, said.UnauthorizedSSOTokenError | said.SSOTokenLoadError | said.TokenRetrievalError):
        return "the AWS sign-in has expired; run `aws sso login`"
    if isinstance(error, said.LoginRefreshRequired | said.LoginTokenLoadError):
        return "the AWS sign-in has expired; run `aws login`"
    if isinstance(error, CONNECTION_LOST):
        return f"AWS cannot be reached: {text}; check the region's name and the network"
    return text


def _explain_answer(error: said.ClientError) -> str:
    code, message = error_code(error), error_message(error)
    if code in _EXPIRED:
        return "the AWS credentials have expired; sign in again (`aws sso login`) or set new ones"
    if code in _UNKNOWN:
        return f"AWS does not accept the credentials ({code}); sign in again, or check the profile and the clock"
    if code in _FORBIDDEN:
        return f"AWS forbids {error.operation_name}: {message}"
    return f"{error.operation_name}: {message or 'no reason given'} ({code})"
