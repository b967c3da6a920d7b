from tests.crash_matrix.bench import Benches
from tests.crash_matrix.hunting import MUTANTS, hunt_by_name


def test_every_protection_is_missed_by_some_cell(benches: Benches) -> None:
    # Given a mutant for each protection that a single fault can show the lack of
    names = [name for name, mutant in MUTANTS.items() if not mutant.survives]
    # When each runs through the cells where its lack should show
    hunts = dict(zip(names, benches.each(hunt_by_name, names), strict=True))
    # Then each is caught
    assert [name for name, hunt in hunts.items() if not hunt.caught_by] == []
