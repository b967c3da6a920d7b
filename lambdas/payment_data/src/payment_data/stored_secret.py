"""A secret of AWS Secrets Manager, read when it is first needed.

By one signed request of our own: importing boto3 would cost the step 200 ms.
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime

import urllib3
from urllib3 import exceptions

from payment_data.errors import AccessDenied, ApiUnavailable
from payment_data.sigv4 import Credentials, sign
from payment_data.timeouts import CONNECT_SECONDS, SECRET_SECONDS

_SERVICE = "secretsmanager"


class StoredSecret:
    """The secret, remembered for the life of the sandbox once it was read.

    Args:
        arn: the secret's.
        environ: Lambda's environment: the role's credentials, and for the embedded AWS an endpoint
            (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
    """

    def __init__(self, arn: str, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._arn = arn
        self._text: str | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._arn!r})"  # the text stays out of logs and tracebacks

    def __call__(self, *, fresh: bool = False) -> str:
        """Return its text; `fresh` asks again, for when it was rotated.

        Raises:
            ApiUnavailable: Secrets Manager cannot be reached or is overloaded.
            AccessDenied: the function's role may not read it, or it is not there.
        """
        if self._text is None or fresh:
            self._text = self._read()
        return self._text

    def _read(self) -> str:
        url, body = self._endpoint(), json.dumps({"SecretId": self._arn}).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "secretsmanager.GetSecretValue",
        }
        try:
            with urllib3.PoolManager(retries=False) as pool:
                answer = pool.request(
                    "POST",
                    url,
                    body=body,
                    headers=self._signed(url, body, headers),
                    timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=SECRET_SECONDS),
                )
        except exceptions.HTTPError as error:  # reading changes nothing, so it simply was not done
            raise ApiUnavailable(f"Secrets Manager: no answer ({type(error).__name__})") from None
        if answer.status != 200:  # noqa: PLR2004 - OK
            raise _refusal(answer.status, answer.data)
        return str(json.loads(answer.data)["SecretString"]).strip()

    def _endpoint(self) -> str:
        environ = self._environ
        override = environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or environ.get("AWS_ENDPOINT_URL")
        return (override or f"https://{_SERVICE}.{self._region()}.{_suffix(self._arn)}").rstrip("/") + "/"

    def _region(self) -> str:
        return self._arn.split(":")[3]

    def _signed(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        return sign(
            "POST",
            url,
            body,
            headers,
            credentials=Credentials.from_environment(self._environ),
            region=self._region(),
            service=_SERVICE,
            now=datetime.now(UTC),
        )


def _suffix(arn: str) -> str:
    return "amazonaws.com.cn" if arn.startswith("arn:aws-cn:") else "amazonaws.com"


def _refusal(status: int, body: bytes) -> ApiUnavailable | AccessDenied:
    try:
        name = str(json.loads(body).get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        name = ""
    detail = f"Secrets Manager answered {status} {name}"
    throttled = status == 429 or name in ("ThrottlingException", "RequestLimitExceeded")  # noqa: PLR2004 - its status
    return ApiUnavailable(detail) if status >= 500 or throttled else AccessDenied(detail)  # noqa: PLR2004 - server errors
