"""artifacts.yaml: a bucket that is private, encrypted, versioned, and outlives its stack."""

from pathlib import Path

from cloudformation.template.files import TEMPLATES, load
from tests.cloudformation.played.operating import Command
from tests.cloudformation.played.played_aws import PlayedAws


def test_what_is_put_there_is_encrypted(aws: PlayedAws, models: Path, run: Command) -> None:
    run("deploy", "--models", models, typed="y\n")
    bucket = aws.outputs("intent-artifacts")["BucketName"]
    (rule,) = aws.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_what_moto_does_not_make_stands_in_the_template() -> None:
    resources = load(TEMPLATES["artifacts"])["Resources"]
    properties = resources["Bucket"]["Properties"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert list(properties["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    statements = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {each["Effect"] for each in statements} == {"Deny"}
    assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in statements]
    assert {"NumericLessThan": {"s3:TlsVersion": "1.2"}} in [each["Condition"] for each in statements]
    # Without its policy the kept bucket would be open to plain HTTP.
    assert {each["DeletionPolicy"] for each in resources.values()} == {"Retain"}


def test_nobody_has_to_say_anything() -> None:
    assert not load(TEMPLATES["artifacts"]).get("Parameters")
