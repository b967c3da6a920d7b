"""No permission of a stack that is paid by card or from a bank account is dead.

Its own schedule of settlements is waited for, a minute each; so these run with `make permissions`.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from embedded_aws.iam import call_log
from pipelines.orders import smoke
from tests.least_privilege.audit import audit, grants
from tests.least_privilege.audit.unexercised_resources import UNEXERCISED
from tests.rehearsal.probing import canary, worse
from tests.rehearsal.sweeping import (
    abandon,
    await_settlement,
    await_smoke_and_check,
    await_state,
    reconcile_twice,
    sweep,
)

if TYPE_CHECKING:
    from embedded_aws.instance import Instance
    from tests.rehearsal.till import Till


def test_no_permission_is_dead(till: Till, embedded: Instance) -> None:
    # Given everything that a stack does: orders paid, declined, given back after the charge, and swept
    shop = till.shop
    assert smoke.run(shop.stack).passed
    tea = shop.product(price=100, available=5)
    for user, address in ((till.poor_customer(), "1 Row"), (till.customer(), " ")):
        shop.place(shop.order(user, (tea, 100, 1), address=address))
    abandon(shop.stack, left := shop.order(till.customer(), (tea, 100, 1)), "RESERVED")
    await_state(shop.stack, left, "FAILED")
    sweep(shop.stack)
    till.give_up(shop.order(till.customer(), (tea, 100, 1)))
    await_settlement(shop.stack)
    await_smoke_and_check(shop.stack)
    reconcile_twice(shop.stack)
    with canary(shop.stack):
        assert worse(shop.stack) == 1
    # When what it did is held against what it may
    granted, done = grants.of_stack(shop.stack.aws, shop.stack.name), call_log.read(embedded.root)
    # Then it may do nothing else
    assert audit.unused_permissions(granted, done) == []
    # And a card's payments reach nothing of what is said to be unreached
    if till.method == "card":
        dead = [one.what for one in audit.unused_permissions(granted, done, unexercised=())]
        assert all(fnmatch.filter(dead, entry.pattern) for entry in UNEXERCISED)
