"""
Name a device of a store in its certificate, and read the name back strictly.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.vault.errors import DeviceUriError

# Also a host name's label, so every part is one word in any log or path.
_SEGMENT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,254}")
_URI: Final = re.compile(
    rf"spiffe://(?P<trust_domain>{_TRUST_DOMAIN.pattern})"
    rf"/merchant/(?P<merchant>{_SEGMENT.pattern})"
    rf"/store/(?P<store>{_SEGMENT.pattern})"
    rf"/device/(?P<device>{_SEGMENT.pattern})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceIdentity:
    """
    Say which device of which store of which merchant a certificate stands for.
    """

    merchant: str
    store: str
    device: str

    def __post_init__(self) -> None:
        """
        Refuse a part that could be read back as something else.
        """
        for name in ("merchant", "store", "device"):
            if _SEGMENT.fullmatch(getattr(self, name)) is None:
                raise DeviceUriError(
                    f"the {name} is not 1 to 63 of a-z, 0-9 and '-', "
                    "beginning with a letter or digit"
                )

    def uri(self, trust_domain: str) -> str:
        """
        Give the one URI of the device's certificate.
        """
        if _TRUST_DOMAIN.fullmatch(trust_domain) is None:
            raise DeviceUriError("the trust domain is not 1 to 255 of a-z, 0-9, '.-_'")
        return (
            f"spiffe://{trust_domain}/merchant/{self.merchant}"
            f"/store/{self.store}/device/{self.device}"
        )


def parse_device_uri(uri: str, trust_domain: str) -> DeviceIdentity:
    """
    Read the URI of a device's certificate, character by character as it was issued.

    No case folding, no percent decoding, no trailing slash: there is one spelling
    of each device. Raises DeviceUriError.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise DeviceUriError(
            "the URI is not spiffe://<trust>/merchant/<m>/store/<s>/device/<d>"
        )
    if match["trust_domain"] != trust_domain:
        raise DeviceUriError("the URI is of another trust domain")
    return DeviceIdentity(
        merchant=match["merchant"], store=match["store"], device=match["device"]
    )
