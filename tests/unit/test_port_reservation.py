from __future__ import annotations

import socket

import pytest

from symphony_server.port_reservation import PortReservation


def serve_on(port: int, *, shared: bool) -> socket.socket:
    """Listen as grpc does, with SO_REUSEPORT or without."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    try:
        made.bind(("127.0.0.1", port))
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def test_workers_share_a_reserved_port_and_connections_are_theirs() -> None:
    with PortReservation("127.0.0.1:0") as port:
        assert port.address == f"127.0.0.1:{port.port}"
        workers = [serve_on(port.port, shared=True) for _ in range(2)]
        reached = set()
        for worker in workers:
            worker.setblocking(False)
        for _ in range(64):
            with socket.create_connection(("127.0.0.1", port.port), timeout=5):
                for number, worker in enumerate(workers):
                    try:
                        worker.accept()[0].close()
                    except BlockingIOError:
                        continue
                    reached.add(number)
        for worker in workers:
            worker.close()
    assert reached == {0, 1}


def test_a_reserved_port_is_nobody_elses_before_and_while_it_is_served() -> None:
    with PortReservation("127.0.0.1:0") as port:
        for _ in range(2):
            with pytest.raises(OSError, match="in use"):
                serve_on(port.port, shared=False)
            with pytest.raises(OSError, match=rf"{port.address} cannot be served on: .* in use"):
                PortReservation(port.address)
            with serve_on(port.port, shared=True):
                with pytest.raises(OSError, match="in use"):
                    PortReservation(port.address)
                with pytest.raises(OSError, match="in use"):
                    serve_on(port.port, shared=False)


def test_a_port_that_was_given_back_can_be_taken_again() -> None:
    with PortReservation("127.0.0.1:0") as port:
        pass
    with PortReservation(port.address) as again:
        assert again.port == port.port


def test_a_port_of_a_server_that_has_just_ended_can_be_taken() -> None:
    with serve_on(0, shared=False) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            server.accept()[0].close()  # which leaves the port in TIME_WAIT
            assert client.recv(1) == b""
    with PortReservation(f"127.0.0.1:{port}"):
        serve_on(port, shared=True).close()


def test_a_name_is_all_its_addresses_on_one_port() -> None:
    with PortReservation("localhost:0") as port:
        assert port.address == f"localhost:{port.port}"
        with pytest.raises(OSError, match="in use"):
            serve_on(port.port, shared=False)


def test_what_is_not_of_this_machine_is_refused_in_a_sentence() -> None:
    with pytest.raises(OSError, match=r"192\.0\.2\.1:0 cannot be served on: no such address"):
        PortReservation("192.0.2.1:0")
