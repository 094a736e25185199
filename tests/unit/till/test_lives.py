"""
A till blocks, empties and closes cards: by the client, and from the shell.
"""

from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
import typer
from typer.testing import CliRunner

from scrip.v1 import card_service_pb2 as pb
from till.answer import Answer
from till.card_number import CardNumber
from till.cli_lives import add_life_commands
from till.cli_options import TillOptions
from till.codes import BlockReason
from till.life_calls import LifeCalls
from till.pin import Pin
from till.requests import Block, Deactivate, Request, TillContext, TransferBalance
from till.wire import write_message

CARD, OTHER = "4111111111111111", "5500005555555559"
CASHIER = TillContext(cashier_id="ana")


class Recorder(LifeCalls):
    """
    A client that keeps what it would send.
    """

    def __init__(self) -> None:
        self.terminal_id = "till-2"
        self.sent: list[Request] = []

    async def send(self, request: Request, *, timeout_s: float | None = None) -> Answer:
        """
        Keep a request.
        """
        assert timeout_s is None
        self.sent.append(request)
        return cast("Answer", None)


async def test_what_the_client_sends() -> None:
    """
    Each call is one request of the client's own terminal, as the contract has it.
    """
    client, ids = Recorder(), [uuid4() for _ in range(3)]
    card, other = CardNumber(CARD), CardNumber(OTHER)
    await client.block(card, BlockReason.STOLEN, request_id=ids[0], context=CASHIER)
    await client.transfer_balance(card, other, request_id=ids[1], pin=Pin("4938"))
    await client.deactivate(card, request_id=ids[2])
    block, transfer, deactivate = map(write_message, client.sent)

    assert isinstance(block, pb.BlockRequest)
    assert isinstance(transfer, pb.TransferBalanceRequest)
    assert isinstance(deactivate, pb.DeactivateRequest)
    assert [each.request_id for each in (block, transfer, deactivate)] == [
        str(one) for one in ids
    ]
    assert (block.card_number, block.reason, block.till.cashier_id) == (CARD, 2, "ana")
    assert (transfer.card_number, transfer.to_card_number) == (CARD, OTHER)
    assert transfer.pin == "4938"
    assert (deactivate.card_number, deactivate.terminal_id) == (CARD, "till-2")


@pytest.mark.parametrize(
    ("words", "kind", "reason"),
    [
        (["block", "--reason", "lost"], Block, BlockReason.LOST),
        (["block", "--reason", "customer"], Block, BlockReason.CUSTOMER),
        (["transfer", "--to-card", OTHER], TransferBalance, None),
        (["deactivate"], Deactivate, None),
    ],
)
def test_what_the_shell_sends(
    tmp_path: Path, words: list[str], kind: type[Request], reason: BlockReason | None
) -> None:
    """
    The card's number comes from standard input, the rest from the command line.
    """
    asked: list[Request] = []
    app = typer.Typer()
    add_life_commands(app, lambda _, request: asked.append(request))
    files = {}
    for name in ("TILL_CERT", "TILL_KEY", "TILL_CA"):
        files[name] = str(tmp_path / name)
        Path(files[name]).touch()
    result = CliRunner().invoke(app, words, input=CARD, env=files)

    assert result.exit_code == 0, result.output
    (request,) = asked
    assert isinstance(request, kind)
    assert isinstance(request, Block | TransferBalance | Deactivate)
    assert request.card_number.digits == CARD
    assert getattr(request, "reason", None) is reason
    if isinstance(request, TransferBalance):
        assert request.to_card_number.digits == OTHER


@pytest.mark.parametrize(
    "words", [["block"], ["block", "--reason", "bored"], ["transfer"]]
)
def test_what_is_missing_is_said(words: list[str]) -> None:
    """
    A block has a reason, a transfer a second card.
    """
    app = typer.Typer()
    add_life_commands(app, _never)

    assert CliRunner().invoke(app, words, input=CARD).exit_code == 2


def _never(_: TillOptions, request: Request) -> None:
    raise AssertionError(request)
