"""The step *Release products*: cancels the order and returns its holds, or bars them for ever."""
