"""Computes DORA's four measures of software delivery (https://dora.dev/guides/dora-metrics/).

They come from what the release pipeline did in the stage of an environment, and from nothing else: no
incident tracker, no survey. `assembly.py` decides what counts as a deployment, a failure and a restoration,
`measures.py` reads the history, computes and words the result, and writes it into the docs page that defines
each measure.
"""
