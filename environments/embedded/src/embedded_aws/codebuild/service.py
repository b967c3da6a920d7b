"""The operations of CodeBuild."""

from embedded_aws.codebuild import builds, projects, report_groups, reports
from embedded_aws.core.service import Service

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
        "CreateReportGroup": report_groups.create,
        "UpdateReportGroup": report_groups.update,
        "DeleteReportGroup": report_groups.delete,
        "BatchGetReportGroups": report_groups.batch_get,
        "ListReportGroups": report_groups.listing,
        "BatchGetReports": reports.batch_get,
        "ListReportsForReportGroup": reports.of_group,
        "DescribeTestCases": reports.test_cases,
        "DescribeCodeCoverages": reports.code_coverages,
        "DeleteReport": reports.delete,
    },
    invalid="InvalidInputException",
)
