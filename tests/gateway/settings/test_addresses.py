"""The forms in which the setting may name the model server."""

import pytest

from gateway.errors import SettingsError
from gateway.settings.addresses import grpc_target


@pytest.mark.parametrize(
    ("setting", "target"),
    [
        ("127.0.0.1:8500", "dns:///127.0.0.1:8500"),
        ("model-server.internal:8500", "dns:///model-server.internal:8500"),
        ("[::1]:8500", "dns:///[::1]:8500"),
        ("unix:/run/model-server.sock", "unix:/run/model-server.sock"),
        ("10.0.0.1:8500, 10.0.0.2:8501", "ipv4:10.0.0.1:8500,10.0.0.2:8501"),
        ("[::1]:8500,[fd00::2]:8500", "ipv6:[::1]:8500,[fd00::2]:8500"),
    ],
)
def test_a_known_form_becomes_grpcs(setting: str, target: str) -> None:
    assert grpc_target(setting) == target


@pytest.mark.parametrize(
    "setting",
    [
        "127.0.0.1",
        ":8500",
        "model-server:",
        "model-server:0",
        "model-server:65536",
        "model-server:http",
        "model-server:٨٥٠٠",
        "10.0.0.1:8500,",
        "10.0.0.1:8500,model-server:8500",
        "10.0.0.1:8500,[::1]:8500",
        "unix:relative.sock",
        "unix:/a.sock,unix:/b.sock",
        "10.0.0.1:8500,unix:/b.sock",
    ],
)
def test_any_other_form_stops_the_start(setting: str) -> None:
    with pytest.raises(SettingsError) as refused:
        grpc_target(setting)
    assert str(refused.value).startswith(f"GATEWAY_MODEL_SERVER={setting} ")
    assert "use one like 127.0.0.1:8500" in str(refused.value)
