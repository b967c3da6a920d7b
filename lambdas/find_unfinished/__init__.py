"""The sweeper's question: which orders are on their way, and have not changed for a while."""
