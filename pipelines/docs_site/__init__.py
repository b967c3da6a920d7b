"""The docs site: written pages from docs/, generated ones beside them, and MkDocs over both.

`source` lays the pages out in a folder of their own under .cache, so that nothing generated is ever
committed; `navigation` says in which order they are read; `assets` fetches what a browser needs, so that the
site asks nobody else for anything; `building` puts it together.
"""
