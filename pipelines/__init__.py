"""HOW it is promoted: rooms from packages, stacks and evidence up to the pipelines and the command line."""
