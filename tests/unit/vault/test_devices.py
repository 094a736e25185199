import pytest

from gateway.vault.devices import DeviceIdentity, parse_device_uri
from gateway.vault.errors import DeviceUriError

TRUST = "scrip.test"
URI = "spiffe://scrip.test/merchant/m-1/store/s042/device/till-7"


def test_a_device_uri_names_merchant_store_and_device() -> None:
    """
    The parts come out by name, and give the same URI again.
    """
    identity = parse_device_uri(URI, TRUST)

    assert DeviceIdentity(merchant="m-1", store="s042", device="till-7") == identity
    assert identity.uri(TRUST) == URI


@pytest.mark.parametrize(
    "uri",
    [
        "",
        TRUST,
        URI.removeprefix("spiffe:"),
        URI.replace("spiffe", "https"),
        URI.replace("spiffe", "SPIFFE"),
        URI.replace("scrip.test", ""),
        URI.replace("scrip.test", "scrip.test:443"),
        URI.replace("scrip.test", "user@scrip.test"),
        f"{URI}/",
        f"{URI}\n",
        f" {URI}",
        f"{URI}?a=b",
        f"{URI}#a",
        f"{URI}/device/till-8",
        f"{URI} {URI}",
        URI.replace("till-7", ""),
        URI.replace("till-7", "-till"),
        URI.replace("till-7", "Till-7"),
        URI.replace("till-7", "till_7"),
        URI.replace("till-7", "till%2d7"),
        URI.replace("till-7", ".."),
        URI.replace("till-7", "t\u0131ll"),
        URI.replace("till-7", "\u0667"),
        URI.replace("till-7", "a" * 64),
        URI.replace("/store/", "//store/"),
        URI.replace("store", "Store"),
        URI.replace("/store/s042", ""),
        "spiffe://scrip.test/store/s042/merchant/m-1/device/till-7",
    ],
)
def test_any_other_spelling_is_refused(uri: str) -> None:
    """
    There is one spelling of each device, so that none has two names.
    """
    with pytest.raises(DeviceUriError, match="is not spiffe://<trust>"):
        parse_device_uri(uri, TRUST)


@pytest.mark.parametrize(
    "trust", ["scrip.test2", "evil.scrip.test", "scrip", "Scrip.test", ""]
)
def test_another_trust_domain_is_refused(trust: str) -> None:
    """
    A certificate for another installation is not one for this.
    """
    with pytest.raises(DeviceUriError, match="another trust domain"):
        parse_device_uri(URI, trust)


def test_a_segment_has_at_most_63_characters() -> None:
    """
    As a host name's label; one character is enough.
    """
    uri = f"spiffe://scrip.test/merchant/0/store/{'a' * 63}/device/9-"

    assert parse_device_uri(uri, TRUST).store == "a" * 63


@pytest.mark.parametrize("part", ["", "a/b", "a\n", "A", "-a", "a" * 64])
@pytest.mark.parametrize("name", ["merchant", "store", "device"])
def test_no_identity_is_made_that_would_read_back_as_another(
    name: str, part: str
) -> None:
    """
    A slash in a store's name must not move the device to another merchant.
    """
    parts = {"merchant": "m", "store": "s", "device": "d", name: part}

    with pytest.raises(DeviceUriError, match=f"the {name} is not"):
        DeviceIdentity(**parts)


@pytest.mark.parametrize("trust", ["", "a/b", "A", "-a", "a b", "a" * 256])
def test_no_uri_is_made_for_a_trust_domain_that_is_none(trust: str) -> None:
    """
    The trust domain has a spelling of its own too.
    """
    with pytest.raises(DeviceUriError, match="the trust domain"):
        DeviceIdentity(merchant="m", store="s", device="d").uri(trust)
