"""The four measures of software delivery, by DORA (https://dora.dev/guides/dora-metrics/).

They are computed from what the release pipeline did in the stage of an environment, and from nothing else: no
incident tracker, no survey. `deployments.py` reads that, `assembly.py` says what counts as a deployment, a
failure and a restoration, `measures.py` computes, `words.py` says it to people, and `site.py` puts it on the
page of the docs that tells each definition.
"""
