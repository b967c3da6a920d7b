"""How an order is paid: one protocol, one module per method, chosen by an environment variable.

`names.py` lists what environments may choose from and imports nothing, `registry.py` turns a name into a
method, and `credit.py` is the first: the user's balance in MongoDB, charged through the data API. Adding a
method touches one new module, `names.py` and the registry.
"""

from payment_data.payment_methods.names import NAMES

__all__ = ["NAMES"]
