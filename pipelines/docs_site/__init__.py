"""Builds the docs site: written pages from docs/, generated ones beside them, and MkDocs over both.

`generated` adds what the code says and refuses docs that disagree with it; `navigation` orders the pages;
`assets` fetches what a browser needs, so that the site makes no external request; `building` lays everything
out under .cache, so that nothing generated is ever committed, and runs MkDocs.
"""
