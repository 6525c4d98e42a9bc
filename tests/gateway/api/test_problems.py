"""What clients are told when a request is refused or fails (RFC 9457)."""

import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, web

from gateway import errors
from gateway.api import app_keys
from gateway.api.problems import answer_errors, problem_response
from gateway.pages.openapi import documented_errors
from gateway.telemetry.metrics import Metrics
from tests.gateway.conftest import PATIENT
from tests.gateway.running import gateway
from tests.gateway.scraped import Scraped
from tests.servers import free_port


@pytest.mark.parametrize("kind", list(documented_errors()), ids=lambda kind: kind.code)
def test_every_error_becomes_a_problem_document(kind: type[errors.GatewayError]) -> None:
    answer = problem_response(kind("what is wrong; what to do", pointer="/text"))
    assert answer.status == kind.status
    assert answer.content_type == "application/problem+json"
    assert json.loads(answer.body) == {
        "type": f"/docs#{kind.code}",
        "title": kind.code.replace("_", " ").capitalize().replace("json", "JSON").replace("http", "HTTP"),
        "status": kind.status,
        "detail": "what is wrong; what to do",
        "code": kind.code,
        "pointer": "/text",
    }
    assert ("Retry-After" in answer.headers) == (kind.status in (429, 503))
    assert ("WWW-Authenticate" in answer.headers) == (kind.status == 401)


@pytest.mark.parametrize(("seconds", "said"), [(None, "1"), (0, "1"), (0.01, "1"), (1, "1"), (1.01, "2"), (59.5, "60")])
def test_retry_after_is_in_whole_seconds_and_never_too_early(seconds: float | None, said: str) -> None:
    answer = problem_response(errors.OverloadedError("full; wait", retry_after=seconds))
    assert answer.headers["Retry-After"] == said


@pytest.fixture
async def failing() -> AsyncIterator[str]:
    """The address of an application whose only handler fails."""

    async def fail(request: web.Request) -> web.Response:
        raise ZeroDivisionError("secret")

    async def tell(request: web.Request) -> web.Response:
        return web.Response(body=request.app[app_keys.METRICS].render("")[0])

    app = web.Application(middlewares=[answer_errors])
    app[app_keys.METRICS] = Metrics()
    app.router.add_get("/fails", fail)
    app.router.add_get("/metrics", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_an_unexpected_failure_tells_the_log_everything_and_the_client_nothing(
    failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with ClientSession(failing) as session:
        async with session.get("/fails") as response:
            body = await response.text()
            assert response.status == 500
            assert response.content_type == "application/problem+json"
        async with session.get("/metrics") as response:
            said = Scraped(await response.read())
    problem = json.loads(body)
    assert (problem["code"], problem["status"]) == ("internal_error", 500)
    assert "secret" not in body
    assert "Traceback" not in body
    assert "ZeroDivisionError: secret" in caplog.text
    assert said.value("gateway_refusals_total", code="internal_error") == 1


def test_problems_are_counted_by_code_and_carry_the_id_of_their_request() -> None:
    with gateway(model_server=f"127.0.0.1:{free_port()}", **PATIENT) as running:
        replies = [running.get("/nowhere"), running.get("/nowhere"), running.post("{"), running.predict("a")]
        unready = running.get("/readyz")
        said = Scraped(running.get("/metrics").body)
    codes = [reply.error[1] for reply in replies]
    assert codes == ["not_found", "not_found", "invalid_json", "model_server_unavailable"]
    for code in set(codes):
        assert said.value("gateway_refusals_total", code=code) == codes.count(code)
    for reply in replies:
        assert reply.json["request_id"] == reply.headers["X-Request-Id"]
    assert replies[-1].headers["Retry-After"] == unready.headers["Retry-After"] == "1"
