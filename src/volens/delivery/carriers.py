"""Carriers: the local outbox, which carries nothing out, and a mail server.

1. The local outbox is the table of messages itself: what is carried stays there, sealed, and `volens outbox` shows it. It is
   for trying out and for tests; nobody outside receives anything.
2. A mail server is spoken to by SMTP with TLS, one connection a message; its answer 250 is the acknowledgement (RFC 5321).
   `Message-ID` follows from the message's number, so that the same one given twice can be told.
3. A provider of SMS stands behind the same port; none is included, since none can be run here.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from volens.delivery.message import EMAIL, SMS, Letter, Undeliverable
from volens.errors import BadInput, Unavailable

SMTP_SECONDS = 20


@dataclass(frozen=True)
class LocalOutbox:
    """Keeps what it is given where it is."""

    recipient: str | None = None
    channels: frozenset[str] = frozenset({EMAIL, SMS})

    def carry(self, letter: Letter) -> None:
        """The message rests in the outbox already."""


@dataclass(frozen=True)
class MailServer:
    """An SMTP server. `smtps://` is TLS from the start, `smtp+starttls://` before anything is said, `smtp://` this machine's."""

    host: str
    port: int
    sender: str
    recipient: str | None = None
    security: str = "smtps"
    user: str = ""
    password: str = field(default="", repr=False)
    channels: frozenset[str] = frozenset({EMAIL})

    @classmethod
    def of(cls, url: str, sender: str, recipient: str | None) -> MailServer:
        """From an address in the settings."""
        parts = urlsplit(url)
        ports = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
        if parts.scheme not in ports or not parts.hostname:
            raise BadInput("The mail server's address cannot be read.", "Write smtps://user:password@mail.example:465")
        if parts.scheme == "smtp" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise BadInput("Messages to people are not sent without TLS.", "Write smtps:// or smtp+starttls://")
        if "@" not in sender:
            raise BadInput("Messages need a sender.", 'Write for example mail_from = "choix@shop.example"')
        name, secret = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, parts.port or ports[parts.scheme], sender, recipient, parts.scheme, name, secret)

    def carry(self, letter: Letter) -> None:
        """Hands the message to the server. The server's words may hold an address: only its number goes on."""
        try:
            with self._connected() as server:
                if self.security == "smtp+starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(self._written(letter))
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _ in error.recipients.values())
            if code >= 500:
                raise Undeliverable(f"The mail server refuses the address: {code}.", "Ask the customer for another.") from None
            raise Unavailable(f"The mail server says {code} to this address.", "The message waits and is given again.") from None
        except smtplib.SMTPResponseException as error:
            raise Unavailable(f"The mail server says {error.smtp_code}.", "The message waits and is given again.") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(
                f"The mail server does not answer: {type(error).__name__}.", "The message waits and is given again."
            ) from None

    def _connected(self) -> smtplib.SMTP:
        if self.security == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SMTP_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=SMTP_SECONDS)

    def _written(self, letter: Letter) -> EmailMessage:
        written = EmailMessage()
        written["From"], written["To"], written["Subject"] = self.sender, letter.address, letter.subject
        written["Message-ID"] = f"<{letter.message}@{self.sender.rsplit('@', 1)[1]}>"
        written["Auto-Submitted"] = "auto-generated"
        written.set_content(letter.text)
        if letter.html:
            written.add_alternative(letter.html, subtype="html")
        written["Content-Language"] = letter.language  # last: setting a content takes such headers away
        return written
