"""Rehearses promotions on one machine: the real pipelines on an embedded AWS, good and failing commits."""
