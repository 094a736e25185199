"""
The table of what may befall every operation has every operation.
"""

from typing import Final

from gateway.domain import decide
from gateway.domain.commands import Command
from scrip.v1 import card_service_pb2 as pb
from scrip.v1 import staff_service_pb2 as staff_pb
from tests.support.matrix_table import TABLE

QUESTIONS: Final = {"GetBalance", "GetCard", "GetTransaction"}
STREAM: Final = "Transact"


def operations_of_the_contract() -> set[str]:
    """
    List the calls of tills and of staff that are recorded.
    """
    services = (
        pb.DESCRIPTOR.services_by_name["CardService"],
        staff_pb.DESCRIPTOR.services_by_name["StaffService"],
    )
    methods = {method.name for service in services for method in service.methods}
    return methods - QUESTIONS - {STREAM}


def operations_decided() -> set[str]:
    """
    List the commands that the domain has a decision for, by its tables of them.
    """
    return {
        kind.__name__
        for table in vars(decide).values()
        if isinstance(table, dict)
        for kind, decision in table.items()
        if isinstance(kind, type) and issubclass(kind, Command) and callable(decision)
    }


def test_every_operation_has_an_entry() -> None:
    """
    Each recorded operation that is decided has an entry that bears its name alone.
    """
    named = {entry.name for entry in TABLE}

    assert operations_decided() >= {"Activate", "Load", "Redeem", "Reverse", "Void"}
    assert operations_of_the_contract() & operations_decided() <= named
    assert {entry.operation for entry in TABLE} <= operations_of_the_contract()
    assert {entry.operation for entry in TABLE} <= named


def test_names_are_unique() -> None:
    """
    No two entries are called the same, so a failure names its entry.
    """
    names = [entry.name for entry in TABLE]

    assert len(names) == len(set(names))


def test_a_reversal_that_does_nothing_says_why() -> None:
    """
    Only what a reversal undoes, or what came meanwhile, changes the cards after it.
    """
    for entry in TABLE:
        changes = entry.reversal == "APPROVED" or entry.meanwhile is not None
        assert changes or entry.undone is None, entry.name
