"""Proves that balances, stock, deliveries and the card gateway agree with the ledger, order by order."""
