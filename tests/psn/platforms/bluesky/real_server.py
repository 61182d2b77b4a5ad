"""Bluesky's own server as a process on loopback, with the directory of accounts that it wants beside it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.sandbox.process import WEB

PACKAGE = os.environ.get("PSN_TEST_PDS", "")  # where `npm install @atproto/pds` was run
START = Path(__file__).with_name("real_server.mjs")


def why_not() -> str:
    """Say why it cannot run here; empty when it can."""
    if not shutil.which("node"):
        return "node is not installed"
    if not (Path(PACKAGE) / "node_modules" / "@atproto" / "pds").is_dir():
        return "PSN_TEST_PDS names no folder with npm's @atproto/pds in it"
    return ""


@dataclass(frozen=True)
class Person:
    """Somebody with an account on the server."""

    base_url: str
    handle: str
    did: str
    app_password: str


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """Start the server and give its address."""
    with _directory() as directory:
        port = _free_port()
        (folder / "blobs").mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "PDS_PACKAGE": PACKAGE,
            "PDS_HOSTNAME": "localhost",
            "PDS_PORT": str(port),
            "PDS_DATA_DIRECTORY": str(folder),
            "PDS_BLOBSTORE_DISK_LOCATION": str(folder / "blobs"),
            "PDS_JWT_SECRET": secrets.token_hex(16),
            "PDS_ADMIN_PASSWORD": secrets.token_hex(16),
            "PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX": secrets.token_hex(32),
            "PDS_DID_PLC_URL": directory,
            "PDS_INVITE_REQUIRED": "false",
            "PDS_DEV_MODE": "true",
            "PDS_SERVICE_HANDLE_DOMAINS": ".test",
            "LOG_ENABLED": "false",
        }
        with subprocess.Popen(["node", str(START)], env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()


def make_person(base_url: str, name: str) -> Person:
    """Make an account, and a password for apps."""

    def call(method: str, body: dict[str, str], token: str = "") -> dict[str, Any]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        answer = WEB.post(f"{base_url}/xrpc/com.atproto.server.{method}", json=body, headers=headers)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    handle = f"{name}.test"
    made = call("createAccount", {"handle": handle, "email": f"{name}@example.com", "password": "main-password"})
    password = call("createAppPassword", {"name": "psn"}, made["accessJwt"])["password"]
    return Person(base_url, handle, made["did"], password)


@contextmanager
def _directory() -> Iterator[str]:
    """Stand in for plc.directory: keep what accounts say of themselves, and show it."""
    said: dict[str, dict[str, Any]] = {}

    class Directory(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            said[self.path.strip("/")] = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._answer({})

        def do_GET(self) -> None:
            did = self.path.strip("/").partition("/")[0]
            self._answer(_describe(did, said[did]) if did in said else None)

        def _answer(self, document: dict[str, Any] | None) -> None:
            body = b"" if document is None else json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Directory)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _describe(did: str, said: dict[str, Any]) -> dict[str, Any]:
    key = said["verificationMethods"]["atproto"].removeprefix("did:key:")
    home = said["services"]["atproto_pds"]["endpoint"]
    return {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": did,
        "alsoKnownAs": said["alsoKnownAs"],
        "verificationMethod": [
            {"id": f"{did}#atproto", "type": "Multikey", "controller": did, "publicKeyMultibase": key}
        ],
        "service": [{"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": home}],
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
