"""How the pipelines promote: what the design promises, read off the template."""

import json
import re
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from environments.schema import load
from pipelines.build import check_cache
from pipelines.definitions.bootstrap_stack import pipelines_parameters
from pipelines.definitions.pipeline import GIT_LEGAL
from pipelines.promotion import checks
from templates import payments

Json = dict[str, Any]
_NAMES_AWS_WANTS = {"DomainName", "RepositoryName", "ConnectionName", "PolicyName"}
_NO_PHYSICAL_NAME = {"DisplayName", "MetricName"}


def stages(pipeline: Json) -> dict[str, Json]:
    return {stage["Name"]: stage for stage in pipeline["Stages"]}


def told(action: Json) -> dict[str, str]:
    """The environment variables that an action gives its build."""
    variables = json.loads(action["Configuration"].get("EnvironmentVariables", "[]"))
    return {variable["name"]: variable["value"] for variable in variables}


def in_order(stage: Json) -> list[str]:
    return [action["Name"] for action in sorted(stage["Actions"], key=lambda action: action["RunOrder"])]


def test_the_branch_pipeline_builds_every_branch_but_main_side_by_side(pipelines: dict[str, Json]) -> None:
    branch = pipelines["BranchPipeline"]

    assert (branch["PipelineType"], branch["ExecutionMode"]) == ("V2", "PARALLEL")
    assert list(stages(branch)) == ["Source", "Build", "Name", "Deploy", "Smoke", "Docs"]
    (push,) = branch["Triggers"][0]["GitConfiguration"]["Push"]
    assert push == {"Branches": {"Includes": ["**"], "Excludes": ["main"]}}


def test_the_release_pipeline_takes_main_through_staging_and_a_yes_to_production(
    pipelines: dict[str, Json],
) -> None:
    release = pipelines["ReleasePipeline"]

    assert (release["PipelineType"], release["ExecutionMode"]) == ("V2", "QUEUED")
    expected = ["Source", "Build", "Publish", "Staging"]
    expected += ["Approve", "Verify", "ApproveAgain", "Production", "Docs"]
    assert list(stages(release)) == expected
    (push,) = release["Triggers"][0]["GitConfiguration"]["Push"]
    assert push == {"Branches": {"Includes": ["main"]}}


@pytest.mark.parametrize(("name", "zone"), [("ReleasePipeline", ""), ("BranchPipeline", "Branch")])
def test_the_money_path_is_proven_beside_the_build_and_nothing_goes_on_without_it(
    pipelines: dict[str, Json], name: str, zone: str
) -> None:
    # Given the stage that builds a commit
    build, proof = stages(pipelines[name])["Build"]["Actions"]
    # Then both of its actions begin at once, each in a project of its own, and both are awaited
    assert build["RunOrder"] == proof["RunOrder"]
    projects = [action["Configuration"]["ProjectName"]["Ref"] for action in (build, proof)]
    assert projects == [f"{zone}Build", f"{zone}MoneyPath"]
    # And nothing lets a failure pass
    assert "OnFailure" not in stages(pipelines[name])["Build"]


def test_what_is_signed_and_shown_to_an_approver_rests_on_the_proof(pipelines: dict[str, Json]) -> None:
    # Given the actions that read what MoneyPath made
    reading = {
        action["Name"]
        for stage in pipelines["ReleasePipeline"]["Stages"]
        for action in stage["Actions"]
        if {"Name": "Proven"} in action.get("InputArtifacts", [])
    }
    assert reading == {"Publish", "Evidence"}


def test_no_build_on_aws_proves_in_short(pipelines: dict[str, Json], pipelines_template: Json) -> None:
    # Given every variable that a project or an action gives a build; Then none asks for a part of the proof
    assert check_cache.MONEY_PATH not in json.dumps([pipelines, pipelines_template])


