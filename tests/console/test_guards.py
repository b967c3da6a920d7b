"""Nobody but the console's own pages, by this machine's name, gets anything from it or makes it act."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pipelines.console.guards import HEADERS, Guard, Keys, form_of
from tests.console.asgi import Client

if TYPE_CHECKING:
    from starlette.requests import Request

_OURS = "http://127.0.0.1:8000"
_FROM_OUR_PAGE = {"Origin": _OURS, "Sec-Fetch-Site": "same-origin"}


def client(keys: Keys) -> Client:
    async def endpoint(request: Request) -> PlainTextResponse:
        if request.method == "POST":
            form = await form_of(request, keys)
            return PlainTextResponse("acted" if form else "no token", 200 if form else 403)
        return PlainTextResponse("shown")

    app = Starlette(
        routes=[Route("/", endpoint, methods=["GET", "POST"])], middleware=[Middleware(Guard, keys=keys)]
    )
    return Client(app)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1:8000", ""]
)
def test_another_name_for_this_machine_is_refused(host: str) -> None:
    # Given a name of somebody else's that resolves here (DNS rebinding)
    answer = client(Keys()).get("/", headers={"Host": host})
    assert answer.status == 421
    assert "shown" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_this_machine_answers_by_its_own_names(host: str) -> None:
    assert client(Keys()).get("/", headers={"Host": host}).text == "shown"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Referer": "http://evil.example/127.0.0.1:8000"},
        {"Origin": _OURS, "Sec-Fetch-Site": "cross-site"},
        {"Origin": _OURS, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing_even_with_the_token(headers: dict[str, str]) -> None:
    keys = Keys()
    answer = client(keys).post("/", f"token={keys.form}", headers=headers)
    assert answer.status == 403
    assert answer.text != "acted"


def test_a_form_of_our_own_page_acts_only_with_the_token() -> None:
    keys = Keys()
    asked = client(keys)
    assert asked.post("/", f"token={keys.form}", headers=_FROM_OUR_PAGE).text == "acted"
    assert asked.post("/", "token=guessed", headers=_FROM_OUR_PAGE).status == 403
    assert asked.post("/", "", headers=_FROM_OUR_PAGE).status == 403
    too_long = f"token={keys.form}&summary={'x' * 30_000}"
    assert asked.post("/", too_long, headers=_FROM_OUR_PAGE).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(method: str) -> None:
    assert client(Keys()).ask(method, "/").status == 405


def test_with_a_key_nothing_is_shown_without_the_printed_link() -> None:
    # Given a console that shows somebody's accounts on AWS
    asked = client(Keys(entry="the-key"))
    # Then a page without the key, or with another, says how to get in
    assert asked.get("/").status == 403
    assert asked.get("/?key=guessed").status == 403
    # And the link that was printed lets in, and leaves no key in the address
    entered = asked.get("/?key=the-key")
    assert (entered.status, entered.headers["location"]) == (303, "/")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    assert asked.get("/").text == "shown"


def test_every_answer_forbids_what_pages_do_not_need() -> None:
    answer = client(Keys()).get("/")
    assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
    assert "'unsafe" not in answer.headers["content-security-policy"]


def test_keys_differ_from_run_to_run_and_are_not_printed() -> None:
    first, second = Keys(entry="secret"), Keys(entry="secret")
    assert first.form != second.form
    assert "secret" not in repr(first)
    assert first.form not in repr(first)
