"""What is not AWS: MongoDB's server, Atlas, which runs it, and Stripe."""

from __future__ import annotations

from typing import Final

from pipelines.assumptions.evidence import Assumed, Assumption, Documented

_COMPATIBILITY_7: Final = "https://www.mongodb.com/docs/manual/release-notes/7.0-compatibility/"
_COMPATIBILITY_8: Final = "https://www.mongodb.com/docs/manual/release-notes/8.0-compatibility/"

MONGODB: Final = (
    Assumption(
        "atlas-network-size",
        "Atlas takes a network of a /21 to a /24 for its side of a peering connection.",
        ("environments/rules.py",),
        Documented(
            "https://www.mongodb.com/docs/mongocli/v1.8/reference/atlas/networking-peering-create-aws/"
        ),
        "Ask for a peering connection with a /20; it is refused.",
    ),
    Assumption(
        "atlas-request-shows-its-network",
        "While a request is pending, whoever was asked sees the addresses of who asks.",
        ("pipelines/deploy/atlas_peering.py",),
        Documented(
            "https://docs.aws.amazon.com/cli/latest/reference/ec2/describe-vpc-peering-connections.html"
        ),
        "aws ec2 describe-vpc-peering-connections, before payments database connect accepts.",
    ),
    Assumption(
        "atlas-commands",
        "Atlas's CLI takes the options that payments database connect prints.",
        ("pipelines/deploy/atlas_peering.py",),
        Documented(
            "https://www.mongodb.com/docs/atlas/cli/current/command/atlas-networking-peering-create-aws/"
        ),
        "Run them.",
    ),
    Assumption(
        "atlas-requests-peering",
        "Atlas asks for the peering connection of a dedicated cluster and accepts none that others ask for.",
        ("pipelines/deploy/connect_database.py", "templates/capabilities/peering.py"),
        Documented("https://www.mongodb.com/docs/atlas/security-vpc-peering/"),
        "Create one: atlas networking peering create aws; a request of ours to its VPC stays pending.",
    ),
    Assumption(
        "atlas-ports",
        "Clusters of Atlas listen on ports 27015 to 27017.",
        ("templates/capabilities/security_groups.py",),
        Documented("https://www.mongodb.com/docs/atlas/security-vpc-peering/"),
        "Follow the connections in the network's flow logs.",
    ),
    Assumption(
        "atlas-names-resolve-privately",
        "With DNS hostnames and resolution on in our VPC, the names of a peered cluster of Atlas resolve to "
        "its private addresses.",
        ("templates/capabilities/vpc.py",),
        Documented("https://www.mongodb.com/docs/atlas/security-vpc-peering/"),
        "payments doctor --probe ENV: its function resolves and connects from inside the VPC.",
    ),
    Assumption(
        "iam-login-is-atlas-only",
        "A server accepts MONGODB-AWS only in Atlas.",
        ("environments/parts.py",),
        Documented(
            "https://www.mongodb.com/docs/languages/python/pymongo-driver/current/security/authentication/aws-iam/"
        ),
        "Log in to a server of your own with MONGODB-AWS; it is refused.",
    ),
    Assumption(
        "iam-login-needs-no-permission",
        "Logging in with an IAM role needs no permission: the server asks AWS STS with a request that the "
        "role signed.",
        ("templates/capabilities/data_api.py",),
        Documented("https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"),
        "payments smoke ENV against an environment with Atlas.",
    ),
    Assumption(
        "iam-login-knows-the-role",
        "The database user is the role's ARN, whatever its sessions are called.",
        ("lambdas/data_api/storage/connection.py",),
        Documented("https://www.mongodb.com/docs/atlas/security/aws-iam-authentication/"),
        "payments smoke ENV before and after the functions' sandboxes were replaced.",
    ),
    Assumption(
        "role-made-again-is-the-same-user",
        "A role that was deleted and made again under the same ARN is the same database user.",
        ("lambdas/data_api/storage/connection.py",),
        Assumed(
            (
                "https://www.mongodb.com/docs/atlas/security/aws-iam-authentication/",
                "https://github.com/mongodb/specifications/blob/master/source/auth/auth.md",
            ),
            "The user is made again with the command that `payments database connect` prints.",
        ),
        "Delete and make the role again, then payments smoke ENV.",
    ),
    Assumption(
        "server-7-changes-nothing-here",
        "Nothing that the data API uses changed between MongoDB 6.0 and 7.0.",
        ("lambdas/data_api/storage/connection.py",),
        Documented(_COMPATIBILITY_7),
        "MONGOD=/path/to/mongod-7 make test",
    ),
    Assumption(
        "server-8-majority-is-written",
        "From MongoDB 8.0, a write with w: majority is acknowledged when a majority wrote it to the log and "
        "before they applied it; we read from the primary, so we see it.",
        ("lambdas/data_api/storage/connection.py",),
        Documented(_COMPATIBILITY_8),
        "MONGOD=/path/to/mongod-8 make test",
    ),
    Assumption(
        "server-8-null-comparison",
        "From MongoDB 8.0, an equality with null no longer matches undefined values; we store none.",
        ("lambdas/data_api/storage/collections.py",),
        Documented(_COMPATIBILITY_8),
        "MONGOD=/path/to/mongod-8 make test",
    ),
    Assumption(
        "server-versions-behave-alike",
        "Where the lists of changes of 7.0 and 8.0 are silent, those servers do what 6.0.5 does, on which "
        "all is proven.",
        ("lambdas/data_api/storage/connection.py", "tests/crash_matrix/__main__.py"),
        Assumed(
            (_COMPATIBILITY_7, _COMPATIBILITY_8, "https://jira.mongodb.org/browse/SERVER-139311"),
            "The crash matrix of such a server finds it; a ticket says that one node of 8.0 alone, and no "
            "set of three, lost acknowledged writes when it was killed.",
        ),
        "MONGOD=/path/to/mongod-8 make test, and the crash matrix with it.",
    ),
)


