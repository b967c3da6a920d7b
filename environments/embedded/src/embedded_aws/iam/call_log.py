"""What roles did in an instance: every kind of call that IAM judged, and which statement allowed it.

One line for each kind: the same role, action, answer and allowing statements are one kind, whatever the
resource, so that the record stays small however many orders there are. The first resource is its example.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "calls.jsonl"


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of call.

    Attributes:
        account: The role's account.
        role: Its name.
        action: As `lambda:InvokeFunction`.
        resource: An example of what was acted on.
        allowed: How IAM decided.
        statements: The `Sid` of each statement of the role that would have allowed it alone.
        patterns: Those statements' resources that match.
    """

    account: str
    role: str
    action: str
    resource: str
    allowed: bool
    statements: tuple[str, ...]
    patterns: tuple[str, ...]

    @property
    def kind(self) -> tuple[object, ...]:
        """What makes two calls of one kind."""
        return (self.account, self.role, self.action, self.allowed, self.statements, self.patterns)


def note(state: Path, call: Call) -> None:
    """Add a kind of call to the record in an instance's state folder."""
    with (state / _FILE).open("a", encoding="utf-8") as record:
        record.write(json.dumps(asdict(call)) + "\n")


def read(root: Path) -> list[Call]:
    """What the roles of the instance in `root` did so far."""
    return read_state(root / "state")


def read_state(state: Path) -> list[Call]:
    """The same, by its state folder."""
    try:
        lines = (state / _FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [_call(line) for line in lines]


def _call(line: str) -> Call:
    fields = json.loads(line)
    return Call(**fields | {"statements": tuple(fields["statements"]), "patterns": tuple(fields["patterns"])})
