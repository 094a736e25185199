"""
The load generator's requests are whole messages, each with an id of its own.
"""

from loadtests.bench.requests import Requests
from scrip.v1 import card_service_pb2 as pb

CARDS = ["6036280000000001", "6036280000000002", "6036280000000003"]


def test_requests_are_whole_messages() -> None:
    """
    What is put in as bytes reads as what was meant: any card, one cent, a new id.
    """
    requests = Requests("redeem", CARDS, seed=1)
    asked = [requests.take() for _ in range(50)]
    read = [pb.RedeemRequest.FromString(one.payload) for one in asked]

    assert {one.method for one in asked} == {"Redeem"}
    assert {one.card_number for one in read} == set(CARDS)
    assert {(one.amount.minor_units, one.amount.currency_code) for one in read} == {
        (1, "USD")
    }
    assert [one.request_id.encode() for one in read] == [
        one.request_id for one in asked
    ]
    assert len({one.request_id for one in asked}) == 50


def test_a_question_takes_no_amount() -> None:
    """
    A balance is asked by the card alone.
    """
    asked = Requests("balance", CARDS[:1], seed=1).take()

    assert asked.method == "GetBalance"
    assert pb.GetBalanceRequest.FromString(asked.payload) == pb.GetBalanceRequest(
        request_id=asked.request_id.decode(), card_number=CARDS[0]
    )


def test_what_has_one_step_begins_anew() -> None:
    """
    After the answer to a Redeem comes another Redeem.
    """
    requests = Requests("redeem", CARDS, seed=1)
    first = requests.take()
    following = requests.after(first)

    assert following.method == "Redeem"
    assert following.request_id != first.request_id


def test_a_hold_is_captured_once_it_is_placed() -> None:
    """
    After the answer to an Authorize comes a Capture of it, whole; then another card.
    """
    requests = Requests("hold", CARDS, seed=1)
    hold = requests.take()
    capture = requests.after(hold)
    following = requests.after(capture)
    placed = pb.AuthorizeRequest.FromString(hold.payload)

    assert requests.methods == ("Authorize", "Capture")
    assert placed.amount.minor_units == 1
    assert pb.CaptureRequest.FromString(capture.payload) == pb.CaptureRequest(
        request_id=capture.request_id.decode(), original_request_id=placed.request_id
    )
    assert following.method == "Authorize"
    assert len({hold.request_id, capture.request_id, following.request_id}) == 3
