"""The error names that Retry and Catch of the state machines name, by what each says about the operation.

Ours are the classes of `payment_data.errors`; the others are reported by Lambda and Step Functions
themselves.
"""

from payment_data.errors import BY_NAME, Kind


def _names(kind: Kind) -> tuple[str, ...]:
    return tuple(name for name, problem in BY_NAME.items() if problem.kind is kind)


# What Lambda reports when a function was not run, or when nobody can tell
# (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors,
# https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html).
# ResourceNotReadyException: a function in a VPC goes inactive after weeks unused, and its next call fails.
_LAMBDA_NOT_RUN = (
    "Lambda.TooManyRequestsException",
    "Lambda.ResourceNotReadyException",
    "Lambda.EC2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.ENILimitReachedException",
    "Lambda.SubnetIPAddressLimitReachedException",
)
_LAMBDA_UNKNOWN = (
    "States.Timeout",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Lambda.Unknown",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
)

BUSINESS_ERRORS = _names(Kind.BUSINESS)
"""Step Functions error names: never retried, compensate."""
CONTRACT_ERRORS = _names(Kind.CONTRACT)
"""Step Functions error names: never retried, compensate, alarm."""
NOT_APPLIED_ERRORS = _names(Kind.NOT_APPLIED) + _LAMBDA_NOT_RUN
"""Step Functions error names: retried, nothing happened."""
UNKNOWN_OUTCOME_ERRORS = _names(Kind.UNKNOWN_OUTCOME) + _LAMBDA_UNKNOWN
"""Step Functions error names: retried with the same key, then resolved by compensation."""
PENDING_ERRORS = _names(Kind.PENDING)
"""Step Functions error names: retried for weeks, by the states that pay and refund."""
PARKED_ERRORS = _names(Kind.PARKED)
"""Step Functions error names: the execution fails here and waits for a redrive."""
RETRIED_ERRORS = NOT_APPLIED_ERRORS + UNKNOWN_OUTCOME_ERRORS
"""What every task's Retry names."""
