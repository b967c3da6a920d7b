from __future__ import annotations

from typing import Any

import pytest

import data_api.storage.connection as mongodb
from environments import schema
from payment_data import timeouts
from pipelines.definitions.release_stages import RELEASE_ALARMS
from templates import payments as payments_stack
from templates.capabilities.step_functions import ROUTES, routes
from templates.definitions.tasks import TASK_SECONDS
from templates.payments import FUNCTIONS
from tests.templates.conftest import plain
from tests.templates.paying import paying_by
from tests.templates.reading import imported, properties, ref, statements, strings, the

Json = dict[str, Any]

STEPS = [
    "ArrangeDelivery",
    "ProcessPayment",
    "RecordFailure",
    "RefundPayment",
    "ReleaseProducts",
    "ReserveProducts",
]


PAYING = {"ProcessPaymentFunction", "RefundPaymentFunction"}
ELSEWHERE = {"api_base": "http://127.0.0.1:12111"}


def functions(payments: Json) -> dict[str, Json]:
    return properties(payments, "AWS::Lambda::Function")


def test_every_function_of_the_design_is_there(payments: Json) -> None:
    assert len(functions(payments)) == len(FUNCTIONS)
    assert {function["Handler"] for function in functions(payments).values()} == {
        f"{name}.handler.handler" for name in FUNCTIONS
    }


def test_every_function_lives_in_the_private_subnets(payments: Json, environment: Any) -> None:
    for name, function in functions(payments).items():
        groups = ["DataApiSecurityGroupId" if name == "DataApiFunction" else "FunctionsSecurityGroupId"]
        if name in PAYING and environment.stripe:
            groups.append("PaymentsSecurityGroupId")
        assert function["VpcConfig"] == {
            "SubnetIds": {"Fn::Split": [",", imported("PrivateSubnetIds")]},
            "SecurityGroupIds": [imported(group) for group in groups],
        }, name


def test_only_functions_that_pay_by_stripe_know_of_it_and_none_holds_its_key(
    payments: Json, environment: Any
) -> None:
    # Given what functions are told of Stripe
    told = {
        name: {key: value for key, value in function["Environment"]["Variables"].items() if "STRIPE" in key}
        for name, function in functions(payments).items()
    }
    # Then it is where the key is, for the two that pay
    expected = {"STRIPE_SECRET_ARN": environment.stripe.secret_arn} if environment.stripe else {}
    assert told == {name: expected if name in PAYING else {} for name in told}


def test_only_functions_that_pay_by_stripe_may_read_its_key_and_no_other_secret(
    payments: Json, environment: Any
) -> None:
    # Given every statement about secrets
    found = {
        name: (part["Action"], part["Resource"])
        for name, role in payments["Resources"].items()
        for part in statements(role)
        if any("secretsmanager" in action for action in part.get("Action", []))
    }
    # Then it is about this one
    one = (["secretsmanager:GetSecretValue"], environment.stripe and [environment.stripe.secret_arn])
    assert found == (
        dict.fromkeys(("ProcessPaymentRole", "RefundPaymentRole"), one) if environment.stripe else {}
    )


def test_another_gateway_is_named_only_where_the_environment_says_so() -> None:
    # Given an environment with a stand-in for Stripe
    stand_in = plain(paying_by("card", "staging", **ELSEWHERE))["payments"]
    # Then the functions that pay are told
    named = {
        name: function["Environment"]["Variables"].get("STRIPE_API_BASE")
        for name, function in functions(stand_in).items()
    }
    assert {name: base for name, base in named.items() if base} == dict.fromkeys(
        PAYING, ELSEWHERE["api_base"]
    )


def test_every_function_is_traced_encrypted_and_logs_to_a_group_of_its_own(payments: Json) -> None:
    for function in functions(payments).values():
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["KmsKeyArn"] == imported("KeyArn")
    groups = [function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions(payments).values()]
    assert len(set(groups)) == len(groups)
    assert set(groups) <= set(properties(payments, "AWS::Logs::LogGroup"))


def test_the_data_api_has_the_processor_that_its_start_needs(payments: Json, environment: Any) -> None:
    # Given what the environment gives every function
    given = environment.functions.memory_mb
    # Then the data API has as much, or what logging in takes, and no other function has more
    memory = {name: function["MemorySize"] for name, function in functions(payments).items()}
    assert memory.pop("DataApiFunction") == max(given, 1024)
    assert set(memory.values()) == {given}


