"""The console as a browser asks it: each page by its address, and each button by the form that presses it."""

from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipelines.console.application import application
from pipelines.console.context import Console
from pipelines.console.guards import Keys
from tests.console.account import ORDER, Account
from tests.console.asgi import Answer, Client

if TYPE_CHECKING:
    from collections.abc import Iterator

_GATE = "/gates/release/run-1"
_OURS = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
_EVIDENCE = b"<h1>What would change</h1>"
_RECORD = {
    "/orders/order-1": ORDER,
    "/orders/order-1/failures": {"failures": []},
    "/orders/order-1/history": {"history": [{"at": "2026-11-28T08:00:00Z", "from": None, "to": "NEW"}]},
    "/orders/order-1/reservation": {"lines": [{"product_id": "tea", "quantity": 2, "state": "committed"}]},
    "/orders/order-1/payment": {"state": "charged"},
    "/orders/order-1/deliveries": {"deliveries": [{"product_id": "tea", "quantity": 2, "state": "arranged"}]},
    "/orders/order-2": ORDER | {"order_id": "order-2", "state": "FAILED"},
    "/orders/order-2/failures": {"failures": [{"at": "x", "step": "Pay", "error": "E", "cause": "why"}]},
    "/orders/order-2/history": {"history": []},
    "/orders/order-2/reservation": {"lines": [{"product_id": "tea", "quantity": 2, "state": "void"}]},
    "/orders/order-2/payment": {},
    "/orders/order-2/deliveries": {"deliveries": []},
    "/orders/nobody/failures": {"failures": []},
}


def console(account: Account, *, may_act: bool = True) -> tuple[Client, Keys]:
    shown: Any = account
    keys = Keys()
    return Client(application(Console(shown, {"staging": shown, "branch": shown}, may_act, keys))), keys


def got(account: Account, path: str, status: int = 200) -> str:
    answer = console(account)[0].get(path)
    assert answer.status == status, answer.text
    return " ".join(answer.text.split())


def posted(account: Account, path: str, form: str, *, may_act: bool = True) -> Answer:
    asked, keys = console(account, may_act=may_act)
    return asked.post(path, f"token={keys.form}&{form}", headers=_OURS)


@contextmanager
def evidence_server() -> Iterator[str]:
    """A web server that has the evidence of a release, and its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(_EVIDENCE)

        def log_message(self, *_: object) -> None:
            """Requests are not worth a line each."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_first_page_shows_each_pipeline_what_waits_and_what_could_not_be_read() -> None:
    # Given an account in which some pipelines are, and a gate that waits
    page = got(Account(), "/")
    assert "Release waits for an answer." in page
    assert "<strong>Approve</strong> of run-1 waits for your answer." in page
    assert 'Last: <a href="/pipelines/release/executions/run-1">0123456789ab</a>' in page
    assert '<a href="/environments/staging">staging</a>: account 444444444444, eu-central-1' in page
    # And where no pipeline is, each page says so
    nothing = got(Account(stacks=set()), "/")
    assert nothing.count("Not read: There is no stack payments-pipelines") == 4


def test_a_pipeline_s_page_says_why_an_action_failed_and_what_else_it_told() -> None:
    page = got(Account(), "/pipelines/release")
    assert '<td data-name="Message">exit status 2</td>' in page
    assert '<td data-name="Message">packed</td>' in page
    assert '<td data-name="Since">08:00:00</td>' in page
    assert '<li class="waiting"><span class="sign" aria-hidden="true">!</span>Approve' in page
    assert "There is no pipeline x." in got(Account(), "/pipelines/x", 404)


def test_an_execution_s_page_says_what_it_promotes_and_how_long_each_stage_took() -> None:
    page = got(Account(), "/pipelines/release/executions/run-1")
    assert "commit <code>0123456789ab</code>" in page
    assert "<li>Approve: 3.0 s</li>" in page
    assert 'href="/gates/release/run-1"' in page


def test_a_build_s_log_is_shown_and_one_that_is_not_there_is_told() -> None:
    page = got(Account(), "/builds/checks:1")
    assert "Log of checks" in page
    assert "line 1" in page
    assert '<span class="running">' in page
    assert "There is no build checks:2." in got(Account(), "/builds/checks:2", 404)


def test_the_evidence_is_shown_in_a_frame_in_which_it_can_do_nothing() -> None:
    with evidence_server() as link:
        account = Account(link)
        # Given a gate with a page of evidence
        assert f'src="{_GATE}/evidence"' in got(account, _GATE)
        # When its frame asks for it
        answer = console(account)[0].get(f"{_GATE}/evidence")
    assert (answer.status, answer.text) == (200, _EVIDENCE.decode())
    # Then its own policy holds, and not the console's, under which its styles would not be shown
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'")
    assert "script-src" not in policy


@pytest.mark.parametrize(
    ("link", "waits", "says"),
    [
        ("", True, "This approval has no page of evidence."),
        ("http://127.0.0.1:1/", False, "This approval has no page of evidence."),
        ("file:///etc/passwd", True, "The evidence is at no web address: file:///etc/passwd"),
        ("http://127.0.0.1:1/", True, "The evidence cannot be fetched: "),
    ],
    ids=["without a page", "answered", "a file of this machine", "nobody answers"],
)
def test_evidence_that_cannot_be_shown_is_told(link: str, waits: bool, says: str) -> None:
    assert says in got(Account(link, waits=waits), f"{_GATE}/evidence", 404)


