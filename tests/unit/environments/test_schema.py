from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pydantic import ValidationError

from environments.files import EnvironmentInvalid
from environments.schema import FOLDER, Environment, load, names
from payment_data.payment_methods.names import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def refusal(folder: Path) -> list[str]:
    with pytest.raises(EnvironmentInvalid) as caught:
        load("try", folder)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", names())
def test_every_environment_of_the_house_loads(name: str) -> None:
    assert load(name).name == name


def test_the_house_has_the_four_environments() -> None:
    assert names() == ["branch", "local", "prod", "staging"]


def test_no_two_environments_share_a_cidr() -> None:
    cidrs = [load(name).network.vpc_cidr for name in names()]
    assert len(set(cidrs)) == len(cidrs)


KEY_ARN = "arn:aws:secretsmanager:eu-central-1:111111111111:secret:stripe-AbCdEf"
ATLAS = {
    "database.kind": "atlas",
    "database.cidr": "10.141.0.0/21",
    "database.atlas_project": "6543210fedcba9876543210a",
    "database.vpc_id": None,
    "database.owner_account": None,
    "database.authentication": "MONGODB-AWS",
}
CARD: dict[str, Any] = {
    "payment_method": "card",
    "network.public_subnet_cidr": "10.41.32.0/28",
    "stripe": {"secret_arn": KEY_ARN},
}

