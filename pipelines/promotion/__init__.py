"""Releases and branch stacks: started, followed, verified, published, and explained when they fail."""
