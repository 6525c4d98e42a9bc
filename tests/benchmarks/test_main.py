"""The command line as a whole; what each benchmark measures is for its own test."""

import re
import subprocess
import sys

import pytest

from benchmarks.__main__ import COMMANDS, main
from tests.servers import ROOT


def test_help_lists_every_command_without_heavy_imports() -> None:
    code = (
        "import sys; from benchmarks.__main__ import main\n"
        "try: main(['--help'])\n"
        "finally: print([name for name in ('tensorflow', 'matplotlib', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.endswith("[]\n")
    for name in COMMANDS:
        assert re.search(rf"^    {name}\b", done.stdout, re.MULTILINE), name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["nothing"], "invalid choice: 'nothing'"),
        (["gateway", "--rounds", "x"], "--rounds: invalid int value"),
        (["footprint", "--nothing"], "unrecognized arguments: --nothing"),
    ],
)
def test_a_wrong_command_line_is_refused(arguments, said, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_missing_model_is_one_line_and_status_1(tmp_path, capsys) -> None:
    assert main(["memory", "--models", str(tmp_path)]) == 1
    assert main(["classifiers", str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("benchmarks: ") for line in lines)


def test_the_readme_has_a_line_for_every_command() -> None:
    text = (ROOT / "benchmarks/README.md").read_text()
    assert re.findall(r"^\| `([a-z_]+)` \| .+ \|$", text, re.MULTILINE) == list(COMMANDS)
