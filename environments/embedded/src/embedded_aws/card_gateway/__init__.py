"""A local Stripe, for the `card` and `bank_account` payment methods where there is no network.

`gateway` starts and stops it, and is all that the rest of the house imports. The other modules run in the
gateway's own process and its own locked environment (`pyproject.toml` and `uv.lock` beside this file),
because localstripe is GPL-3: nothing that ships imports it, and no other process of ours does. `server`
speaks HTTP, `service` keeps idempotency keys, `journal` makes every answer durable before it is given, `api`
turns one request into one answer, `payment_intents`, `refunds`, `disputes`, `currencies` and
`payment_methods` hold Stripe's rules that localstripe lacks, `localstripe_setup` patches localstripe itself,
and `test_payment_methods` lists Stripe's test cards and accounts.
"""
