"""HOW it is promoted: packages, stacks deployed by change set, orders followed, and the command line."""
