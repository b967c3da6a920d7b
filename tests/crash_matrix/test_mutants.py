from tests.crash_matrix import mutations
from tests.crash_matrix.bench import Benches
from tests.crash_matrix.hunting import MUTANTS, hunt_by_name
from tests.crash_matrix.singles import drawn

_SHARE = 6


def test_every_protection_is_missed_by_some_cell(benches: Benches) -> None:
    # Given a mutant for each protection that a single fault can show the lack of, or those that are drawn
    names = drawn([name for name, mutant in MUTANTS.items() if not mutant.survives], _SHARE, "mutants")
    # When each runs through the cells where its lack should show
    hunts = dict(zip(names, benches.each(hunt_by_name, names), strict=True))
    # Then each is caught
    assert [name for name, hunt in hunts.items() if not hunt.caught_by] == []


def test_every_mutant_is_one_of_todays_code() -> None:
    # Given all mutants, those that nobody hunts today included; When each is made, and unmade
    for mutant in MUTANTS.values():
        with mutations.edited(mutant):
            pass
    # Then the code says what each wants to change, and is itself again: nothing was raised
    assert len(MUTANTS) >= 75
