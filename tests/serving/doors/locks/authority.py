"""A certificate authority of the test's, and files with what it issued."""

from pathlib import Path

import trustme


class Authority:
    """Issues certificates for 127.0.0.1 and localhost."""

    def __init__(self, directory: Path) -> None:
        self._authority = trustme.CA()
        self._directory = directory
        directory.mkdir()
        self.file = directory / "authority.pem"
        self._authority.cert_pem.write_to_path(self.file)

    @property
    def pem(self) -> bytes:
        return self.file.read_bytes()

    def issue(self, name: str) -> tuple[Path, Path]:
        """Files of a new chain and its key; those of the same name are written over."""
        chain, key = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        issued = self._authority.issue_cert("127.0.0.1", "localhost")
        chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return chain, key
