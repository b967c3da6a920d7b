"""The loopback interface stands for TLS, so that policies which refuse plain HTTP can be rehearsed.

Nothing leaves this machine; on AWS every endpoint is HTTPS. `aws:SecureTransport` is therefore true here.
"""

from ministack import app as ministack
from ministack.core import iam_evaluator


def install() -> None:
    """Tell MiniStack's policy checks that every request came encrypted."""
    ministack.pin_request_origin = _encrypted


def _encrypted(source: str, _secure: bool) -> None:
    iam_evaluator.pin_request_origin(source, True)