BAD: list[tuple[dict[str, Any], str]] = [
    ({"colour": "red"}, "colour: is not a known key"),
    ({"network.ipv6": True}, "network.ipv6: is not a known key"),
    ({"account": 111111111111}, "account: is text, so write it in quotes, not 111111111111"),
    ({"account": "1111"}, "account: string should match pattern '^[0-9]{12}$', not '1111'"),
    (
        {"network.vpc_cidr": "10.41.0.0"},
        "network.vpc_cidr: 10.41.0.0 has no prefix length; write it like 10.0.0.0/16",
    ),
    ({"network.vpc_cidr": "10.41.0.1/16"}, "network.vpc_cidr: is not a CIDR: 10.41.0.1/16 has host bits set"),
    ({"network.vpc_cidr": "8.0.0.0/16"}, "network.vpc_cidr: 8.0.0.0/16 is not a private range (RFC 1918)"),
    (
        {"network.vpc_cidr": "10.0.0.0/8"},
        "network.vpc_cidr: 10.0.0.0/8 is not between /16 and /28, as AWS asks",
    ),
    (
        {"database.cidr": "10.41.128.0/17"},
        "network.vpc_cidr: overlaps database.cidr 10.41.128.0/17",
    ),
    (
        {"database.kind": "own"},
        "database.kind: input should be 'atlas' or 'own_cluster', not 'own'",
    ),
    ({"database.vpc_id": None}, "database.vpc_id: is required by own_cluster"),
    ({"database.owner_account": None}, "database.owner_account: is required by own_cluster"),
    (
        {"database.atlas_project": "6543210fedcba9876543210a"},
        "database.atlas_project: has no meaning with own_cluster",
    ),
    (
        {"database.authentication": "MONGODB-AWS"},
        "database.authentication: is not MONGODB-AWS with own_cluster: only Atlas knows it",
    ),
    (
        {"database.authentication": "SCRAM-SHA-256"},
        "database.secret_arn: is required by SCRAM-SHA-256",
    ),
    ({"database.secret_arn": KEY_ARN}, "database.secret_arn: has a meaning with SCRAM-SHA-256 alone"),
    (
        {
            "database.authentication": "SCRAM-SHA-256",
            "database.secret_arn": KEY_ARN.replace("1" * 12, "2" * 12),
        },
        "database.secret_arn: is not of this environment's account and region",
    ),
    (
        {**ATLAS, "database.authentication": "SCRAM-SHA-256", "database.secret_arn": KEY_ARN},
        "database.authentication: is MONGODB-AWS with atlas: it needs no password",
    ),
    ({**ATLAS, "database.atlas_project": None}, "database.atlas_project: is required by atlas"),
    ({**ATLAS, "database.vpc_id": "vpc-00000000000000002"}, "database.vpc_id: has no meaning with atlas"),
    (
        {**ATLAS, "database.owner_account": "111111111111"},
        "database.owner_account: has no meaning with atlas",
    ),
    (
        {**ATLAS, "database.peer_role_arn": "arn:aws:iam::999999999999:role/accept"},
        "database.peer_role_arn: has no meaning with atlas, which asks and never accepts",
    ),
    (
        {**ATLAS, "database.cidr": "10.141.0.0/20"},
        "database.cidr: 10.141.0.0/20 is not between /21 and /24, as Atlas asks",
    ),
    (
        {**ATLAS, "database.cidr": "10.141.0.0/25"},
        "database.cidr: 10.141.0.0/25 is not between /21 and /24, as Atlas asks",
    ),
    (
        {"network.zones": ["eu-central-1a", "eu-west-1a"]},
        "network.zones.1: eu-west-1a is not a zone of eu-central-1",
    ),
    (
        {"network.zones": ["eu-central-1a", "eu-central-1a"]},
        "network.zones: are the same: losing it would lose everything",
    ),
    (
        {"network.private_subnet_cidrs": ["10.41.0.0/20", "10.50.0.0/20"]},
        "network.private_subnet_cidrs.1: is outside network.vpc_cidr 10.41.0.0/16",
    ),
    (
        {"network.private_subnet_cidrs": ["10.41.0.0/20", "10.41.8.0/21"]},
        "network.private_subnet_cidrs.1: overlaps 10.41.0.0/20",
    ),
    (
        {"payment_method": "cowries"},
        f"payment_method: cowries is not a payment method; choose from {', '.join(sorted(NAMES))}",
    ),
    (
        {**CARD, "stripe": None},
        "stripe: is required by the payment method card",
    ),
    (
        {**CARD, "network.public_subnet_cidr": None},
        "network.public_subnet_cidr: is required by the payment method card",
    ),
    ({"stripe": {"secret_arn": KEY_ARN}}, "stripe: has no meaning with the payment method credit"),
    (
        {"alarms": {"page_topic_arn": "arn:aws:sns:us-east-1:111111111111:pages"}},
        "alarms.page_topic_arn: is not of the environment's region eu-central-1",
    ),
    (
        {"alarms": {"ticket_topic_arn": "pages"}},
        (
            "alarms.ticket_topic_arn: string should match pattern "
            "'^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$', not 'pages'"
        ),
    ),
    (
        {"network.public_subnet_cidr": "10.41.32.0/28"},
        "network.public_subnet_cidr: has no meaning with the payment method credit",
    ),
    (
        {**CARD, "network.public_subnet_cidr": "10.41.0.0/28"},
        "network.public_subnet_cidr: overlaps 10.41.0.0/20",
    ),
    (
        {**CARD, "network.public_subnet_cidr": "10.50.0.0/28"},
        "network.public_subnet_cidr: is outside network.vpc_cidr 10.41.0.0/16",
    ),
    (
        {**CARD, "stripe": {"secret_arn": KEY_ARN.replace("1" * 12, "2" * 12)}},
        "stripe.secret_arn: is not of this environment's account and region",
    ),
    (
        {**CARD, "stripe": {"secret_arn": KEY_ARN, "api_base": "http://stripe.example"}},
        "stripe.api_base: is not https",
    ),
    (
        {**CARD, "stripe": {"secret_arn": KEY_ARN, "api_base": "https://sk_live_1@stripe.example"}},
        "stripe.api_base: is not a URL like https://api.example, without path or credentials",
    ),
    (
        {**CARD, "payment_method": "bank_account", "currency": "USD"},
        "currency: is EUR with bank_account: SEPA debits are in euros",
    ),
    (
        {**CARD, "also_refunds": ["card"]},
        "also_refunds: names each method once, and not card, which new orders are paid by",
    ),
    (
        {**CARD, "also_refunds": ["credit", "credit"]},
        "also_refunds: names each method once, and not card, which new orders are paid by",
    ),
    (
        {"also_refunds": ["card"], "network.public_subnet_cidr": "10.41.32.0/28"},
        "stripe: is required by the payment method card",
    ),
    (
        {"also_refunds": ["cowries"]},
        f"also_refunds.0: cowries is not a payment method; choose from {', '.join(sorted(NAMES))}",
    ),
    ({**CARD, "currency": "IRR"}, "currency: IRR cannot be charged by Stripe, as card does"),
    ({**CARD, "currency": "CLF"}, "currency: CLF cannot be charged by Stripe, as card does"),
    (
        {
            **CARD,
            **ATLAS,
            "production": True,
            "stripe": {"secret_arn": KEY_ARN, "api_base": "https://stripe.example"},
        },
        "stripe.api_base: is Stripe's own in production, so it is left out",
    ),
    ({"currency": "euro"}, "currency: string should match pattern '^[A-Z]{3}$', not 'euro'"),
    ({"production": "no"}, "production: input should be a valid boolean, not 'no'"),
    ({"functions.runtime": "python3.6"}, "functions.runtime: input should be 'python3.13', not 'python3.6'"),
    (
        {"functions.memory_mb": 64},
        "functions.memory_mb: input should be greater than or equal to 128, not 64",
    ),
    (
        {"database.uri": "postgres://db.example"},
        "database.uri: does not begin with mongodb:// or mongodb+srv://",
    ),
    (
        {"database.uri": "mongodb://db.example/orders"},
        "database.uri: names a database; each stack has one of its own",
    ),
    (
        {"database.uri": "mongodb://db.example/?tls=false"},
        "database.uri: sets tls; use the keys authentication and tls",
    ),
    (
        {"database.owner_account": "999999999999"},
        "database.peer_role_arn: is required, because account 999999999999 must accept the peering",
    ),
    (
        {"database.peer_role_arn": "arn:aws:iam::999999999999:role/accept"},
        "database.peer_role_arn: is not a role of database.owner_account 111111111111",
    ),
    ({"deployment.percentage": 10}, "deployment.percentage: has no meaning with ALL_AT_ONCE"),
    ({"name": "other"}, "name: is the file's name, try"),
]


