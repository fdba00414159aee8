"""`volens keys`: which keys the house has, and a new key-encryption key in place of the old one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from volens.cli.say import bar, clock, house_option, json_option, speaking, tell

PURPOSES = {
    "kek": "wraps the customers' keys",
    "lookup": "finds a card or an e-mail without storing it",
    "log": "signs checkpoints",
    "intake": "seals refused lines",
}


@click.group()
def keys() -> None:
    """The house's keys: what there is, and a new one in place of an old one."""


@keys.command()
@house_option
@json_option
@speaking
def status(house: Path, as_json: bool) -> None:
    """Show which keys there are, since when, and how many customer keys they wrap. Shows no key."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        found = opened.key_ring.status()
        fingerprint = opened.log_key
    lines = [
        f"  {key.name:8} {key.fingerprint}  since {key.since or 'the beginning':14} {PURPOSES[key.name]}" for key in found.keys
    ]
    current = found.keys[0].fingerprint
    others = {kek: count for kek, count in found.wrapped.items() if kek != current}
    lines += ["", f"  {sum(found.wrapped.values()):,} customers have a key of their own."]
    if found.changing:
        waiting = sum(others.values())
        lines.append(f"  A change of the key-encryption key is not finished ({waiting:,} to go). Go on with: volens keys rotate")
    lines.append(f"  The key-encryption key was changed {found.changes} times." if found.changes != 1 else
                 "  The key-encryption key was changed once.")
    lines.append(f"  The key that others compare: {fingerprint}")
    tell({**asdict(found), "log_key": fingerprint}, "\n".join(lines), as_json)


@keys.command()
@house_option
@json_option
@speaking
def rotate(house: Path, as_json: bool) -> None:
    """Change the key-encryption key. The house goes on working; if it is interrupted, run it again."""
    from volens.app import open_house

    with open_house(house, clock=clock()) as opened:
        with bar("customer keys") as told:
            done = opened.key_ring.rotate(told)
        opened.checkpoint()
    again = " A change that had been cut short was finished." if done.resumed else ""
    text = f"""The key-encryption key is now {done.new}; {done.old} is destroyed.
{done.rewrapped:,} customer keys were wrapped anew.{again}

  Copy the folder of keys to its back-up now, and delete the older copies.
  Back-ups of customer keys from before can no longer be opened: make one now, with: volens backup"""
    tell(asdict(done), text, as_json)
