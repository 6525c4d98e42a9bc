"""What `start` tells the gateway."""

from serving_config.command import Ports, gateway_environment

WINDOW = "GATEWAY_LOAD_BALANCER_WINDOW_SECONDS"


def test_the_gateway_is_tied_to_this_model_server_and_waits_for_no_load_balancer() -> None:
    assert gateway_environment("127.0.0.1", Ports(1, 2, 3), "intent", {}) == {
        "GATEWAY_HOST": "127.0.0.1",
        "GATEWAY_PORT": "1",
        "GATEWAY_MODEL_SERVER": "127.0.0.1:2",
        "GATEWAY_MODEL_NAME": "intent",
        WINDOW: "0",
    }


def test_a_window_that_the_operator_sets_stays() -> None:
    environment = {WINDOW: "7", "GATEWAY_PORT": "9"}
    found = gateway_environment("127.0.0.1", Ports(1, 2, 3), "intent", environment)
    assert (found[WINDOW], found["GATEWAY_PORT"]) == ("7", "1")
