"""What the memory answers is what mongod answers: the same cells with it, and with every command executed."""

from unittest import mock

import pymongo
import pytest
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from data_api.storage import connection
from embedded_aws.mongod import Mongod
from tests.crash_matrix import plan
from tests.crash_matrix.bench import Bench, open_bench
from tests.crash_matrix.cells import Result
from tests.crash_matrix.memory import Memory
from tests.crash_matrix.plan import one_more_fault

_EVERY = 307
"""Of some nine thousand single faults; no multiple of what their kinds come in."""


@pytest.fixture(scope="module")
def remembered(mongod: Mongod) -> dict[str, Result]:
    with open_bench(mongod.uri) as bench:
        results = _sample(bench)
        executed, answered_before = bench.commands
    # Then a third of the commands and more were answered by the memory, or it would be worth nothing
    assert 2 * answered_before > executed
    return results


def _sample(bench: Bench) -> dict[str, Result]:
    found = {}
    for recording in plan.recordings():
        found[str(recording)] = recorded = bench.run(recording)
        for task in one_more_fault(recording, recorded)[7::_EVERY]:
            found[str(task)] = bench.run(task)
    return found


def test_every_command_has_the_concerns_that_ship(bench: Bench) -> None:
    # Given what the data API asks MongoDB with, everywhere else; When it is asked for in a cell
    asked = connection.database()
    # Then it is nothing weaker
    assert bench
    assert (asked.write_concern.document, asked.read_concern.level) == ({"w": "majority"}, "majority")


def test_cells_go_the_same_way_when_every_command_is_executed(
    mongod: Mongod, remembered: dict[str, Result]
) -> None:
    # Given cells of every scenario that ran with a memory; When they run on a bench that has none
    with open_bench(mongod.uri, "forgetful", forgetful=True) as bench:
        executed = _sample(bench)
        assert bench.commands[1] == 0
    # Then each reached the same sites, was struck, and ended and left everything the same
    assert executed == remembered


def test_what_is_put_back_is_there_whole_though_the_server_is_lost_meanwhile(mongod: Mongod) -> None:
    with pymongo.MongoClient[dict[str, object]](mongod.uri) as client:
        database = client["lost-server"]
        memory = Memory(database, forgetful=True)
        # Given what the cell before has left
        memory.ask("orders", "1", lambda: database.orders.insert_one({"_id": "before"}), writes=True)
        memory.put_back({})
        # When the server is lost as it is put back, and as the command after that is sent
        delete, lost = Collection.delete_many, iter([AutoReconnect()])

        def deleted(collection: Collection[dict[str, object]], condition: dict[str, object]) -> object:
            for error in lost:
                raise error
            return delete(collection, condition)

        with mock.patch.object(Collection, "delete_many", deleted), pytest.raises(AutoReconnect):
            memory.ask("orders", "2", mock.Mock(side_effect=AutoReconnect), writes=True)
        # Then nothing of the cell before is in this one
        assert memory.documents("orders") == []
        client.drop_database(database.name)
