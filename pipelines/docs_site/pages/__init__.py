"""The generated pages, one module for each kind: what the code says of itself, as Markdown."""
