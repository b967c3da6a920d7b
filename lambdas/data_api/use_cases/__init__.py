"""What the data API does, one verb each, through `storage` and with the rules of `domain`."""
