"""Lambda: error names, logs, environment, versions, missing code, as on AWS."""

import base64
from collections.abc import Callable
from typing import Any

import botocore.exceptions
import pytest
from embedded_workbench import Aws, Function, Stack, unique, zipped

pytestmark = pytest.mark.long

MakeFunction = Callable[..., Function]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"do": "raise"}, "OutOfStock"),
        ({"do": "hang"}, "Sandbox.Timedout"),
        ({"do": "crash"}, "Runtime.ExitError"),
    ],
)
def test_a_failed_call_names_its_error(hurried: Function, event: Any, error: str) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    # Given a function that fails; When it is called
    failed, answer = hurried(event)
    # Then the caller gets the name that AWS gives the failure
    assert (failed, answer["errorType"]) == ("Unhandled", error)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import nothing_by_that_name", "Runtime.ImportModuleError"),
        ("def handler(event, context:", "Runtime.UserCodeSyntaxError"),
        ("", "Runtime.HandlerNotFound"),
        ("class Unconfigured(Exception): pass\nraise Unconfigured('PAYMENT_METHOD')", "Unconfigured"),
        ("def handler(event, context): return object()", "Runtime.MarshalError"),
    ],
)
def test_a_function_that_cannot_start_names_why(make_function: MakeFunction, code: str, error: str) -> None:
    # Given code that fails at import, or returns what JSON cannot say; When it is called
    failed, answer = make_function(code)({})
    # Then the runtime client's own name for it arrives
    assert (failed, answer["errorType"]) == ("Unhandled", error)


@pytest.mark.parametrize("event", [{"order_id": "å"}, [1, 2], "text", None, 1.5])
def test_any_json_goes_in_and_comes_out(behaving: Function, event: Any) -> None:
    assert behaving(event) == (None, event)


def test_a_function_works_on_after_a_crash(behaving: Function) -> None:
    # Given a sandbox that crashed
    behaving({"do": "crash"})
    # When the function is called again; Then another sandbox answers
    assert behaving({"again": True}) == (None, {"again": True})


def test_the_sandbox_sees_nothing_of_this_machine(
    make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a function with one variable of its own
    function = make_function(Environment={"Variables": {"MINE": "yes"}})
    # When it shows its environment
    _, seen = function({"do": "environment"})
    # Then that is its own and Lambda's, and no variable of the server or of this process
    assert seen["MINE"] == "yes"
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == function.name
    assert not {"HOME", "VIRTUAL_ENV", "GATEWAY_PORT", "STATE_DIR", "PYTHONPATH", "AWS_PROFILE"} & set(seen)


def test_the_function_acts_as_its_role(behaving: Function) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    _, caller = behaving({"do": "caller"})
    assert ":assumed-role/role-" in caller


def test_what_a_call_prints_comes_with_it(behaving: Function) -> None:
    answer = behaving.client.invoke(FunctionName=behaving.name, Payload='{"do": "print"}', LogType="Tail")
    assert "a line of the log" in base64.b64decode(answer["LogResult"]).decode()


def test_a_version_runs_the_code_and_environment_it_was_published_with(make_function: MakeFunction) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
    # Given a published version
    code = "import os\ndef handler(event, context): return ['first', os.environ['COLOUR']]"
    function = make_function(code, Environment={"Variables": {"COLOUR": "blue"}})
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    assert function({}, version) == (None, ["first", "blue"])
    # When code and environment change
    function.client.update_function_code(
        FunctionName=function.name, ZipFile=zipped(code.replace("first", "second"))
    )
    function.client.update_function_configuration(
        FunctionName=function.name, Environment={"Variables": {"COLOUR": "red"}}
    )
    # Then $LATEST has the new ones and the version the old
    assert function({}) == (None, ["second", "red"])
    assert function({}, version) == (None, ["first", "blue"])


def test_code_that_is_not_in_s3_is_refused(aws: Aws, role: str, make_function: MakeFunction) -> None:
    # Given a bucket without the object
    bucket = unique("artifacts")
    aws("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    absent = {"S3Bucket": bucket, "S3Key": "absent.zip"}
    function = make_function()
    # When a function is created or updated from it; Then Lambda says what S3 said
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchKey"):
        function.client.update_function_code(FunctionName=function.name, **absent)
    with pytest.raises(botocore.exceptions.ClientError, match="NoSuchKey"):
        function.client.create_function(
            FunctionName=unique("function"),
            Runtime="python3.13",
            Handler="app.handler",
            Role=role,
            Code=absent,
        )


def test_another_runtime_is_refused_clearly(make_function: MakeFunction) -> None:
    _, answer = make_function(Runtime="nodejs22.x")({})
    assert answer["errorMessage"] == "runtime nodejs22.x is not emulated here"


def test_reserved_concurrency_is_shared_by_all_versions(make_function: MakeFunction) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    # Given a version of a function
    function = make_function("def handler(event, context): return event")
    version = function.client.publish_version(FunctionName=function.name)["Version"]
    assert function("before", version) == (None, "before")
    # When the function is given no concurrency at all; Then its version is throttled, too
    function.client.put_function_concurrency(FunctionName=function.name, ReservedConcurrentExecutions=0)
    with pytest.raises(botocore.exceptions.ClientError, match="TooManyRequestsException"):
        function("during", version)
    # When that is taken back; Then it answers again
    function.client.delete_function_concurrency(FunctionName=function.name)
    assert function("after", version) == (None, "after")


def test_nobody_may_reserve_what_lambda_keeps_for_everybody(make_function: MakeFunction) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    # Given a function, and how much the account has
    function = make_function("def handler(event, context): return event")
    most = function.client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]

    def reserve(number: int) -> None:
        function.client.put_function_concurrency(
            FunctionName=function.name, ReservedConcurrentExecutions=number
        )

    # When it reserves all but 100 of that; Then it may, also once more
    reserve(most - 100)
    reserve(most - 101)
    # And not one of the hundred
    with pytest.raises(botocore.exceptions.ClientError, match=r"below its minimum value of \[100\]"):
        reserve(most - 99)
    function.client.delete_function_concurrency(FunctionName=function.name)


def test_a_stack_may_not_reserve_what_lambda_keeps_for_everybody(stack: Stack, aws: Aws, role: str) -> None:
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    # Given a stack with a function
    about = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": role,
        "Code": {"ZipFile": "def handler(event, context): return event"},
    }

    def deploy(**more: int) -> None:
        stack.deploy({"Function": {"Type": "AWS::Lambda::Function", "Properties": about | more}})

    deploy()
    most = aws("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    # When it reserves all but 100 of the account's concurrent executions; Then it may, also once more
    deploy(ReservedConcurrentExecutions=most - 100)
    deploy(ReservedConcurrentExecutions=most - 101)
    # And not one of the hundred
    with pytest.raises(AssertionError, match=r"below its minimum value of \[100\]"):
        deploy(ReservedConcurrentExecutions=most - 99)
    stack.delete()
