"""Proofs on the embedded AWS that take too long for every run: what the rehearsal tests deploy."""

from tests.rehearsal.conftest import built, deploy, here

__all__ = ["built", "deploy", "here"]
