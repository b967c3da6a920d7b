"""A real mongod as a cluster of your own has it: a replica set that asks for a password and for TLS.

It stands beside an embedded AWS, whose own MongoDB asks for neither.
"""

from __future__ import annotations

import datetime
import ipaddress
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymongo
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymongo.errors import PyMongoError

from embedded_aws import mongod, server_process
from embedded_aws.core import background

if TYPE_CHECKING:
    from collections.abc import Iterator

ADMIN = "root"
_PEM = serialization.Encoding.PEM
_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Protected:
    """Such a server.

    Attributes:
        uri: its address, without credentials.
        ca: the certificate that signed its own, as PEM.
        admin: a client that may do everything.
    """

    uri: str
    ca: str
    admin: pymongo.MongoClient[dict[str, Any]]

    @property
    def bare_uri(self) -> str:
        """Its address without the word that it asks for TLS, for who says that elsewhere."""
        return self.uri.removesuffix("&tls=true")

    def set_user(self, name: str, password: str, database: str | None) -> None:
        """Make a user of one database, or of all, or give it another password."""
        names = ("readWrite", "dbAdmin") if database else ("readWriteAnyDatabase", "dbAdminAnyDatabase")
        roles = [{"role": role, "db": database or "admin"} for role in names]
        known = self.admin.admin.command("usersInfo", name)["users"]
        self.admin.admin.command("updateUser" if known else "createUser", name, pwd=password, roles=roles)


@contextmanager
def protected() -> Iterator[Protected]:
    """Run one, and end it.

    Raises:
        MongodUnavailable: There is no mongod to run, or it did not come up.
    """
    with tempfile.TemporaryDirectory(prefix="protected-") as folder:
        home, port = Path(folder), server_process.free_port()
        ca = _certificates(home)
        (home / "key").write_text("c2hhcmVk" * 8)
        (home / "key").chmod(0o400)
        (home / "data").mkdir()
        command = [
            *(str(mongod.binary()), f"--dbpath={home / 'data'}", f"--port={port}"),
            *(
                f"--bind_ip={server_process.LOOPBACK}",
                "--nounixsocket",
                "--replSet=own",
                f"--keyFile={home / 'key'}",
            ),
            *("--tlsMode=requireTLS", f"--tlsCertificateKeyFile={home / 'server.pem'}"),
            *(f"--tlsCAFile={home / 'ca.pem'}", "--tlsAllowConnectionsWithoutCertificates"),
            *("--wiredTigerCacheSizeGB=0.25", "--oplogSize=64", f"--logpath={home / 'log'}"),
            "--setParameter=shutdownTimeoutMillisForSignaledShutdown=0",
        ]
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=mongod.dies_with_parent(),  # noqa: PLW1509 - as mongod's own
        )
        try:
            yield from _ready(home, port, ca)
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _ready(home: Path, port: int, ca: str) -> Iterator[Protected]:
    tls = f"tls=true&tlsCAFile={home / 'ca.pem'}"
    nobody = pymongo.MongoClient[dict[str, Any]](
        f"mongodb://{server_process.LOOPBACK}:{port}/?directConnection=true&{tls}",
        serverSelectionTimeoutMS=500,
    )
    member = {"_id": 0, "host": f"{server_process.LOOPBACK}:{port}"}

    def initiated() -> bool | None:
        try:  # nobody may, but from this machine as long as there is no user: the localhost exception
            nobody.admin.command("replSetInitiate", {"_id": "own", "members": [member]})
        except PyMongoError:
            return None
        return True

    def primary() -> bool | None:
        return bool(nobody.admin.command("hello")["isWritablePrimary"]) or None

    for ready in (initiated, primary):
        if not background.wait_for(ready, seconds=_READY_SECONDS, every=_POLL_SECONDS):
            raise mongod.MongodUnavailable("a mongod with TLS and a password did not come up")
    nobody.admin.command("createUser", ADMIN, pwd=ADMIN, roles=["root"])
    nobody.close()
    uri = f"mongodb://{server_process.LOOPBACK}:{port}/?replicaSet=own&tls=true"
    with pymongo.MongoClient[dict[str, Any]](
        uri, username=ADMIN, password=ADMIN, tlsCAFile=str(home / "ca.pem")
    ) as admin:
        yield Protected(uri, ca, admin)


def _certificates(home: Path) -> str:
    """Write ca.pem and server.pem, which the first signed; return the first."""
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mongod")])
    own = x509.BasicConstraints(ca=True, path_length=0)
    signed = _builder(issuer, issuer, authority.public_key()).add_extension(own, critical=True)
    ca: str = signed.sign(authority, hashes.SHA256()).public_bytes(_PEM).decode()
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(server_process.LOOPBACK))])
    for_server = _builder(subject, issuer, server.public_key()).add_extension(names, critical=False)
    certificate = for_server.sign(authority, hashes.SHA256()).public_bytes(_PEM)
    key = server.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (home / "ca.pem").write_text(ca)
    (home / "server.pem").write_bytes(certificate + key)
    return ca


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> Any:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
