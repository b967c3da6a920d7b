"""The embedded AWS's own tests of pipelines and builds, in its own environment."""

from __future__ import annotations

from tests.integration.embedded import own_tests


def test_the_package_s_own_tests_of_pipelines_pass_in_its_own_environment() -> None:
    ran = own_tests.run(own_tests.of_pipelines)
    assert ran.returncode == 0, ran.stdout
