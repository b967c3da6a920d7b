"""Single states, where MiniStack's leave something out: Choice, Wait, Fail, Parallel, Map and catchers."""

from typing import Any

from ministack.services import stepfunctions

from embedded_aws.stepfunctions import checks, evaluation, path_evaluation

_Error = stepfunctions._ExecutionError


def install() -> None:
    """Take the place of what MiniStack's states get wrong."""
    stepfunctions._execute_choice = _choice(stepfunctions._execute_choice)
    stepfunctions._run_parallel_branches = _parallel(stepfunctions._run_parallel_branches)
    stepfunctions._run_distributed_map = _map_run(stepfunctions._run_distributed_map)
    stepfunctions._run_map_items = _map(stepfunctions._run_map_items)
    stepfunctions._execute_wait = _wait(stepfunctions._execute_wait)
    stepfunctions._evaluate_jsonata_choice_rule = checks.choice_holds
    stepfunctions._apply_catcher = _caught(stepfunctions._apply_catcher)
    stepfunctions._fail_state_error = fail_error


def fail_error(state: dict[str, Any], value: Any, ctx: dict[str, Any] | None = None) -> tuple[Any, Any]:
    """Return the error and the cause of a Fail state; each is None where the state gives none."""
    error, cause = (
        stepfunctions._fail_state_field(state, name, None, value, ctx) for name in ("Error", "Cause")
    )
    return error, cause


def succeed(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
    """Return the output of a Succeed state."""
    if stepfunctions._state_query_language(state, ctx) == "JSONata":
        return stepfunctions._apply_jsonata_output(state, value, ctx, default=value)
    selected = stepfunctions._apply_input_path(state, value, ctx)
    return stepfunctions._apply_output_path(state, selected, ctx)


def _choice(stock: Any) -> Any:
    """A Choice has an Output, in JSONata, and an Assign of its own where its Default is taken."""

    def execute(state: dict[str, Any], value: Any, ctx: dict[str, Any] | None = None) -> tuple[Any, Any]:
        output, following = stock(state, value, ctx)
        if stepfunctions._state_query_language(state, ctx) != "JSONata":
            effective = stepfunctions._apply_input_path(state, value, ctx)
            rules = (r for r in state["Choices"] if stepfunctions._evaluate_rule(r, effective, ctx))
            path_evaluation.assign_by_paths(next(rules, state), effective, ctx)
            return output, following
        default = following == state.get("Default") and not any(
            rule.get("Next") == following for rule in state["Choices"]
        )
        if default:
            output = stepfunctions._apply_jsonata_output(state, value, ctx, default=output)
        return output, following

    return execute


def _wait(stock: Any) -> Any:
    def execute(state: dict[str, Any], value: Any, ctx: dict[str, Any]) -> Any:
        if stepfunctions._state_query_language(state, ctx) != "JSONata":
            checks.check_wait(state, value, ctx)
            path_evaluation.assign_by_paths(state, stepfunctions._apply_input_path(state, value, ctx), ctx)
        return stock(state, value, ctx)

    return execute


def _caught(stock: Any) -> Any:
    """In JSONPath, a catcher's `$` is the error."""

    def apply(catcher: dict[str, Any], value: Any, ctx: dict[str, Any], language: str, error: Any) -> Any:
        if (
            language == "JSONata"
        ):  # a catcher speaks its state's language, which may be another than the machine's
            return stock({**catcher, "QueryLanguage": language}, value, ctx, language, error)
        path_evaluation.assign_by_paths(catcher, error, ctx)
        return stock(catcher, value, ctx, language, error)

    return apply


def _parallel(stock: Any) -> Any:
    """A JSONata Parallel has an Output and an Assign of its own; its history says when it began and ended."""

    def execute(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        stepfunctions._add_event(execution, "ParallelStateStarted")
        output, following = stock(state, value, execution, ctx)
        stepfunctions._add_event(execution, "ParallelStateSucceeded")
        if stepfunctions._state_query_language(state, ctx) == "JSONata":
            results = output
            output = stepfunctions._apply_jsonata_output(state, value, ctx, result=results, default=results)
            evaluation.assign(state, value, ctx, result=results)
        return output, following

    return execute


def _map(stock: Any) -> Any:
    """A Map's input is an array, and its history says when it and its iterations began and ended."""

    def execute(state: dict[str, Any], value: Any, execution: dict[str, Any], ctx: dict[str, Any]) -> Any:
        length = checks.count_items(state, value, ctx)
        details = {} if length is None else {"mapStateStartedEventDetails": {"length": length}}
        stepfunctions._add_event(execution, "MapStateStarted", details)
        checks.check_tolerances(state, value, ctx)
        ended = stock(state, value, execution, ctx)
        stepfunctions._add_event(execution, "MapStateSucceeded")
        return ended

    return execute


def _map_run(stock: Any) -> Any:
    """A distributed Map's history names its run."""

    def execute(state: dict[str, Any], value: Any, effective: Any, iterator: Any, *rest: Any) -> Any:
        execution = rest[0]
        before = set(stepfunctions._map_runs)

        def note(kind: str, details: dict[str, Any]) -> None:
            run = next((arn for arn in stepfunctions._map_runs if arn not in before), "")
            named = {"mapRunStartedEventDetails": {"mapRunArn": run}}
            stepfunctions._add_event(execution, "MapRunStarted", named)
            stepfunctions._add_event(execution, f"MapRun{kind}", details)

        try:
            ended = stock(state, value, effective, iterator, *rest)
        except _Error as error:
            failed = {"error": error.error, "cause": error.cause}
            note("Failed", {"mapRunFailedEventDetails": {k: v for k, v in failed.items() if v}})
            raise
        note("Succeeded", {})
        return ended

    return execute
