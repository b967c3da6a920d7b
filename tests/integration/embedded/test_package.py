"""The embedded AWS's own tests, in its own environment; those of pipelines are run beside them."""

from __future__ import annotations

from tests.integration.embedded import own_tests


def test_the_package_s_own_tests_pass_in_its_own_environment() -> None:
    ran = own_tests.run(lambda module: not own_tests.of_pipelines(module))
    assert ran.returncode == 0, ran.stdout
