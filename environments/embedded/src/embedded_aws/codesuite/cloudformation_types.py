"""The CloudFormation types of our services, made through the same operations that the API has."""

from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services.cloudformation import provisioners, stacks

from embedded_aws.codesuite import clock, codeartifact, connections, notifications, properties, runtime
from embedded_aws.codesuite.codebuild.service import SERVICE as CODEBUILD
from embedded_aws.codesuite.codepipeline import approvals_and_transitions, control, pipelines
from embedded_aws.codesuite.codepipeline.service import SERVICE as CODEPIPELINE
from embedded_aws.codesuite.errors import ApiError
from embedded_aws.codesuite.scope import Json, Scope
from embedded_aws.codesuite.service import Service

_Made = tuple[str, dict[str, Any]]
_NAME_LIMIT = 100


def install() -> None:
    """Register the types with MiniStack's CloudFormation."""
    types = _types()
    provisioners._RESOURCE_HANDLERS.update(types)
    # Ours make calls to the endpoint, which the event loop must be free to answer.
    blocks = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda name: name in types or blocks(name)


def _types() -> dict[str, dict[str, Callable[..., Any]]]:
    return {
        "AWS::CodePipeline::Pipeline": _type(_create_pipeline, _update_pipeline, _delete_pipeline),
        "AWS::CodeBuild::Project": _type(_create_project, _update_project, _delete_project),
        "AWS::CodeBuild::ReportGroup": _type(
            _create_report_group, _update_report_group, _delete_report_group
        ),
        "AWS::CodeConnections::Connection": _type(_connect(connections.CODECONNECTIONS), None, _disconnect),
        "AWS::CodeStarConnections::Connection": _type(_connect(connections.CODESTAR), None, _disconnect),
        "AWS::CodeArtifact::Domain": _type(_create_domain, None, _delete_domain),
        "AWS::CodeArtifact::Repository": _type(_create_repository, None, _delete_repository),
        "AWS::CodeStarNotifications::NotificationRule": _type(_create_rule, _update_rule, _delete_rule),
    }


def _type(
    create: Callable[[str, Json, str], _Made],
    update: Callable[[str, Json, Json, str], _Made] | None,
    delete: Callable[[str, Json], None],
) -> dict[str, Callable[..., Any]]:
    handlers: dict[str, Callable[..., Any]] = {"create": create, "delete": delete}
    return handlers | ({"update": update} if update else {})


def _scope() -> Scope:
    return Scope(responses.get_account_id(), responses.get_region())


def _do(service: Service, operation: str, given: Json) -> Json:
    """Do an operation; CloudFormation tells a refusal as the resource's reason."""
    try:
        return service.perform(operation, _scope(), properties.request(service.name, operation, given))
    except ApiError as error:
        raise ValueError(f"{error} (Service: {service.name}, Code: {error.code})") from None


def _name(stack: str, logical_id: str, given: Any, limit: int = _NAME_LIMIT) -> str:
    name: str = given or provisioners._physical_name(stack, logical_id, max_len=limit)
    return name


def _pipeline(name: str, props: Json) -> Json:
    stores = (
        {"ArtifactStores": {s["Region"]: s["ArtifactStore"] for s in props["ArtifactStores"]}}
        if props.get("ArtifactStores")
        else {}
    )
    return {"Pipeline": {**props, **stores, "Name": name}, "Tags": props.get("Tags", [])}


def _create_pipeline(logical_id: str, props: Json, stack: str) -> _Made:
    name = _name(stack, logical_id, props.get("Name"))
    with runtime.current().store.transaction():  # a disabled transition holds the first execution, too
        _do(CODEPIPELINE, "CreatePipeline", _pipeline(name, props))
        for transition in props.get("DisableInboundStageTransitions", []):
            approvals_and_transitions.disable_transition(
                _scope(),
                {
                    "pipelineName": name,
                    "stageName": transition["StageName"],
                    "reason": transition["Reason"],
                    "transitionType": "Inbound",
                },
            )
    return name, {"Version": "1"}


def _update_pipeline(name: str, _old: Json, new: Json, stack: str) -> _Made:
    if new.get("Name") and new["Name"] != name:
        return _create_pipeline("", new, stack)
    made = _do(CODEPIPELINE, "UpdatePipeline", _pipeline(name, new))["pipeline"]
    if str(new.get("RestartExecutionOnUpdate", "false")).lower() == "true":
        control.start(_scope(), {"name": name})
    return name, {"Version": str(made["version"])}


