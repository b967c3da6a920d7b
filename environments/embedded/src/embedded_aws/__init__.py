"""The embedded AWS: MiniStack in one process with services of our own, and a real mongod beside it.

`instance` is the public module: it starts, finds, configures and stops an instance, and needs nothing of what
the server needs (`server_process`). `server` is the process itself and `install` puts our services into
MiniStack. Each folder is one AWS service and lays out its files alike: `service` (the operations of its API),
`resource_types` (its CloudFormation types), `install` (what it replaces in MiniStack), and a module for each
thing that it does. `core` holds what they share. Everything listens on 127.0.0.1; what is not emulated is
refused with a clear error.
"""
