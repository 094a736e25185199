"""
Name what the vault refuses.

No message and no attribute here can hold a card number or a key: each class
takes the parts of its message by kind (a path, a purpose, a fixed sentence), never
the text that was refused. The API layer maps these classes to statuses.
"""

from enum import StrEnum
from pathlib import Path


class VaultError(Exception):
    """
    Stand for every refusal of the vault.
    """


class CardNumberProblem(StrEnum):
    """
    Say what is wrong with a card number without repeating any of it.
    """

    NOT_TEXT = "is not text"
    EMPTY = "is empty"
    NOT_DIGITS = "holds something other than the digits 0 to 9"
    TOO_LONG = "has more than 32 digits"
    WRONG_LENGTH = "does not have 12 to 19 digits"
    CHECK_DIGIT = "has a wrong check digit"


class CardNumberError(VaultError):
    """
    Refuse a text as a card number.
    """

    def __init__(self, problem: CardNumberProblem) -> None:
        super().__init__(f"the card number {problem}")
        self.problem = problem


class PinError(VaultError):
    """
    Refuse a text as a PIN.
    """

    def __init__(self) -> None:
        super().__init__("a PIN is 4 to 12 digits")


class CardBatchError(VaultError):
    """
    Refuse to generate a batch of card numbers.
    """


class DecryptionError(VaultError):
    """
    Refuse a ciphertext: wrong card, wrong key, altered or cut.

    Which of these it was cannot be told apart, and should not be.
    """

    def __init__(self) -> None:
        super().__init__("the ciphertext does not belong to this card and key ring")


class PrivateFileError(VaultError):
    """
    Refuse a file that should be private, or a write that could not be made safe.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path


class KeyringError(VaultError):
    """
    Stand for every refusal of a key ring.
    """


class KeyringFileError(KeyringError):
    """
    Refuse a key ring's file whose content cannot be trusted.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"key ring {path} {problem}")
        self.path = path


class UnknownKeyError(KeyringError):
    """
    Refuse a key id that the key ring does not hold for this purpose.
    """

    def __init__(self, purpose: str, key_id: int) -> None:
        super().__init__(f"no key {key_id} for {purpose}")
        self.purpose = purpose
        self.key_id = key_id


class KeyUseError(KeyringError):
    """
    Refuse to use a key for something that is not its purpose.
    """

    def __init__(self, purpose: str, use: str) -> None:
        super().__init__(f"keys for {purpose} are not for {use}")
        self.purpose = purpose


class AuthorityError(VaultError):
    """
    Refuse to open the certificate authority or to issue a certificate.
    """


class CertificateError(VaultError):
    """
    Refuse a certificate or a set of credentials that cannot be used.
    """


class DeviceUriError(VaultError):
    """
    Refuse a URI that does not name exactly one device of our trust domain.
    """
