"""
What the fake gateway answers with: dollars, and statuses that end a call.
"""

from typing import NoReturn

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from scrip.v1 import money_pb2

Context = grpc.aio.ServicerContext[object, object]


async def abort(context: Context, status: status_pb2.Status) -> NoReturn:
    """
    End a call with a status and its details.
    """
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort raises")


def usd(minor_units: int) -> money_pb2.Money:
    """
    Write dollars.
    """
    return money_pb2.Money(minor_units=minor_units, currency_code="USD", exponent=2)
