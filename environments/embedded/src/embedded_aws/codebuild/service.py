"""CodeBuild: its operations, and the CloudFormation types of its resources."""

from embedded_aws.codebuild import builds, projects, reports
from embedded_aws.core import type_table
from embedded_aws.core.api import Json
from embedded_aws.core.service import Service
from embedded_aws.core.type_table import Created

SERVICE = Service(
    "codebuild",
    {
        "CreateProject": projects.create,
        "UpdateProject": projects.update,
        "DeleteProject": projects.delete,
        "BatchGetProjects": projects.batch_get,
        "ListProjects": projects.listing,
        "StartBuild": builds.start,
        "StopBuild": builds.stop,
        "BatchGetBuilds": builds.batch_get,
        "BatchDeleteBuilds": builds.delete,
        "ListBuilds": builds.listing,
        "ListBuildsForProject": builds.listing_of_project,
        "CreateReportGroup": projects.create_group,
        "UpdateReportGroup": projects.update_group,
        "DeleteReportGroup": projects.delete_group,
        "BatchGetReportGroups": projects.batch_get_groups,
        "ListReportGroups": projects.list_groups,
        "BatchGetReports": reports.batch_get,
        "ListReportsForReportGroup": reports.of_group,
        "DescribeTestCases": reports.test_cases,
        "DescribeCodeCoverages": reports.code_coverages,
        "DeleteReport": reports.delete,
    },
    invalid="InvalidInputException",
)


def _create_project(logical_id: str, properties: Json, stack: str) -> Created:
    name = type_table.physical_name(stack, logical_id, properties.get("Name"))
    project = type_table.perform(SERVICE, "CreateProject", {**properties, "Name": name})["project"]
    return name, {"Arn": project["arn"]}


def _update_project(name: str, _old: Json, new: Json, stack: str) -> Created:
    if new.get("Name") and new["Name"] != name:
        return _create_project("", new, stack)
    project = type_table.perform(SERVICE, "UpdateProject", {**new, "Name": name})["project"]
    return name, {"Arn": project["arn"]}


def _delete_project(name: str, _properties: Json) -> None:
    type_table.perform(SERVICE, "DeleteProject", {"Name": name})


def _create_report_group(logical_id: str, properties: Json, stack: str) -> Created:
    name = type_table.physical_name(stack, logical_id, properties.get("Name"))
    request = {**properties, "Name": name}
    group = type_table.perform(SERVICE, "CreateReportGroup", request)["reportGroup"]
    return group["arn"], {"Arn": group["arn"], "Name": name}


def _update_report_group(arn: str, _old: Json, new: Json, _stack: str) -> Created:
    group = type_table.perform(SERVICE, "UpdateReportGroup", {**new, "Arn": arn})["reportGroup"]
    return arn, {"Arn": arn, "Name": group["name"]}


def _delete_report_group(arn: str, properties: Json) -> None:
    request = {"Arn": arn, "DeleteReports": properties.get("DeleteReports", False)}
    type_table.perform(SERVICE, "DeleteReportGroup", request)


TYPES = {
    "AWS::CodeBuild::Project": type_table.handlers(_create_project, _update_project, _delete_project),
    "AWS::CodeBuild::ReportGroup": type_table.handlers(
        _create_report_group, _update_report_group, _delete_report_group
    ),
}
