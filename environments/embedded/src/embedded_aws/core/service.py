"""One AWS service: takes a request of MiniStack's, checks it, does it, answers in the protocol's words."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from botocore.model import OperationModel
from ministack.core import concurrency, responses

from embedded_aws.core import api_model
from embedded_aws.core.api import ApiError, Json, NotEmulated, Scope

Operation = Callable[[Scope, Json], Json]
Answer = tuple[int, dict[str, str], bytes]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Received:
    """A request as MiniStack hands it over."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]


@dataclass(frozen=True)
class Service:
    """A service's operations behind its botocore model.

    Attributes:
        name: as boto3 names it.
        operations: by their API names; what is missing is refused as not emulated.
        invalid: the error code of a request that breaks the model.
    """

    name: str
    operations: Mapping[str, Operation]
    invalid: str = "ValidationException"

    async def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Answer:
        """Answer one request."""
        scope = Scope(responses.get_account_id(), responses.get_region())
        answer: Answer = await concurrency.run_reentrant(
            self._answer, scope, _Received(method, path, headers, body, query)
        )
        return answer

    def perform(self, operation: str, scope: Scope, request: Json) -> Json:
        """Do one operation, checked like any other; for CloudFormation and for our own services.

        Raises:
            ApiError: it is refused.
        """
        model = api_model.service_model(self.name).operation_model(operation)
        problems = api_model.problems(model, request)
        if problems:
            raise ApiError(self.invalid, api_model.message(problems))
        if operation not in self.operations:
            raise NotEmulated(f"{self.name} {operation}")
        return self.operations[operation](scope, request)

    def _answer(self, scope: Scope, received: _Received) -> Answer:
        version = api_model.service_model(self.name).metadata.get("jsonVersion", "1.1")
        content = f"application/x-amz-json-{version}"
        try:
            model, request = self._request(received)
            answer = api_model.shaped(model.output_shape, self.perform(model.name, scope, request)) or {}
        except ApiError as error:
            return _failure(error.status, error.code, str(error), content)
        except Exception as error:  # noqa: BLE001 - a fault of ours must be an answer, too
            _log.exception("%s failed", self.name)
            return _failure(500, "InternalFailure", f"{type(error).__name__}: {error}", content)
        broken = api_model.broken_promises(model, answer)
        if broken:  # a client may read it all the same, and another one not
            text = f"The answer to {model.name} is not what the model promises: {'; '.join(broken)}"
            return _failure(500, "InternalFailure", text, content)
        return 200, {"Content-Type": content}, json.dumps(answer).encode()

    def _request(self, received: _Received) -> tuple[OperationModel, Json]:
        service = api_model.service_model(self.name)
        if service.metadata["protocol"] == "json":
            name = received.headers.get("x-amz-target", "").rpartition(".")[2]
            if name not in service.operation_names:
                raise ApiError("UnknownOperationException", f"{self.name} has no operation {name!r}")
            return service.operation_model(name), _parsed(received.body)
        for name in service.operation_names:
            model = service.operation_model(name)
            path_parameters = _route(model, received)
            if path_parameters is not None:
                return model, {**_parsed(received.body), **_query(model, received.query), **path_parameters}
        raise ApiError(
            "UnknownOperationException", f"{self.name} has no operation at {received.method} {received.path}"
        )


def _parsed(body: bytes) -> Json:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("SerializationException", "The request is not JSON.") from None
    if not isinstance(request, dict):
        raise ApiError("SerializationException", "The request is not a JSON object.")
    return request


def _route(model: OperationModel, received: _Received) -> Json | None:
    """Match a REST request's place; return the parameters that its path holds."""
    if model.http["method"] != received.method:
        return None
    place = model.http["requestUri"].partition("?")[0]
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(place))
    match = re.fullmatch(pattern, received.path)
    return None if match is None else {name: unquote(value) for name, value in match.groupdict().items()}


def _query(model: OperationModel, query: dict[str, list[str]]) -> Json:
    members = model.input_shape.members if model.input_shape else {}
    parameters: Json = {}
    for name, shape in members.items():
        place = shape.serialization
        if place.get("location") == "querystring" and place["name"] in query:
            text = query[place["name"]][0]
            parameters[name] = int(text) if shape.type_name in {"integer", "long"} else text
    return parameters


def _failure(status: int, code: str, text: str, content: str) -> Answer:
    body = json.dumps({"__type": code, "message": text}).encode()
    return status, {"Content-Type": content, "x-amzn-errortype": code}, body
