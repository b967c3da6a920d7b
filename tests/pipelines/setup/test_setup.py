"""`payments init`: answers become environment files that load, comments and all, or nothing is written."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from click.testing import CliRunner

from environments import groupings, schema, tools
from pipelines.cli.main import main
from pipelines.core.refusals import Refused
from pipelines.core.repository import ROOT
from pipelines.setup import answers
from pipelines.setup.questions import questions, settings

if TYPE_CHECKING:
    from pathlib import Path

PAGE: Final = ROOT / "docs" / "how-to" / "adopt.md"
BLOCK: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BASE = {
    "tools_account": "100000000001",
    "branch_account": "100000000002",
    "staging_account": "100000000003",
    "prod_account": "100000000004",
    "region": "eu-west-1",
    "repository": "acme/payments",
    "owner": "checkout",
    "network": "10.64.0.0/16",
    "payment_method": "credit",
    "currency": "EUR",
}
ATLAS = BASE | {
    "database": "atlas",
    **{
        key: value
        for number, name in enumerate(groupings.PROMOTED)
        for key, value in {
            f"{name}_atlas_project": f"{number}" * 24,
            f"{name}_database_network": f"192.168.{8 * number}.0/21",
            f"{name}_cluster": f"mongodb+srv://{name}.abcde.mongodb.net",
        }.items()
    },
}
ACCOUNTS: Final = dict.fromkeys(("tools", *groupings.PROMOTED), "100000000001")
IN_ONE_ACCOUNT = (
    ATLAS
    | {
        # What our own files say, where they say it: linters have judged the templates that it gives.
        name: answer
        for name, answer in answers.current(schema.FOLDER).items()
        if name.startswith(("staging_", "prod_")) or name in {"region", "network", "currency"}
    }
    | {f"{name}_account": account for name, account in ACCOUNTS.items()}
)
OWN = BASE | {
    "database": "own_cluster",
    **{
        key: value
        for number, name in enumerate(groupings.PROMOTED)
        for key, value in {
            f"{name}_database_vpc": f"vpc-0000000000000000{number}",
            f"{name}_database_owner": "100000000009",
            f"{name}_database_role": "arn:aws:iam::100000000009:role/accept",
            f"{name}_database_secret": (
                f"arn:aws:secretsmanager:eu-west-1:10000000000{number + 2}:secret:mongodb-AbCdEf"
            ),
            f"{name}_database_network": f"10.{90 + number}.0.0/16",
            f"{name}_cluster": f"mongodb://db.{name}.example:27100",
        }.items()
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the house's files."""
    made = tmp_path / "environments"
    made.mkdir()
    for file in schema.FOLDER.glob("*.yml"):
        shutil.copy(file, made)
    return made


def comments(folder: Path) -> list[str]:
    return [
        line for file in sorted(folder.glob("*.yml")) for line in file.read_text().splitlines() if "#" in line
    ]


@pytest.mark.parametrize("given", [ATLAS, OWN], ids=["atlas", "own cluster"])
def test_answers_become_files_that_load_and_keep_their_comments(folder: Path, given: dict[str, str]) -> None:
    before = comments(folder)
    # When they are written
    written = answers.write(given, folder)
    # Then every file loads, and says what was answered
    assert {path.stem for path in written} == {"tools", *groupings.PROMOTED}
    environments = {name: schema.load(name, folder) for name in groupings.PROMOTED}
    assert list(groupings.problems(environments, tools.load(folder / "tools.yml"))) == []
    prod = environments["prod"]
    assert (prod.account, prod.region, prod.owner) == ("100000000004", "eu-west-1", "checkout")
    assert prod.network.vpc_cidr == "10.66.0.0/16"
    assert prod.network.private_subnet_cidrs == ("10.66.0.0/20", "10.66.16.0/20")
    assert prod.network.zones == ("eu-west-1a", "eu-west-1b")
    assert prod.database.kind == given["database"]
    assert prod.database.uri == given["prod_cluster"]
    assert prod.deployment.type == "CANARY"
    assert comments(folder) == before
    # And said again, they change nothing
    assert answers.write(given, folder) == []
    assert answers.current(folder) == given


def test_a_change_of_one_answer_changes_that_alone(folder: Path) -> None:
    answers.write(ATLAS, folder)
    before = {path.name: path.read_text() for path in folder.glob("*.yml")}
    written = answers.write(ATLAS | {"repository": "acme/shop"}, folder)
    assert [path.name for path in written] == ["tools.yml"]
    changed = (folder / "tools.yml").read_text()
    assert changed == before["tools.yml"].replace("acme/payments", "acme/shop")


