"""The checkers find what is wrong, and take a suppression that has a use."""

from pathlib import Path

import pytest

from cloudformation.template import checkers
from cloudformation.template.files import TEMPLATES

BAD = """
AWSTemplateFormatVersion: "2010-09-09"
Description: A bad one.
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Metadata:
      guard:
        SuppressedRules:
          - s3_bucket_logging_enabled_check
          - s3_no_such_rule
    Properties:
      Colour: red
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, checkers.Result]:
    bad = tmp_path / "artifacts.yaml"
    bad.write_text(BAD)
    monkeypatch.setitem(TEMPLATES, "artifacts", bad)
    return {result.name: result for result in checkers.run()}


def test_what_is_wrong_with_a_template_is_found_by_each_that_is_installed(found: dict[str, checkers.Result]) -> None:
    assert found.keys() == {"cfn-lint", "checkov", "cfn-guard", "shellcheck"}
    assert any("artifacts.yaml:15: E3002" in finding and "Colour" in finding for finding in found["cfn-lint"].findings)
    for result in found.values():
        if result.skipped:
            assert result.name != "cfn-lint"
            assert not result.findings
    if not found["checkov"].skipped:
        assert any("CKV_AWS_53 AWS::S3::Bucket.Bucket" in finding for finding in found["checkov"].findings)
    if not found["cfn-guard"].skipped:
        said = found["cfn-guard"].findings
        assert "artifacts.yaml: s3_bucket_default_encryption_kms_check Bucket" in said
        assert "artifacts.yaml: s3_no_such_rule Bucket is suppressed, and has no need to" in said
        assert not any("s3_bucket_logging_enabled_check" in finding for finding in said)
