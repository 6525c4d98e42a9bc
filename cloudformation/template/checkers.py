"""The programs that judge templates and scripts: cfn-lint, checkov, cfn-guard with Control Tower's rules, shellcheck.

cfn-lint is one of the project's packages; the others are where `make templates` puts them, or on PATH. A finding is
corrected, or suppressed beside the resource, with the reason, in the program's own way (`Metadata`).
"""

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudformation.errors import FleetError
from cloudformation.template.files import TEMPLATES, load
from cloudformation.template.inputs import preview
from cloudformation.template.render import render, write

ROOT = Path(__file__).parents[2]
_INSTALLED = ROOT / ".venv-templates"
_GUARD = _INSTALLED / "guard/node_modules/@cdklabs/cdk-validator-cfnguard"
_ACCOUNT = "123456789012"
PROTECTED = {
    "AccessLogBucket": "access-logs-of-the-account",
    "AlarmTopicArn": f"arn:aws:sns:us-east-1:{_ACCOUNT}:alarms",
    "ApiKeysSecret": "intent/keys",
    "AssociatePublicIp": "false",
    "CertificateArn": f"arn:aws:acm:us-east-1:{_ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000",
    "DeletionProtection": "true",
    "FlowLogs": "yes",
    "GrpcClientSecurityGroupId": "sg-00000000000000001",
    "InstanceSubnetIds": "subnet-00000000000000003,subnet-00000000000000004",
    "LoadBalancerSubnetIds": "subnet-00000000000000001,subnet-00000000000000002",
    "PermissionsBoundary": f"arn:aws:iam::{_ACCOUNT}:policy/boundary",
    "PrivateInstances": "yes",
    "SsmAccess": "yes",
    "VpcId": "vpc-00000000000000001",
    "WebAclArn": f"arn:aws:wafv2:us-east-1:{_ACCOUNT}:regional/webacl/rules/00000000-0000-0000-0000-000000000000",
}
"""Every option on. Guard cannot follow conditions, so it is shown what the templates come to; what is off by default is
the operator's choice and not the template's."""


@dataclass(frozen=True)
class Result:
    """What one program says."""

    name: str
    findings: tuple[str, ...]
    skipped: str | None = None
    """Why it was not run."""


def run() -> list[Result]:
    """Asks every program that there is.

    Raises:
        FleetError: one of them failed, instead of finding something.
    """
    with tempfile.TemporaryDirectory() as folder:
        rendered = Path(folder)
        write(render(preview("intent", PROTECTED, {})), rendered)
        return [
            Result("cfn-lint", tuple(_cfn_lint())),
            _result("checkov", _program("checkov"), _checkov, rendered),
            _result("cfn-guard", _guard_program(), _guard, rendered),
            _result("shellcheck", _program("shellcheck"), _shellcheck, rendered),
        ]


def _result(name: str, program: str | None, ask: Callable[[str, Path], Iterable[str]], rendered: Path) -> Result:
    if program is None:
        return Result(name, (), "not installed; `make templates` installs it")
    return Result(name, tuple(ask(program, rendered)))


def _program(name: str) -> str | None:
    return shutil.which(name, path=str(_INSTALLED / "bin")) or shutil.which(name)


def _guard_program() -> str | None:
    system = "macos" if platform.system() == "Darwin" else "ubuntu"
    machine = "aarch64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    # The rules come with it, so another one on PATH is of no use.
    return shutil.which("cfn-guard", path=str(_GUARD / "bin" / system / machine))


def _cfn_lint() -> Iterator[str]:
    paths = map(str, TEMPLATES.values())
    answer = _ask(
        [str(Path(sys.executable).with_name("cfn-lint")), "--include-checks", "I", "--format", "json", "--", *paths]
    )
    for each in json.loads(answer):
        line = each["Location"]["Start"]["LineNumber"]
        yield f"{Path(each['Filename']).name}:{line}: {each['Rule']['Id']} {each['Message']}"


def _checkov(program: str, _rendered: Path) -> Iterator[str]:
    files = [part for path in TEMPLATES.values() for part in ("--file", str(path))]
    options = ["--framework", "cloudformation", "--quiet", "--compact", "--skip-download", "--output", "json"]
    answer = json.loads(_ask([program, *files, *options]))
    # Without anything to complain of it answers in another form.
    for each in answer["results"]["failed_checks"] if "results" in answer else ():
        line = each["file_line_range"][0]
        yield f"{Path(each['file_path']).name}:{line}: {each['check_id']} {each['resource']}: {each['check_name']}"


def _guard(program: str, rendered: Path) -> Iterator[str]:
    data = [part for path in sorted(rendered.glob("*.yaml")) for part in ("--data", str(path))]
    rules = ["--rules", str(_GUARD / "rules/control-tower/cfn-guard")]
    options = ["--structured", "--output-format", "json", "--show-summary", "none"]
    for judged in json.loads(_ask([program, "validate", *rules, *data, *options])):
        template = Path(judged["name"])
        suppressed = _suppressed(template.stem)
        for failed in judged["not_compliant"]:
            rule = failed["Rule"]["name"]
            for resource in _resources(failed):
                if rule in suppressed.get(resource, ()):
                    suppressed[resource].remove(rule)
                else:
                    yield f"{template.name}: {rule} {resource}"
        for resource, rules_left in suppressed.items():
            yield from (f"{template.name}: {rule} {resource} is suppressed, and has no need to" for rule in rules_left)


def _suppressed(kind: str) -> dict[str, list[str]]:
    """The rules that must not judge a resource, by its logical id; `SuppressedRules` is Guard's own custom."""
    resources: Mapping[str, Any] = load(TEMPLATES[kind])["Resources"]
    return {
        name: list(body.get("Metadata", {}).get("guard", {}).get("SuppressedRules", ()))
        for name, body in resources.items()
    }


def _resources(failed: Any) -> list[str]:
    """The logical ids in a rule's findings, which name what they looked at by its path."""
    return sorted(set(re.findall(r'"path": "/Resources/([A-Za-z0-9]+)/', json.dumps(failed))))


def _shellcheck(program: str, rendered: Path) -> Iterator[str]:
    scripts = [*sorted(rendered.glob("*.sh")), *sorted((ROOT / "cloudformation/image").rglob("*.sh"))]
    options = ["--format", "json", "--severity", "style", "--external-sources", "--source-path=SCRIPTDIR"]
    answer = _ask([program, *options, *map(str, scripts)])
    for each in json.loads(answer):
        yield f"{Path(each['file']).name}:{each['line']}: SC{each['code']} {each['message']}"


def _ask(command: list[str]) -> str:
    """What the program prints, whether it found something or not.

    Raises:
        FleetError: it prints nothing.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.strip():
        raise FleetError(f"{command[0]} ended with {done.returncode} and said nothing: {done.stderr.strip()[-500:]}")
    return done.stdout
