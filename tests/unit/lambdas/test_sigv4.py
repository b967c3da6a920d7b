from datetime import UTC, datetime
from typing import Any

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from payment_data.sigv4 import Credentials, sign

TEXT = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20)
TOKEN = st.text("abcXYZ019-_", min_size=1, max_size=20)
SEGMENT = st.text("abcXYZ019-_~%+:@$()", min_size=1, max_size=12).filter(lambda s: set(s) != {"."})
PATHS = st.lists(SEGMENT, max_size=4).map(lambda parts: "/" + "/".join(parts))
HOSTS = st.sampled_from(
    [
        "https://api.example.com",
        "https://api.example.com:443",
        "http://127.0.0.1:4566",
        "http://h:80",
        "https://h:8443",
    ]
)
QUERIES = st.lists(st.tuples(TOKEN, TOKEN), max_size=3).map(
    lambda pairs: "&".join(f"{k}={v}" for k, v in pairs)
)
HEADERS = st.dictionaries(st.sampled_from(["Content-Type", "X-Custom", "Accept"]), TEXT, max_size=3)


@given(
    st.sampled_from(["GET", "PUT", "DELETE"]),
    HOSTS,
    PATHS,
    QUERIES,
    st.binary(max_size=50),
    HEADERS,
    st.tuples(TOKEN, TOKEN, st.none() | TOKEN),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - botocore wants it without a zone
)
def test_a_request_is_signed_as_botocore_signs_it(  # noqa: PLR0917 - Hypothesis passes them
    method: str,
    host: str,
    path: str,
    query: str,
    body: bytes,
    headers: dict[str, str],
    keys: Any,
    now: datetime,
) -> None:
    # Given
    url = host + path + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    auth = botocore.auth.SigV4Auth(BotoCredentials(*keys), "execute-api", "eu-central-1")
    # When botocore and we sign it at the same moment
    _sign_at(auth, request, now)
    ours = sign(
        method,
        url,
        body,
        headers,
        credentials=Credentials(*keys),
        region="eu-central-1",
        service="execute-api",
        now=now.replace(tzinfo=UTC),
    )
    # Then
    assert ours["Authorization"] == request.headers["Authorization"]
    assert ours["X-Amz-Date"] == request.headers["X-Amz-Date"]
    assert ours.get("X-Amz-Security-Token") == request.headers.get("X-Amz-Security-Token")


def _sign_at(auth: Any, request: AWSRequest, now: datetime) -> None:
    """Sign as `SigV4Auth.add_auth` does, at a given moment."""
    request.context["timestamp"] = now.strftime(botocore.auth.SIGV4_TIMESTAMP)
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    auth._inject_signature_to_request(request, auth.signature(to_sign, request))


def test_a_secret_is_not_printed() -> None:
    assert "secret" not in repr(Credentials("key", "secret", "secret-token"))