def test_a_refusal_rolls_nothing_back_and_asks_again_only_where_production_moved(
    pipelines: dict[str, Json],
) -> None:
    release = stages(pipelines["ReleasePipeline"])
    # Given the stages between an approval and production
    verify, again = release["Verify"], release["ApproveAgain"]
    # Then the deployment window is before the last look, and neither stage takes anything back
    (window,) = verify["BeforeEntry"]["Conditions"]
    assert window["Rules"][0]["RuleTypeId"]["Provider"] == "DeploymentWindow"
    assert "OnFailure" not in verify
    assert "OnFailure" not in again
    # And the second question is skipped unless the last look found that production moved
    (condition,) = again["BeforeEntry"]["Conditions"]
    assert condition["Result"] == "SKIP"
    configuration = condition["Rules"][0]["Configuration"]
    assert configuration == {"Variable": "#{Verify.MOVED}", "Operator": "EQ", "Value": "yes"}
    assert in_order(again)[-4:] == ["Evidence", "Approve", "TurnAgain", "VerifyAgain"]
    # And it says what moved
    question = next(action for action in again["Actions"] if action["Name"] == "Approve")
    assert question["Configuration"]["CustomData"] == "#{Verify.SUMMARY}"


def test_no_text_of_several_lines_reaches_a_build_s_variables(pipelines: dict[str, Json]) -> None:
    # Given that variables of a build are JSON, in which a line break inside a text is an error
    for pipeline in pipelines.values():
        for stage in pipeline["Stages"]:
            for action in stage["Actions"]:
                said = str(action["Configuration"].get("EnvironmentVariables", ""))
                assert ".SUMMARY}" not in said, action["Name"]


def test_what_staging_ran_is_recorded_by_the_execution_that_smokes_it(pipelines: dict[str, Json]) -> None:
    actions = {
        action["Name"]: action for action in stages(pipelines["ReleasePipeline"])["Staging"]["Actions"]
    }
    assert actions["Record"]["RunOrder"] == actions["Smoke"]["RunOrder"]
    assert told(actions["Record"]) == {"CHECK": "record"}


def test_production_has_a_bake_and_a_way_back_that_no_condition_delays(pipelines: dict[str, Json]) -> None:
    production = stages(pipelines["ReleasePipeline"])["Production"]

    assert "BeforeEntry" not in production
    (after,) = production["OnSuccess"]["Conditions"]
    assert (after["Result"], after["Rules"][0]["RuleTypeId"]["Provider"]) == ("ROLLBACK", "CloudWatchAlarm")
    assert production["OnFailure"]["Result"] == "ROLLBACK"


def test_production_bakes_on_the_metric_alarms_that_judge_the_canary_of_the_stack_it_deployed(
    pipelines: dict[str, Json],
) -> None:
    # Given the alarms that stop the canary of the stack
    stack = payments.build(load("prod")).to_dict()
    (alias,) = (
        part["Properties"]
        for part in stack["Resources"].values()
        if part["Type"] == "AWS::StepFunctions::StateMachineAlias"
    )
    judges = [alarm["Ref"] for alarm in alias["DeploymentPreference"]["Alarms"]]
    assert {stack["Resources"][alarm]["Type"] for alarm in judges} == {"AWS::CloudWatch::Alarm"}
    # Then the bake watches each of them, by what the deployment of this very execution gave out
    production = stages(pipelines["ReleasePipeline"])["Production"]
    rules = production["OnSuccess"]["Conditions"][0]["Rules"]
    watched = [rule["Configuration"]["AlarmName"] for rule in rules]
    assert watched == [f"#{{Production.{alarm}Name}}" for alarm in judges]
    assert [stack["Outputs"][f"{alarm}Name"]["Value"] for alarm in judges] == [
        {"Ref": alarm} for alarm in judges
    ]
    assert len(rules) <= 5
    assert len({rule["Name"] for rule in rules}) == len(rules)
    assert len({rule["Configuration"]["WaitTime"] for rule in rules}) == 1
    (deploys,) = (a for a in production["Actions"] if a.get("Namespace") == "Production")
    assert deploys["Name"] == "Deploy-payments"


