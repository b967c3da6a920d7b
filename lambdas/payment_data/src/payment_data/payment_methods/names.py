"""The payment methods an environment may choose."""

BALANCE = ("credit",)
"""Those that the data API charges to the user's balance, in the user's own document."""
STRIPE = ("card", "bank_account")
"""Those that need Stripe: its API key, and a way to it."""
NAMES = (*BALANCE, *STRIPE)
"""Values of the environment variable PAYMENT_METHOD and of `payment_method` in an environment's YAML."""
VARIABLE = "PAYMENT_METHOD"
"""Environment variable of the functions that have to know how new orders are paid."""
