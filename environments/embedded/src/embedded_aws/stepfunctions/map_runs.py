"""Distributed Map: every item is a child execution of a Map Run, and items may be read from S3.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

import csv
import json
import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import new_uuid, now_iso

from embedded_aws.core import ministack_names as private
from embedded_aws.core.api import Scope
from embedded_aws.iam import role_sessions
from embedded_aws.stepfunctions import evaluation, path_evaluation, records

_DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_COUNTS = (
    *("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total", "resultsWritten"),
    *("failuresNotRedrivable", "pendingRedrive"),
)
_FAILED = object()
_UNREADABLE = "States.ItemReaderFailed"


class MapRun:
    """One run of a distributed Map, which ListMapRuns and DescribeMapRun show."""

    def __init__(self, state: dict[str, Any], execution: dict[str, Any], limit: int) -> None:
        """Begin it."""
        machine = execution["stateMachineArn"]
        self._label = f"{machine.rpartition(':')[2]}/{state.get('Label') or new_uuid()}"
        self._prefix = machine.partition(":stateMachine:")[0]
        self._state, self._execution, self._lock = state, execution, threading.Lock()
        self._shown: dict[str, Any] = {
            "mapRunArn": f"{self._prefix}:mapRun:{self._label}:{new_uuid()}",
            "executionArn": execution["executionArn"],
            "status": "RUNNING",
            "startDate": now_iso(),
            "maxConcurrency": limit,
            "toleratedFailurePercentage": float(state.get("ToleratedFailurePercentage", 0)),
            "toleratedFailureCount": int(state.get("ToleratedFailureCount", 0)),
            "itemCounts": dict.fromkeys(_COUNTS, 0),
            "executionCounts": dict.fromkeys(_COUNTS, 0),
            "redriveCount": 0,
            "_stateMachineArn": f"{self._prefix}:stateMachine:{self._label}",
        }
        arn = self._shown["mapRunArn"]
        private.stepfunctions.map_runs[arn] = self._shown
        records.add_event(execution, "MapRunStarted", {"mapRunStartedEventDetails": {"mapRunArn": arn}})

    def read(self, value: Any, ctx: dict[str, Any]) -> list[Any]:
        """Read the items from S3, as the workflow's role.

        Raises:
            ExecutionError: they cannot be read; the run has failed.
        """
        try:
            return _items(self._state, value, ctx)
        except records.Error as error:
            self._fail(error)
            raise

    def expect(self, length: int) -> None:
        """Say how many items there are."""
        for counts in (self._shown["itemCounts"], self._shown["executionCounts"]):
            counts.update(total=length, pending=length)

    def child(
        self, walk: Callable[[Any, dict[str, Any], dict[str, Any]], Any], given: Any, ctx: dict[str, Any]
    ) -> Any:
        """Walk one item in an execution of its own; its failure counts, and is no error here."""
        name = new_uuid()
        child = {
            "executionArn": f"{self._prefix}:execution:{self._label}:{name}",
            "stateMachineArn": self._shown["_stateMachineArn"],
            "name": name,
            "status": "RUNNING",
            "startDate": now_iso(),
            "stopDate": None,
            "input": evaluation.compact(given),
            "output": None,
            "mapRunArn": self._shown["mapRunArn"],
            "events": [],
        }
        private.stepfunctions.executions[child["executionArn"]] = child
        self._count("pending", "running")
        try:
            output = walk(given, child, ctx)
            child.update(status="SUCCEEDED", output=evaluation.compact(output))
        except records.Error as error:
            output = _FAILED
            child.update(status="FAILED", error=error.error, cause=error.cause)
        except records.Halted:
            child.update(status="ABORTED", stopDate=now_iso())
            self._count("running", "aborted")
            raise
        child["stopDate"] = now_iso()
        self._count("running", "failed" if output is _FAILED else "succeeded")
        return output

    def ended(self, outputs: list[Any]) -> list[Any]:
        """End it, and return the outputs of the items that succeeded.

        Raises:
            ExecutionError: more failed than it tolerates.
        """
        failures = sum(output is _FAILED for output in outputs)
        if self._exceeded(failures, len(outputs)):
            cause = "The specified tolerated failure threshold was exceeded"
            error = records.Error("States.ExceedToleratedFailureThreshold", cause)
            self._fail(error)
            raise error
        self._shown.update(status="SUCCEEDED", stopDate=now_iso())
        records.add_event(self._execution, "MapRunSucceeded")
        return [output for output in outputs if output is not _FAILED]

    def _fail(self, error: records.Error) -> None:
        self._shown.update(status="FAILED", stopDate=now_iso())
        details = {"mapRunFailedEventDetails": {"error": error.error, "cause": error.cause}}
        records.add_event(self._execution, "MapRunFailed", details)

    def _exceeded(self, failures: int, length: int) -> bool:
        limits = []
        if "ToleratedFailureCount" in self._state:
            limits.append(failures > self._shown["toleratedFailureCount"])
        if "ToleratedFailurePercentage" in self._state:
            limits.append(failures * 100 > self._shown["toleratedFailurePercentage"] * length)
        return bool(failures) and (any(limits) or not limits)

    def _count(self, before: str, after: str) -> None:
        with self._lock:
            for counts in (self._shown["itemCounts"], self._shown["executionCounts"]):
                counts[before] -= 1
                counts[after] += 1


def _items(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> list[Any]:
    reader = state["ItemReader"]
    config = reader.get("ReaderConfig", {})
    if evaluation.is_jsonata(state, ctx):
        place = evaluation.template(reader.get("Arguments", {}), value, ctx, location="ItemReader/Arguments")
        field = "ItemReader/ReaderConfig/MaxItems"
        limit = (
            evaluation.state_field(config, "MaxItems", "number", value, ctx, field)
            if "MaxItems" in config
            else None
        )
    else:
        selected = path_evaluation.selected_input(state, value, ctx)
        place = path_evaluation.resolved(reader.get("Parameters", {}), selected, ctx)
        limit = _most(config, selected, ctx)
    if limit is not None and limit < 0:
        raise records.Error(_UNREADABLE, "field MaxItems must be positive")
    try:
        items = _read(reader["Resource"], place, config, _s3(ctx))
    except (ClientError, role_sessions.NotAuthorized, ValueError, TypeError, LookupError) as error:
        raise records.Error(_UNREADABLE, str(error)) from None
    return items[: int(limit)] if limit else items


def _most(config: dict[str, Any], selected: Any, ctx: dict[str, Any]) -> Any:
    if "MaxItemsPath" not in config:
        return config.get("MaxItems")
    return path_evaluation.lenient(config["MaxItemsPath"], selected, ctx)


def _s3(ctx: dict[str, Any]) -> Any:
    _, _, _, region, account, *_ = ctx["Execution"]["Id"].split(":")
    scope, role = Scope(account, region), ctx["Execution"]["RoleArn"]
    name = ctx["Execution"]["Name"]
    return role_sessions.assume_for_service(scope, role, "states.amazonaws.com", name).client("s3")


def _read(resource: str, place: dict[str, Any], config: dict[str, Any], s3: Any) -> list[Any]:
    if resource.endswith("s3:listObjectsV2"):
        pages = s3.get_paginator("list_objects_v2").paginate(**place)
        objects = [item for page in pages for item in page.get("Contents", [])]
        return [{**item, "LastModified": int(item["LastModified"].timestamp())} for item in objects]
    text = s3.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
    return _parsed(text, config)


def _parsed(text: str, config: dict[str, Any]) -> list[Any]:
    kind = config.get("InputType", "JSON")
    if kind == "JSONL":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if kind == "CSV":
        delimiter = _DELIMITERS[config.get("CSVDelimiter", "COMMA")]
        rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
        given = config.get("CSVHeaders") if config.get("CSVHeaderLocation") == "GIVEN" else None
        names, rows = (given, rows) if given else (rows[0], rows[1:])
        if len(set(names)) < len(names):
            raise ValueError("CSV headers cannot contain duplicates.")
        return [dict(zip(names, row + [""] * len(names), strict=False)) for row in rows]
    items = json.loads(text)
    for part in config.get("ItemsPointer", "").strip("/").split("/"):
        items = items[int(part) if isinstance(items, list) else part] if part else items
    if kind != "JSON":
        raise ValueError(f"InputType {kind} is not emulated here")
    if not isinstance(items, list):
        raise TypeError("Attempting to map over non-iterable node.")
    return items
