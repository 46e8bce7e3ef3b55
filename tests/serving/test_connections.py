"""Connections: who sends the head of a request byte by byte is given up, and nobody else is."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from leco.serving.connections import PunctualProtocol


class Impatient(PunctualProtocol):
    patience = 0.5


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture(scope="module")
def address():
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=Impatient, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join(10)


@contextmanager
def connected(address):
    with socket.create_connection(address, timeout=10) as connection:
        yield connection


def is_closed_while_it_trickles(connection, data):
    """Whether the connection ends although a byte of the data comes now and then."""
    connection.settimeout(0.1)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            if connection.recv(100) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def is_answered(connection):
    """Whether an answer comes, in however many pieces."""
    said = b""
    while not said.endswith(b"ok"):
        part = connection.recv(1000)
        if not part:
            return False
        said += part
    return True


def test_a_head_that_trickles_is_given_up(address):
    with connected(address) as connection:
        assert is_closed_while_it_trickles(connection, b"GET / HTTP/1.1\r\nHost: " + 60 * b"x")


def test_so_is_a_connection_on_which_nothing_comes(address):
    with connected(address) as connection:
        assert connection.recv(100) == b""


def test_and_the_next_head_of_a_connection(address):
    with connected(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert is_answered(connection)
        assert is_closed_while_it_trickles(connection, b"GET / HTTP/1.1\r\nHost: " + 60 * b"x")


def test_a_body_may_take_longer(address):
    with connected(address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            time.sleep(0.1)
            connection.sendall(b"x")
        assert is_answered(connection)