def test_production_executes_only_after_it_was_compared_with_what_was_approved(
    pipelines: dict[str, Json],
) -> None:
    expected = [
        "Release-network",
        "Release-payments",
        "Verify",
        "Deploy-network",
        "Deploy-payments",
        "Smoke",
        "Compare",
    ]
    assert in_order(stages(pipelines["ReleasePipeline"])["Production"]) == expected


def test_each_look_at_a_release_is_the_one_that_its_stage_needs(pipelines: dict[str, Json]) -> None:
    # Given the actions that run a check, which CHECK names
    looks = {
        (stage["Name"], action["Name"]): told(action)["CHECK"]
        for stage in pipelines["ReleasePipeline"]["Stages"]
        for action in stage["Actions"]
        if "CHECK" in told(action)
    }
    # Then each is the check of its stage, and none is a weaker one
    assert looks == {
        ("Staging", "Record"): checks.RECORD,
        ("Verify", "Verify"): checks.APPROVED,
        ("ApproveAgain", "VerifyAgain"): checks.APPROVED_AGAIN,
        ("Production", "Verify"): checks.PREPARED,
        ("Production", "Compare"): checks.RUNNING,
    }


def test_production_executes_only_change_sets_of_its_own_making(pipelines: dict[str, Json]) -> None:
    # Given that a stage rollback runs this stage alone again
    production = stages(pipelines["ReleasePipeline"])["Production"]
    done: dict[str, set[tuple[str, str]]] = {}
    for action in production["Actions"]:
        said = action["Configuration"]
        if "ChangeSetName" in said:
            done.setdefault(said["ActionMode"], set()).add((said["StackName"], said["ChangeSetName"]))

    # Then whatever it executes, it has made
    assert done["CHANGE_SET_EXECUTE"] == done["CHANGE_SET_REPLACE"]


def test_a_release_waits_for_those_ahead_and_never_for_one_that_waits_for_it(
    pipelines: dict[str, Json],
) -> None:
    release = stages(pipelines["ReleasePipeline"])
    order = list(release)
    for stage, name, check in (("Verify", "Turn", "Verify"), ("ApproveAgain", "TurnAgain", "VerifyAgain")):
        # Given the wait before a look at production
        actions = {action["Name"]: action for action in release[stage]["Actions"]}
        waits = json.loads(actions[name]["Configuration"]["Input"])
        # Then it is for the stages behind its own, up to the one that changes production
        assert waits["stages"] == order[order.index(stage) + 1 : order.index("Production") + 1]
        assert actions[name]["RunOrder"] < actions[check]["RunOrder"]
        # And it asks about its own execution and the very pipeline
        assert waits["execution"] == "#{codepipeline.PipelineExecutionId}"
        assert waits["pipeline"] == "#{Evidence.PIPELINE}"


def test_no_two_stages_share_a_change_set_and_none_is_named_after_its_execution(
    pipelines: dict[str, Json],
) -> None:
    # Given that a stage holds one execution at a time, and that making a change set replaces its namesake
    made: dict[tuple[str, str], set[str]] = {}
    for stage in pipelines["ReleasePipeline"]["Stages"]:
        for action in stage["Actions"]:
            said = action["Configuration"]
            if "ChangeSetName" in said:
                stack = f"{action['RoleArn']} {said['StackName']}"
                made.setdefault((stack, said["ChangeSetName"]), set()).add(stage["Name"])
                assert "#{" not in said["ChangeSetName"]
    # Then no stage replaces what another made, and a stack never has more than three
    assert {len(stages) for stages in made.values()} == {1}
    assert max(sum(stack == other for other, _ in made) for stack, _ in made) == 3


