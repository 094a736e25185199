"""
The vault, as the API and the engine ask for it.
"""

from collections.abc import Sequence

from gateway.api.ports import Part
from gateway.domain.card_pins import PinProof
from gateway.domain.commands import CardRef, Fingerprint
from gateway.domain.errors import UnauthenticatedError
from gateway.domain.ids import TransactionId
from gateway.domain.policy import DeviceName
from gateway.vault.approval import ApprovalCodes
from gateway.vault.errors import CertificateError, DeviceUriError
from gateway.vault.fingerprints import Fingerprinter, length_prefixed
from gateway.vault.keyring import KeyRing
from gateway.vault.numbers import CardNumber, NumberVault
from gateway.vault.pins import Pin, PinVault
from gateway.vault.pki import certificate_sha256, parse_device_uri


class VaultSealer:
    """
    Do with the vault's keys what the API needs done to requests.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._numbers = NumberVault(keyring)
        self._fingerprinter = Fingerprinter(keyring)
        self._pins = PinVault(keyring)

    def card(self, digits: str) -> CardRef:
        """
        Turn a card number into what the gateway keeps of it.
        """
        number = CardNumber.read(digits)
        return CardRef(self._numbers.index(number), number.last_four)

    def pin(self, card_digits: str, pin_digits: str) -> PinProof:
        """
        Turn a PIN into tags that its card's own can be compared with.
        """
        number, pin = CardNumber.read(card_digits), Pin(pin_digits)
        return PinProof(tags=self._pins.tags(number, pin))

    def content(self, parts: Sequence[Part]) -> bytes:
        """
        Encode a list so that two different lists never give the same bytes.
        """
        return length_prefixed(parts)

    def fingerprint(self, content: bytes) -> Fingerprint:
        """
        Hash the content under the active key.
        """
        fingerprinter = self._fingerprinter
        return Fingerprint(fingerprinter.key_id, fingerprinter.compute(content))


class VaultCodes:
    """
    Do with the vault's keys what the engine needs done to transactions.
    """

    def __init__(self, keyring: KeyRing) -> None:
        self._approval = ApprovalCodes(keyring)
        self._fingerprinter = Fingerprinter(keyring)

    def approval_code(self, transaction_id: TransactionId) -> str:
        """
        Give the six characters for a transaction's receipt.
        """
        return self._approval.code(transaction_id)

    def fingerprint(self, content: bytes, key_id: int) -> bytes:
        """
        Make the keyed hash of a request's content under a key, active or retired.
        """
        return self._fingerprinter.compute(content, key_id)


class DeviceCertificates:
    """
    Read devices' certificates as the vault issues them, for one trust domain.
    """

    def __init__(self, trust_domain: str) -> None:
        self._trust_domain = trust_domain

    def device_of(self, uri: str) -> DeviceName:
        """
        Read the device's name in a certificate's URI, or raise UnauthenticatedError.
        """
        try:
            identity = parse_device_uri(uri, self._trust_domain)
        except DeviceUriError as error:
            message = f"the certificate names no device of ours: {error}"
            raise UnauthenticatedError(message) from error
        return DeviceName(identity.merchant, identity.store, identity.device)

    def sha256_of(self, pem: bytes) -> bytes:
        """
        Hash a certificate, or raise UnauthenticatedError.
        """
        try:
            return certificate_sha256(pem)
        except CertificateError as error:
            message = "the certificate cannot be read"
            raise UnauthenticatedError(message) from error
