"""Functions of the embedded AWS's server, called in its own environment: MiniStack is installed nowhere else.

Each process of tests has one such process beside it, which answers a JSON line with a JSON line.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]
_SOURCE = Path(__file__).parents[1] / "environments" / "embedded" / "src"


def allows(policies: list[Json], *, boundary: Json | None = None, **context: Any) -> bool:
    """Return whether IAM, as the embedded AWS evaluates it, allows what the context describes.

    Args:
        policies: The documents of an identity and of what it acts on.
        boundary: The document of its permissions boundary.
        **context: Of the fields of MiniStack's `EvalContext`.
    """
    return bool(_ask("allows", policies, boundary, context))


def stack_questions(verb: str, kind: str, stack: str, logical_id: str, properties: Json) -> list[Json]:
    """Return what CloudFormation asks IAM about a resource: `action`, `resource` and `context` of each."""
    asked: list[Json] = _ask("stack_questions", verb, kind, stack, logical_id, properties)
    return asked


def pipeline_refusal(declared: Json) -> str | None:
    """Return why CreatePipeline refuses a pipeline that CloudFormation declares so, or none."""
    refusal: str | None = _ask("pipeline_refusal", declared)
    return refusal


def action_provider(category: str, name: str) -> Json | None:
    """Return `name`, `required`, `optional`, `inputs` and `outputs` of an emulated provider, or none."""
    provider: Json | None = _ask("action_provider", category, name)
    return provider


def matching_lines(pattern: str, lines: list[str]) -> list[str]:
    """Return the lines that a metric filter counts."""
    matching: list[str] = _ask("matching_lines", pattern, lines)
    return matching


def _ask(function: str, *arguments: Any) -> Any:
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{json.dumps([function, arguments])}\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "failure" in answer:
        raise RuntimeError(answer["failure"])
    return answer["value"]


@functools.cache
def _process() -> subprocess.Popen[str]:
    from embedded_aws import server_process  # noqa: PLC0415 - its own process has another path

    command = [str(server_process.interpreter()), __file__]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)  # it ends when there is nobody to ask it any more
    return process


class _Answers:
    """What the process beside answers."""

    @staticmethod
    def allows(policies: list[Json], boundary: Json | None, context: Json) -> bool:
        from ministack.core import iam_evaluator  # noqa: PLC0415 - in the server's environment alone

        parsed, *limits = [
            [iam_evaluator.parse_policy_document(document) for document in documents]
            for documents in ([policies, [boundary]] if boundary else [policies])
        ]
        asked = iam_evaluator.EvalContext(**context)
        return bool(iam_evaluator.evaluate(asked, parsed, *limits).decision == "Allow")

    @staticmethod
    def stack_questions(verb: str, kind: str, stack: str, logical_id: str, properties: Json) -> list[Json]:
        from embedded_aws.cloudformation import permissions  # noqa: PLC0415 - as above

        name = permissions.made_up_name(kind, stack, logical_id)
        resource = permissions.Resource(kind, name, properties, "eu-central-1", "111111111111")
        return [dataclasses.asdict(question) for question in permissions.questions(verb, resource)]

    @staticmethod
    def pipeline_refusal(declared: Json) -> str | None:
        from embedded_aws.codepipeline import structure  # noqa: PLC0415 - as above
        from embedded_aws.core import api_model, type_table  # noqa: PLC0415 - as above
        from embedded_aws.core.api import ApiError, Scope  # noqa: PLC0415 - as above

        operation = api_model.service_model("codepipeline").operation_model("CreatePipeline")
        request = type_table.spelled_request("codepipeline", "CreatePipeline", {"Pipeline": declared})
        if problems := api_model.problems(operation, request):
            return str(api_model.message(problems))
        pipeline = {"executionMode": "SUPERSEDED", "pipelineType": "V1", **request["pipeline"]}
        absent = {"runOrder": 1, "configuration": {}, "inputArtifacts": [], "outputArtifacts": []}
        pipeline["stages"] = [
            stage | {"actions": [absent | action for action in stage.get("actions", [])]}
            for stage in pipeline["stages"]
        ]
        try:
            structure.check(pipeline, Scope("111122223333", "eu-central-1"))
        except ApiError as error:
            return str(error)
        return None

    @staticmethod
    def action_provider(category: str, name: str) -> Json | None:
        from embedded_aws.codepipeline.actions import catalogue  # noqa: PLC0415 - as above

        try:
            provider = catalogue.provider_of({"actionTypeId": {"category": category, "provider": name}})
        except KeyError:
            return None
        return {
            "name": provider.name,
            "required": sorted(provider.required),
            "optional": sorted(provider.optional),
            "inputs": provider.inputs,
            "outputs": provider.outputs,
        }

    @staticmethod
    def matching_lines(pattern: str, lines: list[str]) -> list[str]:
        from embedded_aws import logs  # noqa: PLC0415 - as above

        counted = logs.json_pattern(pattern)
        assert counted is not None
        return [line for line in lines if counted(line)]


def _serve() -> None:
    sys.path.append(str(_SOURCE))
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            answer = {"value": getattr(_Answers, function)(*arguments)}
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked reads it
            answer = {"failure": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    _serve()