def test_stripe_brings_its_secret_and_the_way_out_and_goes_again(folder: Path) -> None:
    secrets = {
        f"{name}_stripe_secret": f"arn:aws:secretsmanager:eu-west-1:{BASE[f'{name}_account']}:secret:s-AbCdEf"
        for name in groupings.PROMOTED
    }
    answers.write(ATLAS, folder)
    plain = {path.name: path.read_text() for path in folder.glob("*.yml")}
    # When orders are paid by card
    answers.write(ATLAS | secrets | {"payment_method": "card"}, folder)
    staging = schema.load("staging", folder)
    assert staging.stripe is not None
    assert staging.stripe.secret_arn == secrets["staging_stripe_secret"]
    assert staging.network.public_subnet_cidr == "10.65.32.0/28"
    # And by credit again, then the files say no more than before
    answers.write(ATLAS, folder)
    assert {path.name: yaml.safe_load(path.read_text()) for path in folder.glob("*.yml")} == {
        name: yaml.safe_load(text) for name, text in plain.items()
    }


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prod_account": "12"}, "environments/prod.yml: account"),
        ({"network": "10.64.0.0"}, "network"),
        ({"prod_database_network": "10.66.0.0/21"}, "overlaps database.cidr"),
        ({"repository": "acme"}, "repository"),
        ({"currency": ""}, "There is no answer to currency"),
    ],
)
def test_what_breaks_a_rule_is_told_and_nothing_is_written(
    folder: Path, changes: dict[str, str], says: str
) -> None:
    before = {path.name: path.read_text() for path in folder.glob("*.yml")}
    with pytest.raises(Refused) as caught:
        answers.write(ATLAS | changes, folder)
    assert says in caught.value.message
    assert {path.name: path.read_text() for path in folder.glob("*.yml")} == before


def test_a_first_time_takes_at_most_twenty_answers() -> None:
    # With Atlas and credit, as the page that leads to a first release says
    assert len([question for question in questions() if question.asked(ATLAS)]) == len(ATLAS) <= 20


def test_a_file_of_answers_is_enough_and_a_stranger_in_it_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "FOLDER", folder)
    mine = tmp_path / "mine.yml"
    mine.write_text(yaml.safe_dump(ATLAS))
    done = CliRunner().invoke(main, ["init", "--answers", str(mine)])
    assert done.exit_code == 0, done.output
    assert "environments/prod.yml written" in done.stderr
    assert "payments pipeline deploy --profile tools=PROFILE" in done.stderr
    assert "The files say so already" in CliRunner().invoke(main, ["init", "--answers", str(mine)]).stderr
    mine.write_text(yaml.safe_dump(ATLAS | {"colour": "red"}))
    refused = CliRunner().invoke(main, ["init", "--answers", str(mine)])
    assert refused.exit_code == 1
    assert "nobody asks for colour" in refused.stderr


def test_a_person_is_asked_each_thing_with_its_reason_and_what_the_files_say(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.write(ATLAS, folder)
    monkeypatch.setattr(schema, "FOLDER", folder)
    # When everything stays but the owner
    said = [
        "checkout-2" if question.name == "owner" else "" for question in questions() if question.asked(ATLAS)
    ]
    done = CliRunner().invoke(main, ["init"], input="\n".join([*said, ""]))
    assert done.exit_code == 0, done.output
    assert "A tag on every stack" in done.stderr
    assert schema.load("prod", folder).owner == "checkout-2"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("account", "012345678901", 'account: "012345678901"'),
        ("network.zones", ["eu-west-1a", "eu-west-1b"], "  zones: [eu-west-1a, eu-west-1b]"),
        ("database.tls", False, "  tls: false"),
        ("stripe.secret_arn", "arn:aws:x", "  secret_arn: arn:aws:x"),
    ],
)
def test_a_value_is_written_as_yaml_reads_it(path: str, value: Any, line: str) -> None:
    text = answers.with_value((schema.FOLDER / "branch.yml").read_text(), path, value)
    assert line in text.splitlines()
    assert answers.value_at(text, path) == value


def test_every_answer_sets_a_key_that_the_files_have() -> None:
    keys = {key for (name, key) in settings(ATLAS) if name == "prod"}
    fields = schema.Environment.model_json_schema()
    assert {key.partition(".")[0] for key in keys} <= set(fields["properties"])


def test_it_takes_no_more_commands_and_answers_than_it_promises() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.strip().splitlines() if line[0] != " "]
    assert len(lines) == 11
    assert "eleven commands and, with Atlas, twenty answers" in text
    assert len([question for question in questions() if question.asked(IN_ONE_ACCOUNT)]) == 20
