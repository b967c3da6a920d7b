"""The generated pages: one module for each kind, from the code to Markdown."""
