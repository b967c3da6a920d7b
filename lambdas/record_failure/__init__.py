"""The steps *Handle failure*, which records why an order failed, and *Needs attention*, which parks it."""