def test_the_data_api_runs_no_more_than_its_connections_allow_where_the_environment_says_how_many() -> None:
    # Given production as its file is, and with a number of connections
    stated = schema.load("prod")
    bounded = stated.with_database(connections=1501)
    built = [payments_stack.build(environment).to_dict() for environment in (stated, bounded)]
    reserved = [
        {name: made.get("ReservedConcurrentExecutions") for name, made in functions(template).items()}
        for template in built
    ]
    # Then nothing is reserved, or for a third of them for the data API alone
    assert set(reserved[0].values()) == {None}
    assert reserved[1].pop("DataApiFunction") == 500
    assert set(reserved[1].values()) == {None}


def test_every_function_has_a_role_of_its_own(payments: Json) -> None:
    roles = [str(function["Role"]) for function in functions(payments).values()]
    assert len(set(roles)) == len(roles)


def test_time_outs_nest(payments: Json) -> None:
    # Given every time-out from the database to the task
    found = functions(payments)
    integration = the(payments, "AWS::ApiGateway::Method")["Integration"]["TimeoutInMillis"] / 1000
    api = found["DataApiFunction"]["Timeout"]
    steps = {found[f"{name}Function"]["Timeout"] for name in STEPS}
    # Then each fits into the next
    assert len(steps) == 1
    assert (
        mongodb.REQUEST_SECONDS < api <= integration < timeouts.DATA_API_SECONDS < steps.pop() < TASK_SECONDS
    )


@pytest.mark.parametrize("name", sorted(ROUTES))
def test_a_function_may_ask_the_data_api_exactly_what_its_table_says(
    payments: Json, environment: Any, name: str
) -> None:
    # Given a function's role
    title = "".join(word.capitalize() for word in name.split("_"))
    role = payments["Resources"][f"{title}Role"]
    allowed = [statement for statement in statements(role) if "execute-api:Invoke" in statement["Action"]]
    # Then it names METHOD/path of this API's stage, and the path an id, but for what there is one of
    (statement,) = allowed
    base = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${DataApi}/live/"
    asked = routes(name, environment.payment_methods)
    assert [arn["Fn::Sub"] for arn in statement["Resource"]] == [base + route for route in asked]
    assert all(
        route in {"GET/orders", "GET/sweep", "PUT/sweep"}
        or (route.split("/")[0] in {"PUT", "GET", "DELETE"} and len(route.split("/")) >= 3)
        for route in asked
    )


def test_the_data_api_runs_as_its_environments_one_role(payments: Json, network: Json) -> None:
    # Given the data API of any stack of an environment
    function = payments["Resources"]["DataApiFunction"]["Properties"]
    # Then it has no role of its own, but the network's, which the database knows as its user
    assert "DataApiRole" not in payments["Resources"]
    assert function["Role"] == imported("DataApiRoleArn")
    assert network["Outputs"]["DataApiRoleArn"]["Value"] == {"Fn::GetAtt": ["DataApiRole", "Arn"]}


def test_the_data_apis_role_asks_no_api_and_writes_to_its_environments_logs_alone(
    network: Json, environment: Any
) -> None:
    allowed = statements(network["Resources"]["DataApiRole"])
    actions = {action for part in allowed for action in part["Action"]}
    assert not any(action.startswith("execute-api:") for action in actions)
    (logs,) = (part for part in allowed if part.get("Sid") == "WriteLogs")
    stacks = {"branch": "branch-*", "local": "*"}.get(environment.name, f"payments-{environment.name}")
    (resource,) = logs["Resource"]
    assert resource["Fn::Sub"].endswith(f":log-group:{stacks}-DataApiLogs-*:*")


def test_a_functions_code_cannot_use_the_network_rights_of_its_role(payments: Json) -> None:
    for name in STEPS:
        (network,) = (
            part for part in statements(payments["Resources"][f"{name}Role"]) if part.get("Sid") == "JoinVpc"
        )
        assert network["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}}


def test_the_api_is_private_and_answers_at_this_networks_endpoint_only(payments: Json) -> None:
    api = the(payments, "AWS::ApiGateway::RestApi")
    endpoint = imported("ExecuteApiEndpointId")
    assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [endpoint]}
    allow, deny, strangers = api["Policy"]["Statement"]
    # The account as principal delegates to IAM policies; * would let every role of the account in.
    assert allow["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"] == {"StringNotEquals": {"aws:SourceVpce": endpoint}}
    # Roles of the stack's own environment, which begin with its name (tests/pipelines/definitions)
    assert (strangers["Effect"], strangers["Principal"]) == ("Deny", "*")
    assert set(strangers["Condition"]) == {"ArnNotLike"}


