"""Sessions of boto3 that share what was read: each by itself would read botocore's service models again."""

import boto3
import botocore.session

_LOADER = botocore.session.Session().get_component("data_loader")
"""It keeps every model that it has read; reading them is most of what making a client takes."""


def session(
    region: str, key: str | None = None, secret: str | None = None, token: str | None = None
) -> boto3.Session:
    """A session in a region, with these credentials, or with whatever the machine has for its own."""
    own = botocore.session.Session()
    own.register_component("data_loader", _LOADER)
    own.set_config_variable("region", region)
    if key is not None and secret is not None:
        own.set_credentials(key, secret, token)
    return boto3.Session(botocore_session=own, region_name=region)
