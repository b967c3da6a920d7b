"""Versions of functions that should never have been released."""

from __future__ import annotations

import io
import urllib.request
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


def publish_broken(functions: LambdaClient, function: str, folder: str, handler: str) -> str:
    """Publish a version with another handler in an otherwise unchanged package, and return its number.

    The function's unpublished code is as before again afterwards: a version is all that is left.
    """
    whole = _package(functions, function)
    functions.update_function_code(FunctionName=function, ZipFile=_with_handler(whole, folder, handler))
    try:
        return functions.publish_version(FunctionName=function)["Version"]
    finally:
        functions.update_function_code(FunctionName=function, ZipFile=whole)


def _package(functions: LambdaClient, function: str) -> bytes:
    where = functions.get_function(FunctionName=function)["Code"]["Location"]
    with urllib.request.urlopen(where) as answer:  # noqa: S310 - the embedded AWS's own URL
        return bytes(answer.read())


def _with_handler(package: bytes, folder: str, handler: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(made, "w") as new:
        for entry in old.infolist():
            text = handler.encode() if entry.filename == f"{folder}/handler.py" else old.read(entry)
            new.writestr(entry, text)
    return made.getvalue()
