"""The data API: a private REST API with IAM auth, in front of the one function that touches MongoDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from awacs.aws import (
    Allow,
    ArnNotLike,
    Condition,
    Deny,
    PolicyDocument,
    Principal,
    Statement,
    StringNotEquals,
)
from awacs.execute_api import Invoke
from troposphere import GetAtt, Ref, StackName, Sub, encode_to_dict
from troposphere.apigateway import (
    EndpointConfiguration,
    Integration,
    Method,
    Resource,
    RestApi,
)
from troposphere.awslambda import Alias, Permission

from templates.capabilities.api_gateway import STAGE, add_stage
from templates.capabilities.data_api_role import EXPORT as DATA_API_ROLE
from templates.capabilities.functions import FunctionSpec, add_function
from templates.capabilities.lint_exceptions import STATED_SECRET
from templates.capabilities.permissions import POLICY_VERSION
from templates.capabilities.stack_interface import DATABASE_NAME, from_network

if TYPE_CHECKING:
    from troposphere import Template

    from environments.schema import Environment
    from templates.capabilities.functions import DeployedFunction

API_SECONDS = 3
"""The integration's time-out and the function's: longer than the database's 2 s, shorter than HTTP's 4 s."""
DATA_API_LEAST_MEMORY_MB: Final = 1024
"""The memory that gives 0.58 of a processor: its start, with a login by IAM, takes up to 0.6 seconds of one.

`make bench` measures that. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""


@dataclass(frozen=True, slots=True)
class DataApi:
    """What others may use of the data API."""

    title: str
    api_id: Ref
    url: Sub
    function: DeployedFunction
    live_function_arn: Ref


def add_data_api(template: Template, environment: Environment) -> DataApi:
    """Add the API, its stage `live`, and its function behind an alias of the same name.

    The alias keeps the integration's address constant, so a new function version needs no new deployment.
    """
    function = add_function(template, environment, _function(environment))
    alias = Alias(
        "DataApiLive", Name=STAGE, FunctionName=function.name, FunctionVersion=function.version_number
    )
    api = RestApi(
        "DataApi",
        Name=StackName,
        Description="Products, users and orders, for this stack's functions only",
        EndpointConfiguration=EndpointConfiguration(
            Types=["PRIVATE"], VpcEndpointIds=[from_network("ExecuteApiEndpointId")]
        ),
        Policy=_policy(environment),
    )
    resource = Resource(
        "DataApiAnyPath", RestApiId=Ref(api), ParentId=GetAtt(api, "RootResourceId"), PathPart="{proxy+}"
    )
    method = _method(api, resource, alias)
    for part in (alias, api, resource, method, _invoke_permission(api, alias)):
        template.add_resource(part)
    add_stage(template, environment, [api, resource, method])
    url = Sub(f"https://${{{api.title}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}")
    return DataApi(
        title=str(api.title), api_id=Ref(api), url=url, function=function, live_function_arn=Ref(alias)
    )


def _function(environment: Environment) -> FunctionSpec:
    # MONGODB-AWS proves the function's role with a signed request that the MongoDB server sends to AWS STS;
    # sts:GetCallerIdentity needs no permission.
    secret = environment.database.secret_arn
    return FunctionSpec(
        "data_api",
        "The data API: the only code that touches MongoDB",
        seconds=API_SECONDS,
        security_groups=["DataApiSecurityGroupId"],
        variables={
            "MONGODB_URI": environment.database.connection_uri,
            "MONGODB_DATABASE": Ref(DATABASE_NAME),
            **({} if secret is None else {"MONGODB_SECRET_ARN": secret}),
        },
        exceptions=[] if secret is None else [STATED_SECRET],
        role=from_network(DATA_API_ROLE),
        least_memory_mb=DATA_API_LEAST_MEMORY_MB,
        concurrency=environment.database.data_api_concurrency,
    )


def _policy(environment: Environment) -> dict[str, Any]:
    """Let in only the environment's own roles, through this network's endpoint, as their own policies allow.

    Another environment of the account may give its functions a role that may call any API, and an address in
    this network; CloudFormation begins a role's name with its stack's, and makes it for that stack alone.

    The principal of the Allow is the account, which delegates to IAM policies. With `*` the resource policy
    alone would be enough for every role of the account (API Gateway developer guide, "How API Gateway
    resource policies affect authorization workflow", table A: either one is enough).
    """
    everything = "execute-api:/*"
    role = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/"
    # CloudFormation cuts a long stack's name off, so the environment's own beginning stands beside it.
    ours = [Sub(f"{role}${{AWS::StackName}}-*"), Sub(f"{role}{environment.names_of_payments}")]
    policy = PolicyDocument(
        Version=POLICY_VERSION,
        Statement=[
            Statement(
                Sid="RolesOfThisAccount",
                Effect=Allow,
                Principal=Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")),
                Action=[Invoke],
                Resource=[everything],
            ),
            Statement(
                Sid="OnlyThroughThisEndpoint",
                Effect=Deny,
                Principal=Principal("*"),
                Action=[Invoke],
                Resource=[everything],
                Condition=Condition(
                    StringNotEquals({"aws:SourceVpce": from_network("ExecuteApiEndpointId")})
                ),
            ),
            Statement(
                Sid="OnlyOwnRoles",
                Effect=Deny,
                Principal=Principal("*"),
                Action=[Invoke],
                Resource=[everything],
                # API Gateway developer guide, "AWS condition keys that can be used in API Gateway resource
                # policies": the key is there wherever a method asks for authorization by IAM.
                Condition=Condition(ArnNotLike({"aws:PrincipalArn": ours})),
            ),
        ],
    )
    # Troposphere takes plain JSON alone here.
    plain: dict[str, Any] = encode_to_dict(policy)
    return plain


def _method(api: RestApi, resource: Resource, alias: Alias) -> Method:
    return Method(
        "DataApiAnyMethod",
        RestApiId=Ref(api),
        ResourceId=Ref(resource),
        HttpMethod="ANY",
        AuthorizationType="AWS_IAM",
        Integration=Integration(
            Type="AWS_PROXY",
            IntegrationHttpMethod="POST",
            TimeoutInMillis=API_SECONDS * 1000,
            Uri=Sub(
                "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path"
                f"/2015-03-31/functions/${{{alias.title}}}/invocations"
            ),
        ),
    )


def _invoke_permission(api: RestApi, alias: Alias) -> Permission:
    stage = (
        f"arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{{api.title}}}/{STAGE}/*"
    )
    return Permission(
        "DataApiInvokesFunction",
        Action="lambda:InvokeFunction",
        FunctionName=Ref(alias),
        Principal="apigateway.amazonaws.com",
        SourceArn=Sub(stage),
    )