def test_the_approval_shows_evidence_of_a_change_set_that_is_never_executed(
    pipelines: dict[str, Json],
) -> None:
    approve = stages(pipelines["ReleasePipeline"])["Approve"]
    question = approve["Actions"][-1]

    reviews = ["Review-network", "Review-payments"]
    assert in_order(approve) == [*reviews, "Evidence", "Publish-staging-docs", "Approve"]
    assert question["Configuration"]["CustomData"] == "#{Evidence.SUMMARY}"
    assert "evidence/#{codepipeline.PipelineExecutionId}" in json.dumps(question["Configuration"])


def test_staging_and_production_get_the_same_packages(pipelines: dict[str, Json]) -> None:
    release = pipelines["ReleasePipeline"]
    read = {
        action["Configuration"]["TemplateConfiguration"].partition("::")[0]
        for stage in release["Stages"]
        for action in stage["Actions"]
        if "TemplateConfiguration" in action["Configuration"]
    }

    assert read == {"Packages"}


def test_removing_a_branch_takes_a_yes_and_a_role_that_can_do_nothing_else(
    pipelines: dict[str, Json],
) -> None:
    remove = pipelines["RemoveBranchPipeline"]
    delete, preview = stages(remove)["Delete"]["Actions"]

    assert [variable["Name"] for variable in remove["Variables"]] == ["branch"]
    assert list(stages(remove)) == ["Source", "Name", "Approve", "Delete"]
    assert delete["RoleArn"] == {"Ref": "BranchRemovalRole"}
    assert delete["Configuration"]["StackName"] == "#{Name.STACK_NAME}"
    # And its docs go with it
    assert (delete["RunOrder"], preview["RunOrder"]) == (1, 2)
    assert told(preview) == {"FOLDER": "branches/#{Name.STACK_NAME}"}


def test_each_environment_and_branch_has_a_folder_of_the_docs_site(pipelines: dict[str, Json]) -> None:
    folders = {
        action["Name"]: told(action)["FOLDER"]
        for name in ("BranchPipeline", "ReleasePipeline")
        for stage in pipelines[name]["Stages"]
        for action in stage["Actions"]
        if "FOLDER" in told(action)
    }

    assert folders == {
        "Preview": "branches/#{Name.STACK_NAME}",
        "Publish-staging-docs": "staging",
        "Publish-prod-docs": "prod",
    }


@pytest.mark.parametrize("pipeline", ["BranchPipeline", "RemoveBranchPipeline"])
def test_a_branch_s_name_reaches_a_build_only_if_it_cannot_add_to_the_json_around_it(
    pipelines: dict[str, Json], pipeline: str
) -> None:
    (condition,) = stages(pipelines[pipeline])["Name"]["BeforeEntry"]["Conditions"]

    assert condition["Result"] == "FAIL"
    assert condition["Rules"][0]["Configuration"]["Value"] == GIT_LEGAL


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
@given(branch=st.text(max_size=260) | st.text(alphabet='"\\:{}[],#$ \n\t\x01\u00a0🚀é', max_size=20))
@example(branch="🚀" * 250)
@example(branch='x","type":"PLAINTEXT"},{"name":"PATH","value":"/tmp')
@example(branch='"')
@example(branch="#{variables.branch}$(reboot)")
def test_what_the_condition_lets_through_arrives_as_it_is(pipelines: dict[str, Json], branch: str) -> None:
    # Given a name, from git or from whoever asks for a removal, that the condition lets through
    assume(re.fullmatch(GIT_LEGAL, branch))
    for pipeline, variable in (
        ("BranchPipeline", "Source.BranchName"),
        ("RemoveBranchPipeline", "variables.branch"),
    ):
        (action,) = [one for one in stages(pipelines[pipeline])["Name"]["Actions"] if one["Name"] == "Name"]
        before = action["Configuration"]["EnvironmentVariables"]
        # When CodePipeline puts it into the JSON for the build
        after = json.loads(before.replace(f"#{{{variable}}}", branch))
        # Then the build is told that very name, and nothing else
        changed = {one["name"]: one["value"] for one in after}
        assert changed == told(action) | {"BRANCH": branch}


