"""What a build gets of the machine that it runs on: the way to its package registries, and no more.

On AWS a build has the internet; here the host's proxies and registries are the way to the same packages.
"""

import os
from pathlib import Path

_NAMES = {"PATH", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
_PROXIES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}
_PREFIXES = ("PIP_", "UV_")
_FILES = {"PIP_CONFIG_FILE": ".config/pip/pip.conf", "UV_CONFIG_FILE": ".config/uv/uv.toml"}


def environment() -> dict[str, str]:
    """Return the variables that a build inherits."""
    found = {
        name: value
        for name, value in os.environ.items()
        if name in _NAMES or name.lower() in _PROXIES or name.startswith(_PREFIXES)
    }
    for name, place in _FILES.items():
        file = Path.home() / place
        if name not in found and file.is_file():
            found[name] = str(file)
    return found
