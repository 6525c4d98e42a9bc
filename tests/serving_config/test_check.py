"""`python -m serving_config check`: the shipped files are good, each mistake is named with file, place and remedy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serving_config.check import check, require_good
from serving_config.errors import ConfigFileError
from serving_config.files import SHIPPED, ConfigFiles
from tests.servers import ROOT

MODEL = 'name: "intent" base_path: "/models/intent" model_platform: "tensorflow"'


@pytest.fixture
def files(tmp_path: Path) -> ConfigFiles:
    """A copy of the shipped files, to be broken."""
    for path in SHIPPED.glob("*.config"):
        shutil.copy(path, tmp_path)
    return ConfigFiles(tmp_path)


def _models(*models: str) -> str:
    return "model_config_list {\n" + "".join(f"config {{ {model} }}\n" for model in models) + "}\n"


def test_the_shipped_files_are_good_and_say_what_the_contract_says() -> None:
    reports = check(ConfigFiles())
    assert [report.path.name for report in reports] == ["models.config", "batching.config", "monitoring.config"]
    assert not any(report.problems for report in reports)
    assert [report.summary for report in reports] == [
        "serves intent from /models/intent",
        "requests of up to 256 rows, run in batches of up to 16, waiting 0 µs for more",
        "Prometheus metrics at /monitoring/prometheus/metrics",
    ]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("models", "", ": is empty; restore it from the repository"),
        ("models", "# nothing\n", ": lists no model; add model_config_list { config { name: ... base_path: ... } }"),
        (
            "models",
            _models(MODEL, "path: 3"),
            ':3: no ModelServerConfig in protobuf text format: Message type "tensorflow.serving.ModelConfig" has no '
            'field named "path".',
        ),
        (
            "models",
            "model_config_list {\n config {\n",
            ':2: no ModelServerConfig in protobuf text format: Expected "}".',
        ),
        ("models", _models(MODEL, MODEL), ': model "intent" is listed 2 times; names must be unique'),
        ("models", _models(MODEL, MODEL.replace("intent", "", 1)), ": model number 2 has no name; add name"),
        (
            "models",
            _models(MODEL.replace("/models/", "models/")),
            ': model "intent": base_path "models/intent" is not absolute; start it with /',
        ),
        (
            "models",
            _models(MODEL.replace('"tensorflow"', '"pytorch"')),
            ': model "intent": model_platform "pytorch" is not supported; use "tensorflow"',
        ),
        (
            "models",
            _models('name: "intent" base_path: "/models/intent"'),
            ': model "intent": model_platform "" is not supported; use "tensorflow"',
        ),
        (
            "models",
            _models(f"{MODEL} model_type: TENSORFLOW"),
            ': model "intent": model_type is deprecated; use model_platform: "tensorflow" instead',
        ),
        (
            "models",
            _models(f"{MODEL} model_version_policy {{ specific {{}} }}"),
            ': model "intent": model_version_policy is specific without versions, which serves none; add versions or '
            "use latest",
        ),
        (
            "models",
            _models(f'{MODEL} version_labels {{ key: "stable" value: 1 }}'),
            ': model "intent": version_labels at start stop the model server, because no version is loaded yet; set '
            "labels on the running server",
        ),
        (
            "models",
            _models(f"{MODEL} logging_config {{}}"),
            ': model "intent": logging_config stops the stock model server, which has no request logger; remove it',
        ),
        (
            "models",
            "custom_model_config {}",
            ": custom_model_config aborts the stock model server; use model_config_list",
        ),
        ("batching", "max_batch_size { value: 0 }", ": max_batch_size is 0; use at least 1"),
        ("batching", "num_batch_threads { value: -2 }", ": num_batch_threads is -2; use at least 1"),
        ("batching", "batch_timeout_micros { value: -1 }", ": batch_timeout_micros is -1; use 0 or more"),
        (
            "batching",
            "\nmax_batch_size: 32",
            ":2: no BatchingParameters in protobuf text format: 'max_batch_size: 32': Expected \"{\".",
        ),
        (
            "batching",
            "max_batch_size { value: 32 } allowed_batch_sizes: 8 allowed_batch_sizes: 16",
            ": the last of allowed_batch_sizes is 16; it must be max_batch_size, which is 32",
        ),
        (
            "batching",
            "allowed_batch_sizes: 8",
            ": the last of allowed_batch_sizes is 8; it must be max_batch_size, which is 1000",
        ),
        (
            "batching",
            "max_batch_size { value: 32 } allowed_batch_sizes: [16, 8, 32]",
            ": allowed_batch_sizes [16, 8, 32] do not grow from 1 or more; sort them and drop repetitions",
        ),
        (
            "batching",
            "max_batch_size { value: 32 } enable_large_batch_splitting { value: true } "
            "max_execution_batch_size { value: 8 } allowed_batch_sizes: 32",
            ": the last of allowed_batch_sizes is 32; it must be max_execution_batch_size, which is 8",
        ),
        (
            "batching",
            "max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
            "max_execution_batch_size { value: 32 }",
            ": max_execution_batch_size is above max_batch_size 8; lower it",
        ),
        (
            "batching",
            "pad_variable_length_inputs: true",
            ": pad_variable_length_inputs repeats the first element, which is wrong for BERT; pad in the graph instead",
        ),
        (
            "monitoring",
            'prometheus_config { enable: true path: "metrics" }',
            ': prometheus_config path "metrics" is not absolute; start it with /',
        ),
        (
            "monitoring",
            "prometheus { }",
            ':1: no MonitoringConfig in protobuf text format: Message type "tensorflow.serving.MonitoringConfig" has '
            'no field named "prometheus".',
        ),
    ],
)
def test_a_mistake_is_named_with_file_place_and_remedy(
    files: ConfigFiles, name: str, content: str, problem: str
) -> None:
    path = files.directory / f"{name}.config"
    path.write_text(content)
    problems = [problem for report in check(files) for problem in report.problems]
    assert problems == [f"{path}{problem}"]
    with pytest.raises(ConfigFileError) as caught:
        require_good(files)
    assert str(caught.value) == problems[0]


def test_a_missing_and_an_undecodable_file(files: ConfigFiles) -> None:
    files.models.unlink()
    files.batching.write_bytes(b"\xff")
    problems = [problem for report in check(files) for problem in report.problems]
    assert problems == [
        f"{files.models}: cannot be read: No such file or directory; restore it from the repository",
        f"{files.batching}: byte 0 is not UTF-8; save the file as UTF-8",
    ]


def test_good_settings_of_every_kind_are_accepted(files: ConfigFiles) -> None:
    files.models.write_text(
        _models(
            f"{MODEL} model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}",
            'name: "other" base_path: "s3://bucket/other" model_platform: "tensorflow" model_version_policy { all {} }',
        )
    )
    files.batching.write_text(
        "max_batch_size { value: 32 } enable_large_batch_splitting { value: true } thread_pool_name { value: 'a' } "
        "max_execution_batch_size { value: 8 } allowed_batch_sizes: [1, 4, 8]"
    )
    files.monitoring.write_text("prometheus_config { enable: false }")
    assert not any(report.problems for report in check(files))


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "serving_config", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_command_prints_a_line_per_file_and_its_status_tells(files: ConfigFiles) -> None:
    good = _run("check")
    assert (good.returncode, good.stderr, len(good.stdout.splitlines())) == (0, "", 3)

    files.batching.write_text("max_batch_size { value: 0 }")
    bad = _run("check", f"--config={files.directory}")
    assert bad.returncode == 1
    assert bad.stderr == f"{files.batching}: max_batch_size is 0; use at least 1\n"
    assert len(bad.stdout.splitlines()) == 2
