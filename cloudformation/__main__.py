"""Command line of cloudformation: `python -m cloudformation deploy|update|rollback|status|destroy|render|check`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cloudformation.errors import FleetError, UsageError
from cloudformation.operate.terminal import Colour, Terminal

if TYPE_CHECKING:
    # Each command imports what it needs, so that --help and a wrong command line are answered at once.
    from cloudformation.operate.aws import Aws
    from cloudformation.operate.changer import Changer
    from cloudformation.operate.deployment import Deployment
    from cloudformation.operate.release import Release

_EPILOG = """\
exit status:
  0  done, or nothing to do; of status: all is well; of check: nothing found
  1  failed: AWS refused, CloudFormation went back; of status, check: something is
     not as it should be
  2  a wrong command line or parameter
  3  changes were shown and not made: --no-execute, or the answer was no
  4  refused before anything was done: a stack is in no state for it, an alarm
     rings, something drifted or is protected
  5  the command stopped waiting (--wait, Ctrl-C, AWS out of reach); the operation
     goes on, and status shows where it stands
  130  Ctrl-C while nothing was under way

Region and profile are chosen as the AWS CLI does: --region, AWS_REGION,
AWS_DEFAULT_REGION, the configuration file; --profile, AWS_PROFILE.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status is explained by `--help`."""
    options = _parser().parse_args(arguments)
    terminal = Terminal()
    try:
        return int(options.run(options, terminal))
    except FleetError as error:
        problem, status = str(error), error.status
    except KeyboardInterrupt:
        problem, status = "interrupted; nothing is half-done", 130
    terminal.clear()
    Terminal(sys.stderr).say(f"cloudformation: {problem}", Colour.CAREFUL if status in (3, 5) else Colour.BAD)
    return status


def _deploy(options: argparse.Namespace, terminal: Terminal) -> int:
    from cloudformation.operate.aws import plain_refusals
    from cloudformation.template.inputs import read

    given = read(options.parameters, options.parameter)
    release = None if options.release or options.keep_release else _collected(options, terminal)
    with plain_refusals():
        deployment = _deployment(options, terminal, given, ignores_alarms=options.ignore_alarms)
        deployment.require_ready(is_new_allowed=options.is_new_allowed, checks_drift=options.check_drift)
        named = options.release
        deployment.deploy(release or (deployment.images.get(named) if named else deployment.running()))
    return 0


def _rollback(options: argparse.Namespace, terminal: Terminal) -> int:
    from cloudformation.operate.aws import plain_refusals

    with plain_refusals():
        deployment = _deployment(options, terminal, {}, ignores_alarms=True)
        deployment.require_ready(is_new_allowed=False, checks_drift=options.check_drift)
        images, named = deployment.images, options.release
        deployment.roll_back(images.get(named) if named else images.previous(deployment.running().release))
    return 0


def _status(options: argparse.Namespace, terminal: Terminal) -> int:
    from cloudformation.operate.aws import connect, plain_refusals
    from cloudformation.operate.status import look

    with plain_refusals():
        status = look(connect(options.region, options.profile), options.name, detects_drift=options.drift)
    if options.json:
        terminal.say(status.as_json())
    else:
        status.show(terminal)
    return int(any(status.problems()))


def _destroy(options: argparse.Namespace, terminal: Terminal) -> int:
    from cloudformation.operate.aws import connect, plain_refusals
    from cloudformation.operate.destroy import destroy

    if options.yes and not options.name:
        raise UsageError("destroy --yes asks nothing, so it wants the deployment's name: --name")
    with plain_refusals():
        aws = connect(options.region, options.profile)
        destroy(aws, terminal, _changer(options, aws, terminal), options.name or "intent", is_agreed=options.yes)
    return 0


def _render(options: argparse.Namespace, terminal: Terminal) -> int:
    from cloudformation.template.inputs import preview, read
    from cloudformation.template.render import render, write

    files = render(preview(options.name, read(options.parameters, options.parameter), {}))
    if options.output:
        write(files, options.output)
        terminal.say(f"{options.output}: {', '.join(files)}")
    else:
        for name, content in files.items():
            terminal.say(f"# ===== {name}\n{content}")
    return 0


def _check(options: argparse.Namespace, terminal: Terminal) -> int:
    from cloudformation.template import checkers
    from cloudformation.template.check import check_rollout
    from cloudformation.template.inputs import preview, read

    values = preview(options.name, read(options.parameters, options.parameter), {})
    terminal.say("parameters: as the templates want them")
    planned = check_rollout(values["service"])
    results = [checkers.Result(f"rollout, {planned}", tuple(planned.problems())), *checkers.run()]
    for result in results:
        verdict = result.skipped or (f"{len(result.findings)} found" if result.findings else "nothing found")
        terminal.say(f"{result.name}: {verdict}", Colour.CAREFUL if result.skipped else Colour.PLAIN)
        for finding in result.findings:
            terminal.say(f"  {finding}", Colour.BAD)
    return int(any(result.findings for result in results))


def _collected(options: argparse.Namespace, terminal: Terminal) -> "Release":
    from cloudformation.operate.release import collect

    release = collect(options.models, options.model_version, options.label)
    terminal.say(f"release {release.name}: {len(release.files)} files")
    return release


def _deployment(
    options: argparse.Namespace, terminal: Terminal, given: dict[str, str], *, ignores_alarms: bool
) -> "Deployment":
    from cloudformation.operate.aws import connect
    from cloudformation.operate.deployment import Deployment, Wishes

    aws = connect(options.region, options.profile)
    wishes = Wishes(given, dict(options.tag), ignores_alarms)
    return Deployment(aws, terminal, _changer(options, aws, terminal), options.name, wishes)


def _changer(options: argparse.Namespace, aws: "Aws", terminal: Terminal) -> "Changer":
    from cloudformation.operate.changer import Changer, Consent

    consent = Consent(options.yes, options.no_execute, options.wait * 60, options.role_arn)
    return Changer(aws, terminal, consent)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cloudformation",
        description="Deploys the intent service to AWS and runs it there. What would change is shown first.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str, *, is_changing: bool, **defaults: object) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        added.set_defaults(run=run, **defaults)
        added.add_argument("--name", default="intent", help="the deployment's name (default: intent)")
        if is_changing:
            _add_consent(added)
        return added

    deploy = command("deploy", _deploy, "make every stack, from nothing or from where it stopped", is_changing=True)
    update = command("update", _deploy, "bring a running deployment to new code, model or parameters", is_changing=True)
    deploy.set_defaults(is_new_allowed=True, keep_release=False)
    update.set_defaults(is_new_allowed=False)
    for each in (deploy, update):
        _add_parameters(each)
        _add_release(each)
    update.add_argument("--keep-release", action="store_true", help="change parameters and templates only")
    rollback = command(
        "rollback", _rollback, "give the service back the release that it had before", is_changing=True, tag=()
    )
    rollback.add_argument("--release", metavar="NAME", help="this one instead; `status` lists them")
    for each in (deploy, update, rollback):
        each.add_argument("--no-execute", action="store_true", help="show the changes, make none")
        each.add_argument("--check-drift", action="store_true", help="refuse if resources were changed by hand")
    status = command("status", _status, "show stacks, release, instances, alarms, releases", is_changing=False)
    status.add_argument("--json", action="store_true", help="everything as one JSON object")
    status.add_argument("--drift", action="store_true", help="also what was changed by hand; takes a minute or two")
    destroy = command("destroy", _destroy, "delete every stack, once the name is typed", is_changing=True)
    destroy.set_defaults(no_execute=False, name=None)
    render = command(
        "render", _render, "print templates and scripts with all values in them, without AWS", is_changing=False
    )
    render.add_argument("--output", type=Path, metavar="DIR", help="write files there instead")
    check = command("check", _check, "lint the templates and check parameters, without AWS", is_changing=False)
    for each in (render, check):
        _add_parameters(each)
    for each in (deploy, update, rollback, status, destroy):
        each.add_argument("--region", help="AWS region")
        each.add_argument("--profile", help="profile of the AWS configuration file")
    return parser


def _add_consent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument(
        "--wait", type=float, default=180, metavar="MINUTES", help="longest wait for one stack (default: 180)"
    )
    parser.add_argument(
        "--role-arn", metavar="ARN", help="role that CloudFormation works with (default: your own rights)"
    )


def _add_parameters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parameters", type=Path, metavar="FILE", help="TOML file, a line Key = value each")
    parser.add_argument(
        "-p",
        dest="parameter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="one parameter, before the file's",
    )


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=Path, default=Path("models"), metavar="DIR", help="holds intent/<version>")
    parser.add_argument("--model-version", type=int, metavar="N", help="of the model (default: the newest)")
    parser.add_argument("--label", default="", help="makes a new image of the same files, such as 20261201")
    parser.add_argument("--release", metavar="NAME", help="one whose image is there already, instead of a new one")
    parser.add_argument("--tag", type=_tag, action="append", default=[], metavar="KEY=VALUE", help="on every resource")
    parser.add_argument("--ignore-alarms", action="store_true", help="roll out although an alarm rings")


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