@pytest.mark.parametrize(("change", "expected"), BAD, ids=[expected for _, expected in BAD])
def test_a_broken_rule_is_refused_with_file_key_and_rule(
    folder: Path, write: Callable[..., None], change: dict[str, Any], expected: str
) -> None:
    # Given an environment file with one mistake
    write(change)
    # When it is loaded
    # Then one line says file, key and rule
    assert refusal(folder) == [f"environments/try.yml: {expected}"]


@pytest.mark.parametrize("method", ["card", "bank_account"])
def test_a_payment_method_that_needs_stripe_says_where_the_key_is(
    folder: Path, write: Callable[..., None], method: str
) -> None:
    # Given
    write(CARD | {"payment_method": method})
    # When
    environment = load("try", folder)
    # Then
    assert environment.stripe is not None
    assert (environment.stripe.secret_arn, environment.stripe.api_base) == (KEY_ARN, None)


@pytest.mark.parametrize(
    "stripe",
    [
        {"secret_arn": "sk_live_canary"},
        {"secret_arn": KEY_ARN, "api_key": "sk_live_canary"},
        {"secret_arn": KEY_ARN, "api_base": "sk_live_canary"},
        "sk_live_canary",
        ["sk_live_canary"],
    ],
)
def test_a_key_in_the_file_is_refused_and_never_repeated(
    folder: Path, write: Callable[..., None], stripe: Any
) -> None:
    # Given a file that holds the key itself
    write(CARD | {"stripe": stripe})
    # When it is loaded
    said = refusal(folder)
    # Then
    assert said
    assert "canary" not in " ".join(said)


