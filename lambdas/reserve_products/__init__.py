"""The step *Check order products are available*: holds every line's quantity, all or none."""
