"""
Tests reach this machine and nothing else.
"""

import socket

import pytest

# Kept free for documentation: nobody answers there.
ELSEWHERE = "192.0.2.1"


def test_a_test_cannot_connect_elsewhere() -> None:
    """
    A connection to another machine is refused: a warning, and so an error.
    """
    with (
        socket.socket() as probe,
        pytest.raises(UserWarning, match="tried to use"),
    ):
        probe.connect((ELSEWHERE, 443))


def test_a_test_can_connect_to_itself() -> None:
    """
    Loopback and Unix sockets work.
    """
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
    first, second = socket.socketpair(socket.AF_UNIX)
    with first, second:
        first.sendall(b"x")

        assert second.recv(1) == b"x"