def test_a_retention_that_cloudwatch_does_not_take_is_refused(
    folder: Path, write: Callable[..., None]
) -> None:
    write({"logs.retention_days": 10})
    assert refusal(folder)[0].startswith("environments/try.yml: logs.retention_days: input should be 1, 3, 5")


def test_a_missing_key_is_refused(folder: Path, write: Callable[..., None]) -> None:
    # Given a file without two keys
    raw = yaml.safe_load((FOLDER / "branch.yml").read_text()) | {"name": "try"}
    del raw["currency"], raw["database"]["uri"]
    (folder / "try.yml").write_text(yaml.safe_dump(raw))
    # When it is loaded, then both are missed
    assert refusal(folder) == [
        "environments/try.yml: database.uri: is required",
        "environments/try.yml: currency: is required",
    ]


def test_credentials_in_the_uri_are_refused_and_never_repeated(
    folder: Path, write: Callable[..., None]
) -> None:
    # Given a URI with a password
    write({"database.uri": "mongodb://ada:s3cret@db.example"})
    # When it is loaded
    (line,) = refusal(folder)
    # Then it is refused, and the password is not in the message
    assert line.startswith("environments/try.yml: database.uri: holds credentials")
    assert "s3cret" not in line


def test_every_problem_is_reported_at_once(folder: Path, write: Callable[..., None]) -> None:
    # Given mistakes of every kind: a type, an unknown key, and two between parts
    write(
        {
            "account": "12",
            "network.colour": "red",
            "database.cidr": "10.41.0.0/16",
            "deployment.type": "CANARY",
        }
    )
    # When it is loaded, then each has its line
    keys = {line.split(": ")[1] for line in refusal(folder)}
    assert keys >= {
        "account",
        "network.colour",
        "network.vpc_cidr",
        "deployment.percentage",
        "deployment.interval_minutes",
    }


def test_production_needs_tls_and_authentication(folder: Path, write: Callable[..., None]) -> None:
    write({"production": True, "database.tls": False, "database.authentication": "none"})
    assert refusal(folder) == [
        "environments/try.yml: database.tls: is true in production",
        "environments/try.yml: database.authentication: is not none in production",
    ]


def test_a_key_said_twice_is_refused(folder: Path) -> None:
    (folder / "try.yml").write_text("name: try\nname: other\n")
    assert "name is said twice" in refusal(folder)[0]


@pytest.mark.parametrize("text", ["- a\n", "just text", "", "a: [", "\t"])
def test_what_is_no_mapping_is_refused(folder: Path, text: str) -> None:
    (folder / "try.yml").write_text(text)
    assert refusal(folder)[0].startswith("environments/try.yml: ")


def test_an_unknown_environment_is_refused_with_the_choices() -> None:
    with pytest.raises(
        EnvironmentInvalid, match=r"environments/production.yml: there is no such file; .*prod"
    ):
        load("production")


def test_the_connection_uri_spells_out_authentication_and_tls() -> None:
    assert load("prod").database.connection_uri == (
        "mongodb+srv://prod.example.mongodb.net/?tls=true&authMechanism=MONGODB-AWS&authSource=%24external"
    )


def embedded(environment: Environment, **changes: Any) -> Environment:
    values = {
        "uri": "mongodb://127.0.0.1:27018/?replicaSet=rs0",
        "vpc_id": "vpc-0123456789abcdef0",
        "owner_account": "000000000000",
        "region": "eu-central-1",
        "authentication": "none",
        "tls": False,
    }
    return environment.with_database(**values | changes)


def test_another_database_can_be_used_even_for_production() -> None:
    # Given production
    environment = load("prod")
    # When it is rehearsed on another database
    copy = embedded(environment)
    # Then only the database differs, and the original is as it was
    assert copy.database.connection_uri == "mongodb://127.0.0.1:27018/?replicaSet=rs0&tls=false"
    assert copy.database.cidr == environment.database.cidr
    assert copy.database.peer_role_arn is None
    assert copy.model_dump(exclude={"database"}) == environment.model_dump(exclude={"database"})
    assert environment.database.tls is True


