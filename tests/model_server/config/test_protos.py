"""The message types that tensorflow-serving-api lacks, against bytes in the official numbering."""

import subprocess
import sys

from google.protobuf import text_format

from model_server.config.protos import BatchingParameters, MonitoringConfig, SSLConfig
from tests.servers import ROOT


def test_batching_parameters_have_the_official_numbers() -> None:
    message = text_format.Parse(
        "max_batch_size { value: 1 } batch_timeout_micros { value: 2 } max_enqueued_batches { value: 3 } "
        "num_batch_threads { value: 4 } thread_pool_name { value: 'p' } allowed_batch_sizes: [6, 7] "
        "pad_variable_length_inputs: true enable_large_batch_splitting { value: true } "
        "max_execution_batch_size { value: 9 }",
        BatchingParameters(),
    )
    wire = b"\x0a\x02\x08\x01\x12\x02\x08\x02\x1a\x02\x08\x03\x22\x02\x08\x04\x2a\x03\x0a\x01p"
    wire += b"\x32\x02\x06\x07\x38\x01\x42\x02\x08\x01\x4a\x02\x08\x09"
    assert message.SerializeToString() == wire


def test_monitoring_config_has_the_official_numbers() -> None:
    message = text_format.Parse("prometheus_config { enable: true path: '/m' }", MonitoringConfig())
    assert message.SerializeToString() == b"\x0a\x06\x08\x01\x12\x02/m"


def test_ssl_config_has_the_official_numbers() -> None:
    message = text_format.Parse("server_key: 'k' server_cert: 'c' custom_ca: 'a' client_verify: true", SSLConfig())
    assert message.SerializeToString() == b"\x0a\x01k\x12\x01c\x1a\x01a\x20\x01"


def test_checking_and_starting_do_not_import_tensorflow() -> None:
    """They share these messages with the embedded server, and answer at once."""
    code = "import sys, serving_config.check, serving_config.supervisor, serving_config.models; "
    code += "print([name for name in sys.modules if name.partition('.')[0] == 'tensorflow'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
