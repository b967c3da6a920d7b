"""What becomes of other people's pipelines: `python trial.py FOLDER` deploys every template in a folder.

Each gets a stack on one instance, with its parameters' defaults and a made-up word for what has none; what it
expects to be there already is not. One JSON line for each: the file, how its stack ended, and why.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from embedded_aws import instance

_CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as the values that they hold."""


_Loader.add_multi_constructor("!", lambda loader, _suffix, node: _value(loader, node))


def _value(loader: Any, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else node.value


def main(folder: Path) -> None:
    """Print a line for each template."""
    with tempfile.TemporaryDirectory(prefix="trial-") as scratch:
        running = instance.start(Path(scratch) / "aws", mongodb=False, attached=True)
        make: Any = boto3.Session("000000000000", "any", region_name="us-east-1").client
        stacks = make("cloudformation", endpoint_url=running.endpoint)
        for number, file in enumerate(sorted(folder.iterdir())):
            status, reason = _deployed(stacks, f"trial-{number}", file.read_text(errors="replace"))
            print(json.dumps({"file": file.name, "status": status, "reason": reason}), flush=True)  # noqa: T201 - its output
        instance.stop(running.root)


def _deployed(stacks: Any, name: str, body: str) -> tuple[str, str]:
    try:
        template = json.loads(body) if body.startswith("{") else yaml.load(body, _Loader)  # noqa: S506 - a safe loader's child
        declared: dict[str, Any] = template.get("Parameters") or {}
        values = [
            {"ParameterKey": key, "ParameterValue": str(about.get("AllowedValues", ["madeup"])[0])}
            for key, about in declared.items()
            if "Default" not in about
        ]
        stacks.create_stack(
            StackName=name,
            TemplateBody=body,
            Parameters=values,
            Capabilities=_CAPABILITIES,
            OnFailure="DO_NOTHING",
        )
        stacks.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 150}
        )
    except WaiterError:
        events = stacks.describe_stack_events(StackName=name)["StackEvents"]
        failed = [e for e in reversed(events) if e["ResourceStatus"].endswith("_FAILED")]
        first = failed[0] if failed else events[0]
        return "failed", f"{first['ResourceType']}: {first.get('ResourceStatusReason', '')}"
    except (ClientError, BotoCoreError, yaml.YAMLError, ValueError) as error:
        return "refused", str(error)
    return "deployed", ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