def test_api_gateway_alone_calls_the_function_for_this_apis_stage(payments: Json) -> None:
    # Given the function's alias, which the API's only method leads to
    method = the(payments, "AWS::ApiGateway::Method")
    assert "${DataApiLive}" in method["Integration"]["Uri"]["Fn::Sub"]
    # Then it may call it, for this stage, and by POST, which is what Lambda takes
    assert (method["Integration"]["Type"], method["Integration"]["IntegrationHttpMethod"]) == (
        "AWS_PROXY",
        "POST",
    )
    permission = the(payments, "AWS::Lambda::Permission")
    place = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${DataApi}/live/*"
    assert permission == {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "DataApiLive"},
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {"Fn::Sub": place},
    }


def test_there_is_no_other_api_and_no_function_url(payments: Json) -> None:
    kinds = {part["Type"] for part in payments["Resources"].values()}
    assert not {"AWS::Lambda::Url", "AWS::ApiGatewayV2::Api"} & kinds
    assert len(properties(payments, "AWS::ApiGateway::RestApi")) == 1


def test_every_method_asks_for_a_signature(payments: Json) -> None:
    methods = properties(payments, "AWS::ApiGateway::Method").values()
    assert {method["AuthorizationType"] for method in methods} == {"AWS_IAM"}


def test_the_stage_is_logged_traced_measured_and_throttled(payments: Json) -> None:
    stage = the(payments, "AWS::ApiGateway::Stage")
    assert (stage["StageName"], stage["RestApiId"]) == ("live", ref("DataApi"))
    assert stage["TracingEnabled"] is True
    assert "${DataApiAccessLogs}" in stage["AccessLogSetting"]["DestinationArn"]["Fn::Sub"]
    (every,) = stage["MethodSettings"]
    assert every["ThrottlingRateLimit"] > 0
    assert every["ThrottlingBurstLimit"] > 0
    assert every["MetricsEnabled"] is True
    assert (every["LoggingLevel"], every["DataTraceEnabled"]) == ("OFF", False)


def test_everything_runs_published_versions(payments: Json) -> None:
    # Given the state machines and the API
    versions = set(properties(payments, "AWS::Lambda::Version"))
    machines = properties(payments, "AWS::StepFunctions::StateMachine")
    # Then each task names a version
    substituted = [
        value["Ref"]
        for machine in machines.values()
        for name, value in machine["DefinitionSubstitutions"].items()
        if name.endswith("Version")
    ]
    assert set(substituted) == versions
    # And the API calls an alias that moves to one
    assert "${DataApiLive}" in the(payments, "AWS::ApiGateway::Method")["Integration"]["Uri"]["Fn::Sub"]
    assert the(payments, "AWS::Lambda::Alias")["FunctionVersion"] == {
        "Fn::GetAtt": ["DataApiVersion", "Version"]
    }
    assert not any("$LATEST" in text for text in strings(payments))


def test_the_live_alias_shifts_as_the_environment_says(payments: Json, environment: Any) -> None:
    alias = the(payments, "AWS::StepFunctions::StateMachineAlias")
    preference = alias["DeploymentPreference"]
    assert alias["Name"] == "live"
    assert preference["StateMachineVersionArn"] == ref("PaymentWorkflowVersion")
    assert preference["Type"] == environment.deployment.type
    assert preference.get("Percentage") == environment.deployment.percentage
    assert preference.get("Interval") == environment.deployment.interval_minutes
    assert bool(preference.get("Alarms")) == (environment.deployment.type != "ALL_AT_ONCE")


def test_a_workflow_version_is_published_for_each_revision(payments: Json) -> None:
    version = payments["Resources"]["PaymentWorkflowVersion"]
    revision = {"Fn::GetAtt": ["PaymentWorkflow", "StateMachineRevisionId"]}
    assert version["Properties"]["StateMachineRevisionId"] == revision


def test_versions_outlive_their_replacement_for_executions_in_flight(payments: Json) -> None:
    versions = [
        part
        for part in payments["Resources"].values()
        if part["Type"] in {"AWS::Lambda::Version", "AWS::StepFunctions::StateMachineVersion"}
    ]
    assert {part["UpdateReplacePolicy"] for part in versions} == {"Retain"}
    assert {part["DeletionPolicy"] for part in versions} == {"Retain"}


def test_state_machines_are_traced_and_log_no_execution_data(payments: Json) -> None:
    for machine in properties(payments, "AWS::StepFunctions::StateMachine").values():
        assert machine["TracingConfiguration"] == {"Enabled": True}
        logging = machine["LoggingConfiguration"]
        # What runs each minute and has no history writes errors alone.
        level = "ERROR" if machine["StateMachineType"] == "EXPRESS" else "ALL"
        assert (logging["Level"], logging["IncludeExecutionData"]) == (level, False)


def test_the_workflow_may_call_exactly_its_functions(payments: Json) -> None:
    (call,) = (
        part
        for part in statements(payments["Resources"]["PaymentWorkflowRole"])
        if "lambda:InvokeFunction" in part["Action"]
    )
    assert sorted(arn["Fn::Sub"] for arn in call["Resource"]) == [
        f"${{{name}Function.Arn}}:*" for name in STEPS
    ]


def test_the_smoke_workflow_may_start_orders_through_live_only(payments: Json) -> None:
    # Step Functions developer guide, "IAM policies for nested workflows": what .sync asks for.
    allowed = {
        part["Sid"]: part for part in statements(payments["Resources"]["SmokeWorkflowRole"]) if "Sid" in part
    }
    assert allowed["PlaceOrders"]["Action"] == ["states:StartExecution"]
    assert allowed["PlaceOrders"]["Resource"] == [ref("PaymentWorkflowLive")]
    assert set(allowed["FollowOrders"]["Action"]) == {"states:DescribeExecution", "states:StopExecution"}
    assert allowed["FollowOrders"]["Resource"][0]["Fn::Sub"].endswith(":execution:${PaymentWorkflow.Name}:*")
    assert allowed["HearOfTheEnd"]["Resource"][0]["Fn::Sub"].endswith(
        ":rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    )


def test_the_payment_method_is_the_environments(payments: Json, environment: Any) -> None:
    chosen = {
        name: function["Environment"]["Variables"].get("PAYMENT_METHOD")
        for name, function in functions(payments).items()
    }
    assert chosen["ProcessPaymentFunction"] == chosen["RefundPaymentFunction"] == environment.payment_method
    # And that of the reservation, which records it, and of the smoke test, which judges where money went
    others = {"ReserveProductsFunction", "SmokeFunction"}
    assert {name for name, method in chosen.items() if method} == {*PAYING, *others}
    assert {chosen[name] for name in others} == {environment.payment_method}


def test_only_the_data_api_knows_the_database(payments: Json, environment: Any) -> None:
    knowing = {
        name: function["Environment"]["Variables"]
        for name, function in functions(payments).items()
        if "MONGODB_URI" in function["Environment"]["Variables"]
    }
    assert list(knowing) == ["DataApiFunction"]
    assert knowing["DataApiFunction"]["MONGODB_URI"] == environment.database.connection_uri
    assert knowing["DataApiFunction"]["MONGODB_DATABASE"] == ref("DatabaseName")


def test_parameters_and_outputs_are_the_deployment_tools_contract(payments: Json, environment: Any) -> None:
    names = ["".join(word.capitalize() for word in name.split("_")) for name in FUNCTIONS]
    keys = {f"{name}{what}" for name in names for what in ("CodeKey", "CodeVersion")}
    assert set(payments["Parameters"]) == keys | {"NetworkStack", "DatabaseName", "ArtifactBucket", "Attempt"}
    assert set(payments["Outputs"]) == {
        "PaymentWorkflowArn",
        "PaymentWorkflowAliasArn",
        "SmokeWorkflowArn",
        "PaymentMethods",
        "FindUnfinishedFunctionName",
        "SettlementArn",
        "SweeperArn",
        "DataApiFunctionName",
        "DataApiId",
        "DataApiUrl",
        "HealthAlarmName",
        *([] if environment.alarms.release_only else ["ReconciliationArn"]),
        # No schedule of a branch's stack compares its release with the one before.
        *(f"{n}AlarmName" for n in RELEASE_ALARMS if (n, environment.name) != ("ReleaseWorse", "branch")),
    }


@pytest.mark.parametrize(
    ("methods", "stays"),
    [
        (("credit",), {"PUT/orders/*/payment"}),
        (("card",), {"PUT/orders/*/payments/?/capture"}),
        (("credit", "card"), {"PUT/orders/*/payment", "PUT/orders/*/payments/?/capture"}),
        (("card", "credit"), {"PUT/orders/*/payment", "PUT/orders/*/payments/?/capture"}),
    ],
)
def test_an_order_that_was_paid_another_way_keeps_its_requests(
    methods: tuple[str, ...], stays: set[str]
) -> None:
    # Given how new orders are paid, and how those before were
    asked = {"PUT/orders/*/payment", "PUT/orders/*/payments/?/capture"} & set(
        routes("process_payment", methods)
    )
    # Then an execution under way may still ask what it asks, and nobody else's
    assert asked == stays
    refunds = set(routes("refund_payment", methods))
    assert "PUT/orders/*/refund" in refunds
    assert ("PUT/orders/*/payments/?/refund" in refunds) == ("card" in methods)
