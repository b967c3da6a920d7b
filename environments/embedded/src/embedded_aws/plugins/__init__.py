"""What MiniStack lacks or gets wrong and our templates lean on, one module each, one contract test each.

A plug-in has an `install()`, called once before MiniStack serves. MiniStack's private names are pinned by its
version; a plug-in touches them in `install()` or in a place its docstring names, and nowhere else.
"""
