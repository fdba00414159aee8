"""The mail server behind the port, against a real conversation by SMTP on this machine."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator

import pytest
from tests.support.doors import Doors
from tests.unit.delivery.test_delivery import ask, draft, state

from volens.delivery.carriers import MailServer
from volens.errors import Unavailable


class Answering(socketserver.StreamRequestHandler):
    """Takes messages as RFC 5321 says, or refuses their recipients."""

    def handle(self) -> None:
        said, server = self.wfile.write, self.server
        said(b"220 ready\r\n")
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word.startswith(b"DATA"):
                said(b"354 go on\r\n")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part
                server.taken.append(body)  # type: ignore[attr-defined]
                said(b"250 taken\r\n")
            elif word.startswith(b"RCPT") and server.refuses:  # type: ignore[attr-defined]
                said(b"%d camille@example.org: no\r\n" % server.refuses)  # type: ignore[attr-defined]
            elif word.startswith(b"QUIT"):
                said(b"221 bye\r\n")
                return
            else:
                said(b"250 fine\r\n")


@pytest.fixture
def mail() -> Iterator[socketserver.ThreadingTCPServer]:
    """A mail server on a free port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        server.taken, server.refuses = [], 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def carrier(server: socketserver.ThreadingTCPServer) -> MailServer:
    return MailServer.of(f"smtp://127.0.0.1:{server.server_address[1]}", "choix@lepanier.example", None)


def test_a_message_is_carried_with_its_number_and_language(doors: Doors, mail: socketserver.ThreadingTCPServer) -> None:
    doors.house.delivery._carrier = carrier(mail)
    message = ask(doors, draft(doors))
    assert doors.house.delivery.deliver().carried == 1
    (body,) = mail.taken  # type: ignore[attr-defined]
    letter = email.message_from_bytes(body, policy=email.policy.default)
    assert letter["To"] == "camille@example.org"
    assert letter["Message-ID"] == f"<{message}@lepanier.example>"
    assert letter["Content-Language"] == "fr"
    assert "vrai-ou-faux" in letter.get_body().get_content()


def test_a_server_that_refuses_leaves_it_waiting_and_its_words_go_no_further(
    doors: Doors, mail: socketserver.ThreadingTCPServer
) -> None:
    doors.house.delivery._carrier = carrier(mail)
    mail.refuses = 451  # type: ignore[attr-defined]
    message = ask(doors, draft(doors))
    with pytest.raises(Unavailable) as error:
        doors.house.delivery.deliver()
    assert "camille" not in str(error.value)
    assert state(doors, message) == "handed"
    mail.refuses = 0  # type: ignore[attr-defined]
    doors.later(seconds=61)
    assert doors.house.delivery.deliver().carried == 1


def test_an_address_that_does_not_exist_is_not_tried_again(doors: Doors, mail: socketserver.ThreadingTCPServer) -> None:
    doors.house.delivery._carrier = carrier(mail)
    mail.refuses = 550  # type: ignore[attr-defined]
    message = ask(doors, draft(doors))
    assert doors.house.delivery.deliver().failed == 1
    assert state(doors, message) == "failed"


def test_no_sms_goes_to_a_mail_server(doors: Doors, mail: socketserver.ThreadingTCPServer) -> None:
    doors.house.delivery._carrier = carrier(mail)
    message = ask(doors, draft(doors, channel="sms"))
    assert doors.house.delivery.deliver().unaddressed == 1
    assert state(doors, message) == "unaddressed"
