"""The first step of the sweeper: lists orders that are under way and have not changed for a while."""
