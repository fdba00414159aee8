"""`volens serve`: the web application of one house."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from volens.cli.say import clock, house_option, speaking


@click.command()
@house_option
@click.option("--host", default="127.0.0.1", show_default=True,
              help="The address to listen on. Put a TLS proxy in front of any other.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8000, show_default=True)
@click.option("--development", is_flag=True, help="Sign in as anybody invented, without a password. On this machine alone.")
@speaking
def serve(house: Path, host: str, port: int, development: bool) -> None:
    """Serve the permission centre, and what other systems ask, over HTTP."""
    import uvicorn

    from volens import app
    from volens.audiences.attending import Attending
    from volens.errors import BadInput
    from volens.followers.webhooks import Delivery
    from volens.web.development.provider import Vouching
    from volens.web.server import application, keep_what_is_loaded, take_turns_quickly

    take_turns_quickly()
    local = host in ("127.0.0.1", "localhost", "::1")
    if development and not local:
        raise BadInput("A sign-in without passwords is for this machine alone.", "Leave out --host, or --development.")
    # Only our own lines, which are about nobody: libraries log whole addresses.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("volens").setLevel(logging.INFO)
    # A developer's house is nowhere else: its links and codes lead to where it is served.
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    with app.open_house(house, clock=clock(), web_address=base if development else "") as opened:
        vouching = Vouching(base, opened.clock) if development else None
        if vouching is not None:
            opened.access.trust(vouching.providers())
            click.echo("DEVELOPMENT: everybody can sign in here as anybody, without a password.", err=True)
        served = application(opened, local=local, vouching=vouching)
        click.echo(f"{opened.programme.name}: http://{host}:{port}/autorisations   (Ctrl-C ends it)")
        delivery = Delivery(lambda: opened.followers, opened.clock)
        attending = Attending(lambda: opened.audiences)
        delivery.start()
        attending.start()
        keep_what_is_loaded()
        try:
            uvicorn.run(served, host=host, port=port, log_level="warning", access_log=False, server_header=False)
        finally:
            attending.close()
            delivery.close()
