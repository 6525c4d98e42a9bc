"""What docs/ says of the templates and of the command is so."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cloudformation.__main__ import _parser
from cloudformation.documents import facts, tables
from cloudformation.documents.__main__ import main
from cloudformation.documents.blocks import replaced
from cloudformation.documents.generated import DOCS, made
from cloudformation.template.files import KINDS, TEMPLATES, load
from cloudformation.template.parameters import declared

DEPLOYMENT = (DOCS / "deployment.md").read_text()
RUNBOOK = (DOCS / "runbook.md").read_text()
FIX = "run `.venv/bin/python -m cloudformation.documents`"
LOADED = {kind: load(TEMPLATES[kind]) for kind in KINDS}


def test_every_generated_part_is_what_the_templates_say() -> None:
    for path, content in made(DOCS).items():
        assert path.read_text() == content, f"{path.name} is stale; {FIX}"


def test_every_template_is_there_with_every_parameter_default_and_constraint() -> None:
    assert set(KINDS) == set(TEMPLATES)
    for kind, template in LOADED.items():
        section = DEPLOYMENT.partition(f"\n### {kind}.yaml\n")[2].partition("\n###")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
        assert rows.keys() == declared(template).keys(), kind
        for name, parameter in declared(template).items():
            assert all(f"`{value}`" in rows[name] for value in parameter.allowed_values), name


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("MaxSize", "Default", 4),
        ("InstanceType", "AllowedValues", ["t2.micro"]),
        ("MinSize", "ConstraintDescription", "1 to 8"),
        ("Rollout", "Description", "Another."),
    ],
)
def test_a_change_of_a_parameter_changes_the_table(section: str, key: str, value: object) -> None:
    before = tables.parameters(LOADED)
    changed = load(TEMPLATES["service"])
    changed["Parameters"][section][key] = value
    assert tables.parameters({**LOADED, "service": changed}) != before


def test_a_parameter_outside_all_groups_does_not_pass() -> None:
    changed = load(TEMPLATES["service"])
    changed["Parameters"]["Forgotten"] = {"Type": "String", "Default": "", "Description": "In no group."}
    with pytest.raises(ValueError, match="Forgotten"):
        tables.parameters({"service": changed})


def test_the_runbook_has_a_section_for_every_alarm_and_no_other() -> None:
    alarms = facts.read(LOADED).all("AWS::CloudWatch::Alarm")
    names = [tables.alarm_name(str(alarm.properties["AlarmName"])) for alarm in alarms]
    part = RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^### (.*)$", part, re.MULTILINE)) == sorted(names)
    for alarm, name in zip(alarms, names, strict=True):
        # The notification itself says where to read on.
        assert f"(runbook, {name})" in str(alarm.properties["AlarmDescription"])


@pytest.mark.parametrize("document", ["deployment.md", "runbook.md"])
def test_links_lead_somewhere(document: str) -> None:
    headings = {
        name: {_anchor(each) for each in re.findall(r"^#+ (.*)$", (DOCS / name).read_text(), re.MULTILINE)}
        for name in ("deployment.md", "runbook.md", "gateway.md")
    }
    for target in re.findall(r"\]\(([^)]+)\)", (DOCS / document).read_text()):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        assert (DOCS / (file or document)).exists(), target
        assert not anchor or anchor in headings[file or document], target


def test_the_commands_help_is_shown_as_it_is() -> None:
    command = [sys.executable, "-m", "cloudformation", "--help"]
    environment = os.environ | {"COLUMNS": "80"}
    shown = subprocess.run(command, cwd=DOCS.parent, env=environment, capture_output=True, text=True, check=True).stdout
    assert f"$ .venv/bin/python -m cloudformation --help\n{shown}```" in DEPLOYMENT


def test_every_command_line_is_understood() -> None:
    documents = re.sub(r"\\\n\s*", "", DEPLOYMENT + RUNBOOK)
    commands = "deploy|update|rollback|status|destroy|check|render"
    lines = re.findall(rf"python -m cloudformation ((?:{commands})[^`\n]*)", documents)
    # And those that are named without the program.
    lines += re.findall(rf"`((?:{commands}) -[^`]+)`", documents)
    assert len(lines) > 15
    for line in lines:
        options = _parser().parse_args(shlex.split(line.replace("\n", " ")))
        for given in getattr(options, "parameter", ()):
            assert any(given.partition("=")[0] in declared(template) for template in LOADED.values()), line


def test_every_parameter_that_is_named_exists() -> None:
    known = {name for template in LOADED.values() for name in declared(template)}
    for name in re.findall(r"(?:`|-p )([A-Z][a-z]\w+)=", DEPLOYMENT + RUNBOOK):
        assert name in known
    block = DEPLOYMENT.partition("```toml\n")[2].partition("```")[0]
    assert set(re.findall(r"^(\w+) =", block, re.MULTILINE)) <= known


def test_a_document_with_other_blocks_is_refused() -> None:
    with pytest.raises(KeyError, match="cost"):
        replaced("<!-- generated: cost -->\n<!-- end of cost -->\n", {"other": "text"})


def test_only_what_is_between_the_marks_is_replaced() -> None:
    document = "before\n<!-- generated: cost -->\nold\n<!-- end of cost -->\nafter\n"
    once = replaced(document, {"cost": "new"})
    assert once == "before\n<!-- generated: cost -->\n\nnew\n\n<!-- end of cost -->\nafter\n"
    assert replaced(once, {"cost": "new"}) == once


def test_check_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in made(DOCS)}
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in made(DOCS)} == before


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_no_path_of_a_machine_is_in_them() -> None:
    for path in made(DOCS):
        assert "/home/" not in path.read_text(), path
        assert str(Path.cwd()) not in path.read_text(), path