def _delete_pipeline(name: str, _props: Json) -> None:
    pipelines.delete(_scope(), {"name": name})


def _create_project(logical_id: str, props: Json, stack: str) -> _Made:
    name = _name(stack, logical_id, props.get("Name"))
    made = _do(CODEBUILD, "CreateProject", {**props, "Name": name})["project"]
    return name, {"Arn": made["arn"]}


def _update_project(name: str, _old: Json, new: Json, stack: str) -> _Made:
    if new.get("Name") and new["Name"] != name:
        return _create_project("", new, stack)
    made = _do(CODEBUILD, "UpdateProject", {**new, "Name": name})["project"]
    return name, {"Arn": made["arn"]}


def _delete_project(name: str, _props: Json) -> None:
    _do(CODEBUILD, "DeleteProject", {"Name": name})


def _create_report_group(logical_id: str, props: Json, stack: str) -> _Made:
    name = _name(stack, logical_id, props.get("Name"))
    made = _do(CODEBUILD, "CreateReportGroup", {**props, "Name": name})["reportGroup"]
    return made["arn"], {"Arn": made["arn"], "Name": name}


def _update_report_group(arn: str, _old: Json, new: Json, _stack: str) -> _Made:
    made = _do(CODEBUILD, "UpdateReportGroup", {**new, "Arn": arn})["reportGroup"]
    return arn, {"Arn": arn, "Name": made["name"]}


def _delete_report_group(arn: str, props: Json) -> None:
    _do(CODEBUILD, "DeleteReportGroup", {"Arn": arn, "DeleteReports": props.get("DeleteReports", False)})


def _connect(service: Service) -> Callable[[str, Json, str], _Made]:
    def create(_logical_id: str, props: Json, _stack: str) -> _Made:
        made = _do(service, "CreateConnection", props)
        attributes = ("ConnectionArn", "ConnectionStatus", "OwnerAccountId")
        return made["ConnectionArn"], {name: made[name] for name in attributes}

    return create


def _disconnect(arn: str, _props: Json) -> None:
    try:
        connections.CODECONNECTIONS.perform("DeleteConnection", _scope(), {"ConnectionArn": arn})
    except ApiError:
        return  # deleted by hand before its stack


def _create_domain(_logical_id: str, props: Json, _stack: str) -> _Made:
    made = _do(codeartifact.SERVICE, "CreateDomain", {**props, "domain": props["DomainName"]})["domain"]
    attributes = {"Arn": made["arn"], "Name": made["name"], "Owner": made["owner"]}
    return made["arn"], attributes | (
        {"EncryptionKey": made["encryptionKey"]} if made["encryptionKey"] else {}
    )


def _delete_domain(_arn: str, props: Json) -> None:
    _do(codeartifact.SERVICE, "DeleteDomain", {"domain": props["DomainName"]})


def _create_repository(_logical_id: str, props: Json, _stack: str) -> _Made:
    given = {
        "domain": props["DomainName"],
        "domainOwner": props.get("DomainOwner"),
        "repository": props["RepositoryName"],
    }
    given = {key: value for key, value in given.items() if value}
    made = _do(
        codeartifact.SERVICE, "CreateRepository", given | {"description": props.get("Description", "")}
    )["repository"]
    return made["arn"], {
        "Arn": made["arn"],
        "Name": made["name"],
        "DomainName": made["domainName"],
        "DomainOwner": made["domainOwner"],
    }


def _delete_repository(_arn: str, props: Json) -> None:
    _do(
        codeartifact.SERVICE,
        "DeleteRepository",
        {"domain": props["DomainName"], "repository": props["RepositoryName"]},
    )


def _create_rule(_logical_id: str, props: Json, _stack: str) -> _Made:
    arn = _scope().arn("codestar-notifications", f"notificationrule/{clock.new_id()}")
    return _put_rule(arn, props)


def _update_rule(arn: str, _old: Json, new: Json, _stack: str) -> _Made:
    return _put_rule(arn, new)


def _put_rule(arn: str, props: Json) -> _Made:
    scope = _scope()
    runtime.current().store.put(
        notifications.KIND, scope.account, scope.region, arn, body={**props, "Arn": arn}
    )
    return arn, {"Arn": arn}


def _delete_rule(arn: str, _props: Json) -> None:
    scope = _scope()
    runtime.current().store.delete(notifications.KIND, scope.account, scope.region, arn)
