"""IAM: role sessions, decisions that MiniStack does not make, access between accounts, and a log of calls."""