def test_another_database_obeys_the_rules_of_a_database() -> None:
    with pytest.raises(ValidationError, match="vpc_id"):
        embedded(load("local"), vpc_id="somewhere")


def test_a_password_in_another_databases_uri_is_refused_and_never_repeated() -> None:
    with pytest.raises(ValidationError, match="holds credentials") as refused:
        embedded(load("local"), uri="mongodb://ada:canary@127.0.0.1")
    assert "canary" not in str(refused.value)


def test_branches_share_a_cluster_so_none_of_its_connections_are_one_stacks(
    folder: Path, write: Callable[..., None]
) -> None:
    write({"name": "branch", "database.connections": 500})
    (folder / "try.yml").rename(folder / "branch.yml")
    with pytest.raises(EnvironmentInvalid, match="any number of stacks share the cluster"):
        load("branch", folder)


def test_an_environment_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        setattr(load("local"), "name", "other")  # noqa: B010 - mypy would refuse it before pydantic does


# Amazon CloudWatch Logs API reference, PutRetentionPolicy.
RETENTIONS = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"


def test_every_retention_of_cloudwatch_can_be_chosen(folder: Path, write: Callable[..., None]) -> None:
    allowed = {int(days) for days in RETENTIONS.split()}
    for days in sorted(allowed | {day + step for day in allowed for step in (-1, 1)}):
        write({"logs.retention_days": days})
        if days in allowed:
            assert load("try", folder).logs.retention_days == days
        else:
            assert "logs.retention_days: " in refusal(folder)[0]


LIMITS: list[tuple[dict[str, Any], str, range]] = [
    ({}, "functions.memory_mb", range(128, 10_241)),
    ({}, "database.connections", range(50, 100_001)),
    ({"deployment.type": "CANARY", "deployment.interval_minutes": 5}, "deployment.percentage", range(1, 100)),
    (
        {"deployment.type": "LINEAR", "deployment.percentage": 5},
        "deployment.interval_minutes",
        range(1, 2101),
    ),
]


@pytest.mark.parametrize(("beside", "key", "limits"), LIMITS, ids=[key for _, key, _ in LIMITS])
def test_a_number_is_within_its_limits(
    folder: Path, write: Callable[..., None], beside: dict[str, Any], key: str, limits: range
) -> None:
    part, name = key.split(".")
    for allowed in (limits.start, limits.stop - 1):
        write(beside | {key: allowed})
        assert getattr(getattr(load("try", folder), part), name) == allowed
    for refused in (limits.start - 1, limits.stop):
        write(beside | {key: refused})
        assert [line.split(": ")[1] for line in refusal(folder)] == [key]


@pytest.mark.parametrize("prefix", [16, 28])
def test_the_largest_and_the_smallest_network_of_aws_are_taken(
    folder: Path, write: Callable[..., None], prefix: int
) -> None:
    # Given a database in a network as large, or as small, as a VPC can be
    write({"database.cidr": f"10.99.0.0/{prefix}"})
    # Then it is taken, and the next size is not
    assert load("try", folder).database.cidr == f"10.99.0.0/{prefix}"
    write({"database.cidr": f"10.99.0.0/{15 if prefix == 16 else 29}"})
    assert "database.cidr: " in refusal(folder)[0]


@pytest.mark.parametrize("option", ["tls", "ssl", "authSource", "authMechanism", "authMechanismProperties"])
@pytest.mark.parametrize("value", ["=x", "=", ""])
def test_an_option_with_a_key_of_its_own_is_refused_even_without_a_value(
    folder: Path, write: Callable[..., None], option: str, value: str
) -> None:
    write({"database.uri": f"mongodb://db.example/?replicaSet=rs0&{option}{value}"})
    assert refusal(folder) == [
        f"environments/try.yml: database.uri: sets {option.lower()}; use the keys authentication and tls"
    ]


