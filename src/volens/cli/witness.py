"""`volens witness`: the small process that somebody outside runs, so that no house can rewrite its record unseen."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import click

from volens.cli.say import clock, json_option, speaking, tell

folder_argument = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def witness() -> None:
    """Watch the records of houses from outside, and sign what continues. Holds no personal data."""


@witness.command()
@folder_argument
@click.option("--name", required=True, help="What the witness is called, best its address: witness.example.org")
@json_option
@speaking
def init(folder: Path, name: str, as_json: bool) -> None:
    """Make a witness in FOLDER, with a key of its own."""
    from volens.evidence.witness import Witness, make

    make(folder, name)
    made = Witness(folder, clock())
    text = f"""{folder} is a witness now. Back up the file {folder / "key"}, and show it to nobody.

Its public key, for the houses that it watches and for everybody who checks:
  {made.key}

Next:  volens witness add-log {folder} KEY-OF-A-HOUSE     (a house prints its key: volens checkpoint)
       volens witness serve {folder}"""
    tell({"folder": str(folder), "key": str(made.key), "fingerprint": made.key.fingerprint}, text, as_json)


@witness.command("add-log")
@folder_argument
@click.argument("vkey")
@click.option("--origin", "origins", multiple=True, help="A log's name. Default: both trees of the house whose key it is.")
@json_option
@speaking
def add_log(folder: Path, vkey: str, origins: tuple[str, ...], as_json: bool) -> None:
    """Watch the house whose log key is VKEY from now on. Also while the witness runs."""
    from volens.evidence.witness import Witness

    watched = Witness(folder, clock()).add_log(vkey, origins)
    text = f"Watched from now on: {', '.join(watched)}.\nCompare the key with the house another way than you got it."
    tell({"origins": watched}, text, as_json)


@witness.command()
@folder_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="Port; 0 takes a free one.")
@json_option
@speaking
def serve(folder: Path, host: str, port: int, as_json: bool) -> None:
    """Answer until stopped (Ctrl-C). One process a folder."""
    from volens.errors import BadInput
    from volens.evidence.witness import Witness
    from volens.evidence.witness_server import WitnessServer

    witness_ = Witness(folder, clock())
    watched = [log.origin for log in witness_.logs()]
    with witness_.serving():
        try:
            server = WitnessServer(witness_, host, port)
        except OSError as taken:
            raise BadInput(f"Nobody can listen at {host}:{port}: {taken.strerror}.", "Choose another with --port.") from taken
        with server:
            # From another thread: `shutdown` waits for the loop that this thread runs.
            signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
            tell({"url": server.url, "key": str(witness_.key), "logs": watched},
                 f"Witness {witness_.name} answers at {server.url} and watches {len(watched)} logs. Stop it with Ctrl-C.", as_json)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo("Stopped. What was signed is on the disk.", err=True)


@witness.command()
@folder_argument
@json_option
@speaking
def status(folder: Path, as_json: bool) -> None:
    """What the witness saw, signed and refused."""
    from volens.evidence.witness import Witness
    from volens.evidence.witness_page import status as seen

    found = seen(Witness(folder, clock()))
    lines = [f"  {log['origin']:40} {log['size']:>10,} entries, signed {log['cosigned']:,} times, "
             f"refused {log['contradictions'] + log['unproven']:,}" for log in found["logs"]]
    lines += [f"  ✗ {one['kind']}: {one['origin']} ({folder / 'evidence' / one['id']}.json)" for one in found["evidence"]]
    tell(found, "\n".join([f"Witness {found['witness']}", *(lines or ["  It watches no log yet."])]), as_json)
