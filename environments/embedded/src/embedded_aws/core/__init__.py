"""What every service needs: requests checked against botocore's models, records on disk, threads, time.

`service` takes a request, checks it against botocore's own model and hands it to an operation; operations
keep everything in `store`, a small SQLite file, so that a killed instance finds its records again.
"""