def test_options_that_have_no_key_are_kept(folder: Path, write: Callable[..., None]) -> None:
    write({"database.uri": "mongodb://db.example/?replicaSet=rs0"})
    uri = load("try", folder).database.connection_uri
    assert uri.startswith("mongodb://db.example/?replicaSet=rs0&tls=")


@pytest.mark.parametrize("base", ["https://stripe.example", "http://127.0.0.1:8420"])
def test_a_stand_in_for_stripe_is_https_or_on_this_machine(
    folder: Path, write: Callable[..., None], base: str
) -> None:
    write(CARD | {"stripe": {"secret_arn": KEY_ARN, "api_base": base}})
    loaded = load("try", folder).stripe
    assert loaded is not None
    assert loaded.api_base == base


@pytest.mark.parametrize("base", ["https://a.example/path", "https://a.example/?q=1", "https://a.example/#f"])
def test_a_stand_in_for_stripe_is_a_host_alone(folder: Path, write: Callable[..., None], base: str) -> None:
    write(CARD | {"stripe": {"secret_arn": KEY_ARN, "api_base": base}})
    assert "without path or credentials" in refusal(folder)[0]


def test_keys_of_a_merged_mapping_are_the_file_s_own(folder: Path) -> None:
    # Given a file that writes a part once and merges it, as YAML may
    text = (FOLDER / "branch.yml").read_text().replace("name: branch", "name: try")
    common = "logs: &logs {retention_days: 7, level: INFO}\n"
    without = yaml.safe_load(text)
    del without["logs"]
    (folder / "try.yml").write_text(yaml.safe_dump(without) + common)
    expected = load("try", folder).logs
    # When the merged key stands in it
    (folder / "try.yml").write_text(
        yaml.safe_dump(without) + "logs: {<<: {retention_days: 7}, level: INFO}\n"
    )
    # Then it says the same
    assert load("try", folder).logs == expected


def test_an_embedded_stripe_and_zips_change_nothing_else() -> None:
    environment = load("prod")
    stripe = environment.with_stripe(secret_arn=KEY_ARN, api_base="http://127.0.0.1:8420")
    assert stripe.model_dump(exclude={"stripe"}) == environment.model_dump(exclude={"stripe"})
    assert stripe.stripe is not None
    assert (stripe.stripe.secret_arn, stripe.stripe.api_base) == (KEY_ARN, "http://127.0.0.1:8420")
    zips = environment.as_zips()
    assert zips.functions.packaging == "zip"
    assert zips.model_dump(exclude={"functions"}) == environment.model_dump(exclude={"functions"})
    assert environment.default_stack == "payments-prod"


def test_a_part_of_an_environment_takes_no_text_for_a_number(
    folder: Path, write: Callable[..., None]
) -> None:
    write({"functions.memory_mb": "512"})
    assert [line.split(": ")[1] for line in refusal(folder)] == ["functions.memory_mb"]


@pytest.mark.parametrize(
    ("uri", "ports"),
    [
        ("mongodb+srv://cluster.example", (27017, 27017)),
        ("mongodb://db.example", (27017, 27017)),
        ("mongodb://db.example:27100", (27100, 27100)),
        ("mongodb://a.example:27101,b.example:27099,c.example", (27017, 27101)),
    ],
)
def test_the_ports_of_a_cluster_of_your_own_are_those_of_its_uri(uri: str, ports: tuple[int, int]) -> None:
    database = load("branch").database.model_copy(update={"uri": uri})
    assert database.ports == ports


def test_the_ports_of_atlas_are_those_that_its_documentation_names() -> None:
    assert load("prod").database.ports == (27015, 27017)


def test_a_method_that_orders_were_paid_by_keeps_its_key_and_network(
    write: Callable[..., None], folder: Path
) -> None:
    # Given an environment whose new orders are paid by credit, and whose old ones by card
    write(CARD | {"payment_method": "credit", "also_refunds": ["card"]})
    # When
    environment = load("try", folder)
    # Then
    assert environment.payment_methods == ("credit", "card")
    assert environment.stripe is not None
