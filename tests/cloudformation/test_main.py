"""The command line itself, and what needs no account: help, render, check."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cloudformation.__main__ import main
from cloudformation.operate.release import ROOT
from cloudformation.template import checkers
from cloudformation.template.files import KINDS
from tests.cloudformation.played.operating import Command

COMMANDS = ("deploy", "update", "rollback", "status", "destroy", "render", "check")


def test_help_names_every_command_and_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in COMMANDS)
    assert all(f"\n  {status}  " in said for status in (0, 1, 2, 3, 4, 5, 130))


def test_help_needs_no_library_of_aws() -> None:
    # They take longer to load than an operator likes to wait for a list of options.
    code = (
        "import sys; from cloudformation.__main__ import main\n"
        "try: main(['update', '--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'boto3', 'botocore', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("words", [[], ["deplay"], ["deploy", "--tag", "team"], ["update", "--wait", "soon"]])
def test_a_wrong_command_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks AWS for something gets no answer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_account")
class TestRender:
    def test_files_with_conditions_decided(self, run: Command, tmp_path: Path) -> None:
        folder = tmp_path / "rendered"
        arn = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
        done = run("render", "--output", folder, "--name", "kitchen", "-p", f"CertificateArn={arn}", "-p", "MaxSize=7")
        assert done.status == 0, done
        templates = {kind: yaml.safe_load((folder / f"{kind}.yaml").read_text()) for kind in KINDS}
        listener = templates["balancer"]["Resources"]["HttpsListener"]["Properties"]
        assert listener["Certificates"] == [{"CertificateArn": arn}]
        assert int(templates["service"]["Resources"]["AutoScalingGroup"]["Properties"]["MaxSize"]) == 7
        assert not any("Condition" in body for each in templates.values() for body in each["Resources"].values())
        assert "GrpcIngress" not in templates["balancer"]["Resources"]
        assert "DEPLOYMENT=kitchen\n" in (folder / "service-LaunchTemplate-user-data.sh").read_text()
        assert {path.suffix for path in folder.iterdir()} == {".yaml", ".sh"}

    def test_scripts_are_scripts(self, run: Command, tmp_path: Path) -> None:
        assert run("render", "--output", tmp_path).status == 0
        scripts = sorted(tmp_path.glob("*.sh"))
        assert len(scripts) == 3
        for script in scripts:
            assert script.read_text().startswith("#!/bin/")
            subprocess.run(["bash", "-n", script], check=True)

    def test_to_standard_output(self, run: Command) -> None:
        done = run("render")
        assert done.status == 0
        assert all(f"# ===== {kind}.yaml\n" in done.out for kind in KINDS)

    def test_where_nothing_can_be_written(self, run: Command, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = run("render", "--output", tmp_path / "file")
        assert done.status == 2
        assert f"{tmp_path}/file: cannot be written" in done.err


@pytest.mark.usefixtures("no_account")
class TestCheck:
    @pytest.fixture(autouse=True)
    def linters(self, monkeypatch: pytest.MonkeyPatch) -> list[checkers.Result]:
        """What they say; they have tests of their own, and take long."""
        said = [checkers.Result("cfn-lint", ()), checkers.Result("checkov", (), "not installed")]
        monkeypatch.setattr(checkers, "run", lambda: said)
        return said

    @pytest.mark.parametrize("rollout", ["instance-refresh", "rolling-update"])
    def test_what_a_rollout_does_is_told(self, run: Command, rollout: str) -> None:
        done = run("check", "-p", f"Rollout={rollout}")
        assert done.status == 0, done
        assert f"{rollout} of 2: at least 2 serve, at most 3 exist (MaxSize 3)" in done.out
        assert "checkov: not installed" in done.out

    def test_a_finding_is_shown_and_counts(self, run: Command, linters: list[checkers.Result]) -> None:
        linters.append(checkers.Result("shellcheck", ("install.sh:1: SC2086 quote it",)))
        done = run("check")
        assert done.status == 1
        assert "shellcheck: 1 found\n  install.sh:1: SC2086 quote it" in done.out

    def test_wrong_parameters_are_all_told(self, run: Command) -> None:
        done = run("check", "-p", "InstanceType=huge", "-p", "MinSize=0")
        assert done.status == 2
        assert "InstanceType" in done.err
        assert "MinSize" in done.err
