"""
What a stream carries is named as the single calls are, in logs and metrics.
"""

from gateway.api import stream
from scrip.v1 import card_service_pb2 as pb


def test_every_operation_of_a_stream_has_its_method() -> None:
    """
    Each operation of TransactRequest bears the name of a method of the service.
    """
    service = pb.DESCRIPTOR.services_by_name["CardService"]
    methods = {method.name for method in service.methods} - {"Transact"}

    assert set(stream._METHOD_NAMES.values()) == methods
    assert stream._METHOD_NAMES["increment_authorization"] == "IncrementAuthorization"
