"""MiniStack's private names that this package stands on, all of them: checked at the start, by their modules.

A private name may go with any patch release. One that is missing ends the start with a message that names it,
instead of an emulator that answers wrongly; a test holds this list equal to what the sources use.
"""

from importlib import import_module, metadata

MADE_FOR = "1.5.33"
"""The version of MiniStack that this package is tested with."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PRIVATE_NAMES: dict[str, tuple[str, ...]] = {
    "ministack.app": _names(
        """
        _MAIN_LOOP _build_persistence_save_dict _dispatch_service_request _enforce_data_plane
        _enforce_execute_api _loaded_modules
        """
    ),
    "ministack.core.iam_actions": _names(
        """
        _BOTOCORE_SERVICE_MAP _s3_action
        """
    ),
    "ministack.core.iam_evaluator": _names(
        """
        _first_match _gather_role_policies _permissions_boundary _resolve_condition_key
        _resource_matches _role_name_from_assumed_arn _service_principal_matches
        """
    ),
    "ministack.core.lambda_runtime": _names(
        """
        _lock _worker_key _workers
        """
    ),
    "ministack.core.responses": _names(
        """
        _request_account_id _request_region
        """
    ),
    "ministack.services.apigateway_v1": _names(
        """
        _handle_execute_in_scope _rest_apis _stages_v1
        """
    ),
    "ministack.services.cloudformation": _names(
        """
        _change_sets _stack_events _stacks
        """
    ),
    "ministack.services.cloudformation.changesets": _names(
        """
        _find_change_set _resolve_parameters
        """
    ),
    "ministack.services.cloudformation.engine": _names(
        """
        _evaluate_conditions _resolve_parameters
        """
    ),
    "ministack.services.cloudformation.handlers": _names(
        """
        _ACTION_HANDLERS _resolve_parameters _resolve_stack
        """
    ),
    "ministack.services.cloudformation.helpers": _names(
        """
        _error _p
        """
    ),
    "ministack.services.cloudformation.provisioners": _names(
        """
        _RESOURCE_HANDLERS _cw_metric_alarm_record _physical_name
        """
    ),
    "ministack.services.cloudformation.stacks": _names(
        """
        _add_event _delete_resource _provision_resource _runs_on_worker_thread _update_resource
        """
    ),
    "ministack.services.cloudfront": _names(
        """
        _distributions
        """
    ),
    "ministack.services.cloudwatch": _names(
        """
        _alarms _calc_stats _composite_alarms _delete_alarms _describe_alarms _dims_key
        _dispatch_alarm_actions _evaluate_alarm _evaluate_all_alarms _evaluate_parent_alarms
        _metrics _put_composite_alarm _record_history _stat_value
        """
    ),
    "ministack.services.cloudwatch_logs": _names(
        """
        _append_log_events _compile_filter_pattern _create_log_stream
        _fanout_to_subscription_filters _filter_log_events _log_groups _metric_filters
        _put_metric_filter
        """
    ),
    "ministack.services.ec2": _names(
        """
        _ACTION_MAP _addresses _error _flow_logs _nat_gateways _p _parse_filters
        _parse_member_list _parse_tag_specs _put_vpc_peering_record
        _resource_matches_tag_filters _security_groups _set_vpc_peering_status _tag_set_xml
        _tags _vpc_endpoints _vpc_peering _vpcs _xml
        """
    ),
    "ministack.services.eventbridge": _names(
        """
        _SCHEDULER_TICK_INTERVAL _dispatch_to_stepfunctions _invoke_target
        """
    ),
    "ministack.services.iam": _names(
        """
        _roles
        """
    ),
    "ministack.services.lambda_svc": _names(
        """
        _account_region_from_function_config _create_function _emit_lambda_metrics
        _ensure_reaper_thread _execute_function_docker _execute_function_warm
        _execute_function_with_config_scope _execution_record_for_config
        _extract_zip_preserving_mode _functions _get_account_settings _get_func_record_for_ref
        _provided_code_lock _provided_runtime_code_dir _provided_worker_env
        _put_function_concurrency _reserved_concurrency _runtime_env_vars _update_code
        _vpc_config_with_id _xray_trace_id_for_invocation
        """
    ),
    "ministack.services.s3": _names(
        """
        _bucket_owner_account _bucket_policies _foreign_bucket_allows _get_object_data
        """
    ),
    "ministack.services.scheduler": _names(
        """
        _SCHEDULE_TICK_INTERVAL
        """
    ),
    "ministack.services.stepfunctions": _names(
        """
        _ExecutionError _emit_execution_status_event _executions _map_runs _start_execution
        _state_machine_aliases _state_machine_versions _state_machines _task_tokens
        _validate_definition_jsonata
        """
    ),
}
"""By the module that holds them."""


class MiniStackUnsuitable(RuntimeError):  # noqa: N818 - it reads as what happened
    """The installed MiniStack lacks names that this package stands on; the message lists them."""


def missing() -> list[str]:
    """Return the private names that the installed MiniStack does not have, with their modules."""
    absent: list[str] = []
    for module, names in PRIVATE_NAMES.items():
        try:
            loaded = import_module(module)
        except ImportError:
            absent.append(module)
            continue
        absent += [f"{module}.{name}" for name in names if not hasattr(loaded, name)]
    return absent


def check() -> None:
    """Refuse a MiniStack that lacks one of the names.

    Raises:
        MiniStackUnsuitable: it does.
    """
    absent = missing()
    if absent:
        raise MiniStackUnsuitable(
            f"MiniStack {metadata.version('ministack')} has no {', '.join(absent)}; "
            f"this package is made for MiniStack {MADE_FOR}"
        )