@pytest.mark.parametrize(
    ("form", "status", "summary"),
    [
        ("answer=approve&summary=fine", "Approved", "fine"),
        ("answer=approve&summary=+", "Approved", "approved in the console"),
        ("answer=reject&summary=not+today", "Rejected", "not today"),
    ],
)
def test_a_button_answers_the_gate_and_leads_to_the_execution(form: str, status: str, summary: str) -> None:
    account = Account()
    answer = posted(account, f"{_GATE}/answer", form)
    assert (answer.status, answer.headers["location"]) == (303, "/pipelines/release/executions/run-1")
    (told,) = account.asked
    assert told["result"] == {"status": status, "summary": summary}
    assert (told["pipelineName"], told["token"]) == ("releases", "token")


def test_a_gate_that_was_answered_meanwhile_is_told_and_answered_no_more() -> None:
    account = Account(waits=False)
    assert "Nothing waits for an answer here any more." in got(account, _GATE)
    answer = posted(account, f"{_GATE}/answer", "answer=approve")
    assert (answer.status, account.asked) == (404, [])
    assert "Nothing waits for an answer there any more." in answer.text


def test_a_console_that_only_shows_does_nothing_and_says_how_it_would() -> None:
    for path, form in ((f"{_GATE}/answer", "answer=approve"), ("/branches/remove", "branch=feature%2Fone")):
        account = Account()
        answer = posted(account, path, form, may_act=False)
        assert (answer.status, account.asked) == (403, [])
        assert "Start it with --allow-actions" in answer.text


def test_a_branch_s_removal_is_proposed_and_its_execution_shown() -> None:
    account = Account()
    answer = posted(account, "/branches/remove", "branch=feature%2Fone")
    assert (answer.status, answer.headers["location"]) == (
        303,
        "/pipelines/remove-branch/executions/removal-1",
    )
    assert account.asked[0]["variables"] == [{"name": "branch", "value": "feature/one"}]
    assert "No branch has a stack." in got(account, "/branches")


def test_orders_are_listed_of_one_state_or_of_all() -> None:
    # Given two orders, of which the data API lists those of the state that is asked for
    def listed(query: dict[str, str] | None) -> Any:
        wanted = (query or {}).get("state")
        every = [_RECORD["/orders/order-1"], _RECORD["/orders/order-2"]]
        orders = [order for order in every if wanted in {None, cast("Any", order)["state"]}]
        return {"orders": orders}

    account = Account(api={"/orders": listed})
    everything = got(account, "/environments/staging/orders")
    assert everything.count("158.75 EUR") == 2
    failed = got(account, "/environments/staging/orders?state=FAILED&stack=other")
    assert 'href="/environments/staging/orders/order-2?stack=other"' in failed
    assert "order-1" not in failed
    # And a state or a stack that there is not is told
    assert "There is no state ASLEEP." in got(account, "/environments/staging/orders?state=ASLEEP", 404)
    assert "There is no stack gone" in got(account, "/environments/staging/orders?stack=gone", 404)
    assert "There is no environment mars." in got(account, "/environments/mars/orders", 404)


def test_an_order_s_page_shows_what_it_took_and_where_its_execution_is() -> None:
    page = got(Account(api=_RECORD, execution="RUNNING"), "/environments/staging/orders/order-1")
    assert "ada pays 158.75 EUR" in page
    assert "Pay: is now" in page
    assert 'Execution: <span class="running"><span class="sign" aria-hidden="true">…</span>RUNNING' in page
    for effect in (
        ("stock of tea", "-2", "committed"),
        ("money of ada", "-158.75 EUR", "charged"),
        ("delivery of tea", "2", "arranged"),
    ):
        cells = zip(("What", "Change", "State"), effect, strict=True)
        assert "".join(f'<td data-name="{name}">{value}</td>' for name, value in cells) in page


def test_an_order_that_was_never_placed_or_is_not_known_is_told() -> None:
    account = Account(api=_RECORD)
    page = got(account, "/environments/staging/orders/order-2")
    assert "Execution: not placed yet" in page
    assert "Nothing was entered yet" in page
    # Nothing of it stayed taken
    assert '<td data-name="What">stock of tea</td><td data-name="Change">0</td>' in page
    assert '<td data-name="Change">0</td><td data-name="State">not charged</td>' in page
    missing = got(account, "/environments/staging/orders/nobody", 404)
    assert "There is no order nobody in payments-staging." in missing


def test_an_environment_s_page_says_of_each_part_why_it_is_not_known() -> None:
    # Given a stack whose alarms and drift may not be asked for, and that no pipeline deploys
    account = Account(api=_RECORD)
    account.environment.name = "local"
    page = got(account, "/environments/staging?stack=other")
    # Then what is known of it is shown, and of the rest the reason
    assert "<h1>other" in page
    assert "Live workflow version</td><td>7 (100 %)" in page
    assert "Not known: not allowed" in page
    assert 'href="/environments/local/orders?stack=other"' in page


def test_an_address_that_leads_nowhere_is_a_page_that_says_so() -> None:
    assert "There is no page /nowhere." in got(Account(), "/nowhere", 404)
