"""CodeBuild: what it reads in the reports that a build wrote."""

from pathlib import Path

import pytest
from codepipeline_workbench import REGION, TOOLS, Workshop

from embedded_aws.codebuild import reports

_COVERED = """
<coverage><packages><package><classes>
<class filename="a.py"><lines>
<line number="1" hits="1"/>
<line number="2" hits="2" branch="true" condition-coverage="33% (1/3)"/>
<line number="3" hits="0"/>
</lines></class>
<class filename="empty.py"><lines/></class>
</classes></package></packages></coverage>
"""


def test_coverage_is_counted_by_file_and_in_all(tmp_path: Path) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_CodeCoverage.html
    # Given a report of two files: two lines in three and one branch in three are covered, and none at all
    (tmp_path / "coverage.xml").write_text(_COVERED)
    # When it is read
    covered, empty = reports.covered_files(tmp_path / "coverage.xml")
    # Then percentages have two digits after the point
    counts = {
        "linesCovered": 2,
        "linesMissed": 1,
        "lineCoveragePercentage": 66.67,
        "branchesCovered": 1,
        "branchesMissed": 2,
        "branchCoveragePercentage": 33.33,
    }
    assert covered == {"filePath": "a.py", **counts}
    # And what has no line adds nothing
    assert (empty["lineCoveragePercentage"], empty["branchCoveragePercentage"]) == (0.0, 0.0)
    assert reports.coverage_summary([covered, empty]) == counts


@pytest.mark.parametrize("colons", ["", ":v2"])
def test_a_report_group_that_nobody_made_is_told_as_not_found(workshop: Workshop, colons: str) -> None:
    # https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetReportGroups.html
    arn = f"arn:aws:codebuild:{REGION}:{TOOLS}:report-group/nobody{colons}"
    answer = workshop.client("codebuild").batch_get_report_groups(reportGroupArns=[arn])
    assert (answer["reportGroups"], answer["reportGroupsNotFound"]) == ([], [arn])
