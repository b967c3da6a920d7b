"""Puts our part of IAM into MiniStack."""

from embedded_aws.core import type_table
from embedded_aws.iam import call_record, cross_account, request_resources, resource_types


def install() -> None:
    """Install the rules between accounts, the record of calls, and what requests act on."""
    for part in (cross_account, call_record, request_resources):
        part.install()
    resource_types.amend(type_table.stock_handlers("AWS::IAM::Role"))
