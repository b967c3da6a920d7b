from collections.abc import Callable

import pytest

from templates.definitions.payment_workflow import CHARGE, DELIVER, RECORD, REFUND, RELEASE, RESERVE
from tests.crash_matrix import plan
from tests.crash_matrix.bench import Benches
from tests.crash_matrix.faults import Kind, Layer
from tests.crash_matrix.scenarios import SCENARIOS
from tests.crash_matrix.singles import Singles, single_faults

Ran = Callable[[str], Singles]


@pytest.fixture(scope="module")
def ran(benches: Benches) -> Ran:
    """Every scenario with single faults; all begin at once, on as many benches as there are."""
    begun = {name: benches.begin(single_faults, name) for name in SCENARIOS}
    return lambda name: begun[name].result()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_guarantee_holds_whatever_goes_wrong_once_or_always(ran: Ran, scenario: str) -> None:
    # Given a scenario, and its fault sites; When each single fault that is drawn strikes at its site, or none
    found = ran(scenario)
    # Then each one struck, and every guarantee holds
    assert found.cells > 0
    assert found.missed == []
    assert found.violations == {}


def test_the_sites_are_every_boundary_of_every_step(benches: Benches) -> None:
    # Given the scenarios that go forward and back
    # When their sites are recorded
    results = benches.run(plan.recordings())
    sites = {visit.site for result in results for visit in result.visits}
    # Then every state with a function was invoked, asked the data API, and wrote; two asked the gateway
    for state in (RESERVE, CHARGE, DELIVER, REFUND, RELEASE, RECORD):
        found = {site.layer for site in sites if site.name.startswith(f"{state} / ") and site.writes}
        assert found == set(Layer) - ({Layer.GATEWAY} if state not in (CHARGE, REFUND) else set()), state
    # And every kind of fault has a site
    assert {kind for site in sites for kind in site.kinds()} == set(Kind)
