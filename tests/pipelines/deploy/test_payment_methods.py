"""A payment method is not dropped from an environment while an unfinished order was paid by it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from payment_data import unfinished
from payment_data.client import DataApi, Response
from pipelines.aws import build_environment
from pipelines.build import package_manifest
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.deploy import deployment, payment_methods

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.aws.accounts import Aws

Json = dict[str, Any]
STACK, FUNCTION = "payments-prod", "payments-prod-FindUnfinishedFunction-1"
NONE: Json = {"unlisted": {}, "whole": True}


def _api(page: int = 100, **orders: list[str | None]) -> DataApi:
    """Return a data API that lists orders by their state, each with how it is paid."""

    def answer(_: str, path: str, __: bytes | None) -> Response:
        query = dict(pair.split("=") for pair in path.partition("?")[2].split("&"))
        of_state, begin = orders.get(query["state"], []), int(query.get("after") or 0)
        paid = [
            {"order_id": "o", "state": query["state"]} | ({"paid_by": by} if by else {})
            for by in of_state[begin : begin + page]
        ]
        more = {"next": str(begin + page)} if len(of_state) > begin + page else {}
        return Response(200, json.dumps({"orders": paid} | more).encode())

    return DataApi(answer)


def test_methods_of_unfinished_orders_that_are_not_listed_are_counted() -> None:
    api = _api(
        PAID=["card", "credit"], CANCELLING=["card"], NEEDS_ATTENTION=["bank_account"], RESERVED=[None]
    )
    counted = unfinished.paid_by_others(api, ["credit"], seconds=9)
    assert counted == {"unlisted": {"card": 2, "bank_account": 1}, "whole": True}
    assert unfinished.paid_by_others(api, ["credit", "card", "bank_account"], seconds=9) == NONE


def test_every_page_is_counted_and_what_took_too_long_is_said_to_be_left_out() -> None:
    api = _api(page=2, RESERVED=["card"] * 5)
    assert unfinished.paid_by_others(api, ["credit"], seconds=9)["unlisted"] == {"card": 5}
    assert unfinished.paid_by_others(api, ["credit"], seconds=-1) == {"unlisted": {}, "whole": False}


def test_orders_that_have_ended_keep_no_method() -> None:
    api = _api(COMPLETED=["card"], FAILED=["card"], NEW=[None])
    assert unfinished.paid_by_others(api, ["credit"], seconds=9) == NONE


def _releasing(aws: Aws, by: str, *also: str, production: bool = True) -> Aws:
    changed = {"payment_method": by, "also_refunds": list(also), "production": production}
    return replace(aws, environment=aws.environment.model_copy(update=changed))


def _deployed(
    answers: Callable[..., None], aws: Aws, methods: str, answer: Json, *, failed: bool = False
) -> None:
    """Let a stack be deployed with these methods, whose sweeper's function answers."""
    outputs = {"PaymentMethods": methods, "FindUnfinishedFunctionName": FUNCTION}
    stack = {
        "StackName": STACK,
        "StackStatus": "UPDATE_COMPLETE",
        "CreationTime": "2026-11-23T08:00:00Z",
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    described = ("describe_stacks", {"StackName": STACK}, {"Stacks": [stack]})
    answers("cloudformation", described, described, described, client=aws.cloudformation)
    event = json.dumps({"methods": aws.environment.payment_methods}).encode()
    body = {"Payload": io.BytesIO(json.dumps(answer).encode())} | (
        {"FunctionError": "Unhandled"} if failed else {}
    )
    asked = {"FunctionName": FUNCTION, "Payload": event}
    answers("lambda", ("invoke", asked, body), client=aws.functions)


@pytest.mark.parametrize(
    ("deployed", "by", "also"),
    [
        ("credit", "credit", ()),
        ("credit", "credit", ("card",)),
        ("credit,card", "card", ("credit",)),
        ("card,credit", "credit", ("card",)),
        ("card,credit", "card", ()),
    ],
)
def test_one_step_at_a_time_is_released(
    aws: Aws, answers: Callable[..., None], deployed: str, by: str, also: tuple[str, ...]
) -> None:
    release = _releasing(aws, by, *also)
    _deployed(answers, release, deployed, NONE)
    payment_methods.check_release(release, STACK)


@pytest.mark.parametrize(
    ("deployed", "by", "also", "answer", "words"),
    [
        ("card,credit", "card", (), {"unlisted": {"credit": 3}, "whole": True}, "3 by credit"),
        ("credit", "card", ("credit",), NONE, r"release also_refunds: \[card\] first"),
        ("bank_account,card", "card", (), NONE, "paid by bank_account until this is released"),
        ("card,credit", "card", (), {"unlisted": {}, "whole": False}, "drops credit, and not every"),
    ],
)
def test_what_could_leave_an_order_without_its_method_is_refused(  # noqa: PLR0917 - each is a part of the case
    aws: Aws,
    answers: Callable[..., None],
    deployed: str,
    by: str,
    also: tuple[str, ...],
    answer: Json,
    words: str,
) -> None:
    release = _releasing(aws, by, *also)
    _deployed(answers, release, deployed, answer)
    with pytest.raises(Refused, match=words) as refused:
        payment_methods.check_release(release, STACK)
    assert refused.value.hint == "payments order list"


def test_a_function_that_fails_bars_no_release_that_keeps_every_method(
    aws: Aws, answers: Callable[..., None]
) -> None:
    same = _releasing(aws, "credit")
    _deployed(answers, same, "credit", {"errorType": "ApiUnavailable"}, failed=True)
    payment_methods.check_release(same, STACK)


def test_a_function_that_fails_bars_a_release_that_drops_a_method(
    aws: Aws, answers: Callable[..., None]
) -> None:
    dropping = _releasing(aws, "card", production=False)
    _deployed(answers, dropping, "credit", {"errorType": "ApiUnavailable"}, failed=True)
    with pytest.raises(Refused, match="drops credit"):
        payment_methods.check_release(dropping, STACK)


def test_a_build_writes_no_settings_for_what_is_refused(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given the build of a pipeline, and a release that drops the method of open orders
    def refuse(_: Aws, stack: str) -> None:
        raise Refused(f"Unfinished orders of {stack} are paid by card: 3")

    def write(*_: object, **__: object) -> list[Path]:
        raise AssertionError("nothing is written")

    for name in ("read_intact", "read_stored", "read_image"):
        monkeypatch.setattr(package_manifest, name, lambda *_: None)
    monkeypatch.setattr(build_environment, "looking_at", lambda _: aws)
    monkeypatch.setattr(payment_methods, "check_release", refuse)
    monkeypatch.setattr(deployment, "write_configuration", write)
    # When it writes the settings that the stages deploy
    result = CliRunner().invoke(main, ["pipeline", "settings", "prod", "--built", "docs"])
    # Then it ends with the reason, before anything can be changed
    assert result.exit_code == 1
    assert "Unfinished orders of payments-prod are paid by card: 3" in result.stderr
