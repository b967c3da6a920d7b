"""What an order, its payment and its ledger entries are: pure rules, without HTTP or MongoDB."""
