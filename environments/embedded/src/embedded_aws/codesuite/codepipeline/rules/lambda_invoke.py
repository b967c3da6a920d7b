"""LambdaInvoke: a function decides.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-LambdaInvoke.html
"""

import json

from embedded_aws.codesuite.codepipeline import jobs
from embedded_aws.codesuite.codepipeline.rules.rule import Rule, RuleFailed


def check(rule: Rule) -> None:
    """Invoke a function with a job; it holds when the function says PutJobSuccessResult."""
    name = rule.configuration["FunctionName"]
    job = jobs.open_job(rule.scope, rule.identifier)
    event = {
        "CodePipeline.job": {
            "id": job,
            "accountId": rule.scope.account,
            "data": {
                "actionConfiguration": {"configuration": rule.configuration},
                "inputArtifacts": [],
                "outputArtifacts": [],
            },
        }
    }
    answer = rule.hands.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    if answer.get("FunctionError"):
        detail = answer["Payload"].read().decode(errors="replace")[:2000]
        raise RuleFailed(f"The AWS Lambda function {name} failed: {detail}")
    minutes = rule.declaration.get("timeoutInMinutes") or 60
    result = rule.wait(minutes, lambda: jobs.result(rule.scope, job))
    if result is None:
        raise RuleFailed(f"The AWS Lambda function {name} did not answer within {minutes} minutes")
    if result["status"] == "Failed":
        raise RuleFailed(result["message"])