_API: Final = "https://docs.stripe.com/api"
_GATEWAY: Final = "lambdas/payment_data/src/payment_data/payment_methods/stripe_gateway.py"
_INTENTS: Final = "lambdas/payment_data/src/payment_data/payment_methods/stripe_intents.py"

STRIPE: Final = (
    Assumption(
        "keys-last-a-day",
        "An idempotency key replays its first answer, errors of 500 included, for at least 24 hours.",
        (_GATEWAY,),
        Documented(f"{_API}/idempotent_requests"),
        "Send one request twice within a day, in test mode.",
    ),
    Assumption(
        "intent-confirms-once",
        "A PaymentIntent captures at most once, however often it is confirmed.",
        (_INTENTS,),
        Documented("https://docs.stripe.com/payments/paymentintents/lifecycle"),
        "Confirm one twice with different keys, in test mode.",
    ),
    Assumption(
        "cancel-says-what-is-true",
        "Cancelling a PaymentIntent that succeeded is refused with the intent as it is, and one that was "
        "cancelled cannot succeed later.",
        (_INTENTS,),
        Documented(f"{_API}/payment_intents/cancel"),
        "Cancel one that succeeded, and confirm one that was cancelled, in test mode.",
    ),
    Assumption(
        "cancel-races-confirm",
        "When a cancellation and a confirmation meet, exactly one of them wins and both callers learn which.",
        (_INTENTS,),
        Documented("https://docs.stripe.com/rate-limits#object-lock-timeouts"),
        "Confirm and cancel at once, a thousand times, in test mode.",
    ),
    Assumption(
        "minor-units",
        "Stripe's minor units are those of its list of currencies, which differ from ISO 4217 for some.",
        (_GATEWAY, "environments/payment_rules.py"),
        Documented("https://docs.stripe.com/currencies"),
        "Create a PaymentIntent in each currency of the list, in test mode.",
    ),
    Assumption(
        "sepa-is-disputed-later",
        "A SEPA debit that succeeded can be disputed for eight weeks, and the dispute always succeeds.",
        (_GATEWAY,),
        Documented("https://docs.stripe.com/payments/sepa-debit"),
        "Use the test IBAN of a dispute, in test mode.",
    ),
    Assumption(
        "a-dispute-bars-a-refund",
        "A refund of a charge that a dispute took back is refused with the code charge_disputed, and the "
        "dispute is listed with what it took.",
        (_GATEWAY, _INTENTS),
        Documented("https://docs.stripe.com/error-codes"),
        "Refund a charge of pm_card_createDispute, in test mode.",
    ),
)
