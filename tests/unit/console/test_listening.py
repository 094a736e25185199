"""
The port that all workers share is kept for them, and from others.
"""

import socket

import pytest

from gateway.console.faults import BadInputError
from gateway.console.listening import reserve_port

HERE = "127.0.0.1"


def test_a_free_port_is_found_and_kept_for_workers() -> None:
    """
    Workers may listen on it together; who does not share may not.
    """
    with reserve_port(HERE, 0) as port:
        workers = [socket.socket() for _ in range(2)]
        for worker in workers:
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind((HERE, port))
            worker.listen()
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind((HERE, port))
        for worker in workers:
            worker.close()

    assert 0 < port


def test_no_connection_goes_to_the_socket_that_keeps_it() -> None:
    """
    It never listens: every caller reaches the worker.
    """
    with reserve_port(HERE, 0) as port, socket.socket() as worker:
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        worker.bind((HERE, port))
        worker.listen(32)
        worker.settimeout(5)
        answers = []
        for number in range(32):
            with socket.create_connection((HERE, port), timeout=5) as caller:
                accepted, _ = worker.accept()
                with accepted:
                    accepted.sendall(bytes([number]))
                answers.append(caller.recv(1))

    assert [bytes([number]) for number in range(32)] == answers


def test_a_port_on_which_somebody_listens_is_refused() -> None:
    """
    Also when he would share it: two gateways on one port answer by turns.
    """
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind((HERE, 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(BadInputError, match=f"--host, --port: {HERE}:{port} cannot"),
            reserve_port(HERE, port),
        ):
            pass


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1", "256.1.1.1"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    """
    The option is named.
    """
    with pytest.raises(BadInputError, match="--host"), reserve_port(host, 0):
        pass
