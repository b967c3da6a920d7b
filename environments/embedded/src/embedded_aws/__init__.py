"""The embedded AWS: MiniStack in one process with our plug-ins, and a real mongod beside it.

`instance` starts, finds and stops it; `server` is the process itself; `mongod` runs the database; `plugins`
holds one module for each thing that MiniStack lacks or gets wrong and that our templates lean on. Everything
listens on 127.0.0.1. It emulates what we use and nothing more: any other call is refused with a clear error.
"""