@given(
    branch=st.text(
        alphabet=string.ascii_letters + string.digits + "/-_.#+é漢🚀'$`;&|", min_size=1, max_size=250
    )
)
def test_the_condition_lets_branches_through(branch: str) -> None:
    assert re.fullmatch(GIT_LEGAL, branch)


def test_a_schedule_looks_for_expired_branches(pipelines_template: Json) -> None:
    schedule = pipelines_template["Resources"]["ExpirySchedule"]["Properties"]

    assert "${ExpiryPipeline}" in json.dumps(schedule["Target"]["Arn"])


def test_every_schedule_keeps_what_it_could_not_start_and_people_hear_of_it(pipelines_template: Json) -> None:
    # Given everything of the stack that starts something by itself
    resources = pipelines_template["Resources"]
    schedules = [
        part["Properties"] for part in resources.values() if part["Type"] == "AWS::Scheduler::Schedule"
    ]
    assert not [part for part in resources.values() if part["Type"] == "AWS::Events::Rule"]
    assert schedules
    for schedule in schedules:
        # Then it has a queue that its role may write to
        queue = schedule["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
        role = resources[schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
        allowed = role["Policies"][0]["PolicyDocument"]["Statement"]
        keeps = {"Action": ["sqs:SendMessage"], "Resource": [{"Fn::GetAtt": [queue, "Arn"]}]}
        assert any(keeps.items() <= statement.items() for statement in allowed)
        # And an alarm on it tells the topic, which lets CloudWatch in
        [alarm] = [
            part["Properties"]
            for part in resources.values()
            if part["Type"] == "AWS::CloudWatch::Alarm"
            and queue in json.dumps(part["Properties"]["Dimensions"])
        ]
        assert alarm["AlarmActions"] == [{"Ref": "Approvals"}]
    for policy in ("ApprovalsPolicy", "ArtifactsKey"):
        assert "cloudwatch.amazonaws.com" in json.dumps(resources[policy])


def test_every_action_that_deploys_a_template_lets_it_make_roles(pipelines: dict[str, Json]) -> None:
    # Given that the templates of both stacks have roles, whose names CloudFormation makes up
    actions = [
        action["Configuration"]
        for pipeline in pipelines.values()
        for stage in pipeline["Stages"]
        for action in stage["Actions"]
    ]
    deploying = [settings for settings in actions if "TemplatePath" in settings]
    # Then each says so, or CloudFormation would refuse it, and no more than that
    assert len(deploying) >= 5
    assert {settings.get("Capabilities") for settings in deploying} == {"CAPABILITY_IAM"}


def test_no_pipeline_deploys_pipelines(pipelines: dict[str, Json]) -> None:
    said = json.dumps(pipelines)

    assert "AWS::StackName" not in said
    assert "bootstrap" not in said


def test_everything_that_can_be_named_by_cloudformation_is(
    pipelines_template: Json, bootstraps: dict[str, Json]
) -> None:
    for template in (pipelines_template, *bootstraps.values()):
        for name, resource in template["Resources"].items():
            own = {key for key in resource["Properties"] if key.endswith("Name")}
            own -= _NAMES_AWS_WANTS | _NO_PHYSICAL_NAME
            named = own - {"Name"} if resource["Type"].endswith("NotificationRule") else own
            assert named == set(), name


def test_the_bootstraps_outputs_are_the_roles_that_the_pipelines_stack_asks_for(
    pipelines_template: Json, bootstraps: dict[str, Json]
) -> None:
    outputs = {
        name: {output: f"{name}-{output}" for output in template["Outputs"]}
        for name, template in bootstraps.items()
    }

    given = pipelines_parameters(outputs)

    assert set(given) | {"DocsBucket", "DocsUrl", "PreviewsBucket", "PreviewsUrl"} == set(
        pipelines_template["Parameters"]
    )
    assert given["BranchRemovalRole"] == "branch-RemovalRole"
    assert given["ProdDeploymentRole"] == "prod-DeploymentRole"
