"""Puts our part of API Gateway into MiniStack."""

from embedded_aws.apigateway import access_logs, private_apis, resource_types


def install() -> None:
    """Install access logs, private APIs, and what CloudFormation's types need for both."""
    for part in (access_logs, private_apis, resource_types):
        part.install()
