"""
docs/results.md is what a till's vendor writes code from: it must name all there is.
"""

import re
from pathlib import Path

import pytest

from gateway.api.receipts import _DECLINE_TEXTS, _REFUSALS
from gateway.api.status import CODES, DOMAIN
from gateway.domain import errors
from gateway.domain.errors import GatewayError
from gateway.domain.results import APPROVALS, RESPONSE_CODES, Result
from scrip.v1 import result_pb2

PAGE = Path(__file__).resolve().parents[3] / "docs" / "results.md"
SECTION = re.compile(
    r"^### (?P<title>[A-Z_]+)$\n(?P<text>.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL
)
CODE_LINE = re.compile(
    r"^ISO 8583 code \*\*(\d\d)\*\* · enum value (\d+)$", re.MULTILINE
)
PARTS = ("Cause", "The till", "The cardholder is told", "Also known as")


def sections() -> dict[str, str]:
    """
    Give the text of each section whose heading is a name in capitals.
    """
    found = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    titles = [title for title, _ in found]
    assert sorted(set(titles)) == sorted(titles)
    return dict(found)


def faults() -> list[type[GatewayError]]:
    """
    List the classes of faults that may reach a till.
    """
    defined = vars(errors).values()
    listed = [
        kind
        for kind in defined
        if isinstance(kind, type) and issubclass(kind, GatewayError)
    ]
    return sorted({*listed, *CODES}, key=repr)


@pytest.mark.parametrize("result", list(Result))
def test_each_result_has_its_section(result: Result) -> None:
    """
    A section states its code, its number and all that a till needs to act.
    """
    text = sections()[result.name]
    stated = CODE_LINE.findall(text)

    assert stated == [(RESPONSE_CODES[result], str(result.value))]
    assert [part for part in PARTS if f"- **{part}.** " not in text] == []


@pytest.mark.parametrize("result", sorted(set(Result) - APPROVALS))
def test_each_decline_states_its_receipt_text(result: Result) -> None:
    """
    The sentence a till is sent stands in the section, word for word.
    """
    text = " ".join(sections()[result.name].split())

    assert f"- **Receipt text.** {_DECLINE_TEXTS[result]}" in text


@pytest.mark.parametrize("text", sorted(_REFUSALS.values()))
def test_each_refusal_by_a_restriction_states_its_receipt_text(text: str) -> None:
    """
    A 62 has several sentences: all of them stand in its section.
    """
    assert f"- {text}" in sections()["RESTRICTED_CARD"]


def test_the_contract_and_the_page_name_the_same_results() -> None:
    """
    A result of the contract without a section would leave a till without advice.
    """
    contract = {
        name.removeprefix("RESULT_")
        for name, number in result_pb2.Result.items()
        if number
    }
    described = {title for title, text in sections().items() if CODE_LINE.search(text)}

    assert described == contract


@pytest.mark.parametrize("fault", faults())
def test_each_reason_has_its_section_with_its_status(fault: type[GatewayError]) -> None:
    """
    What stands in an ErrorInfo is a heading, and the status beside it is in the text.
    """
    text = sections()[fault.reason]

    assert f"`{CODES[fault].name}`" in text
    assert "**The till.**" in text


def test_the_page_names_the_domain_of_the_reasons() -> None:
    """
    A till tells our ErrorInfo from another's by its domain.
    """
    assert f"`{DOMAIN}`" in PAGE.read_text(encoding="utf-8")
