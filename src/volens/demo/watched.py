"""The demo's last chapter: somebody with every key rewrites the record, and somebody outside, with no key at all, finds it.

The witness is the real one: its own folder, its own key, its own port. It shares nothing with the house but two lines of text.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from volens.clock import Clock
from volens.demo.forgery import every_key
from volens.evidence.verify import TITLES, verify_package
from volens.evidence.witness import Witness, make
from volens.evidence.witness_client import alarm_of
from volens.evidence.witness_server import WitnessServer

if TYPE_CHECKING:
    from volens.app import House
    from volens.demo.story import Story

NAME = "temoin.example"
POLL_SECONDS = 0.02


@contextmanager
def watching(folder: Path, clock: Clock) -> Iterator[tuple[Witness, str]]:
    """A witness that answers while the story is told; yields it and its address."""
    make(folder, NAME)
    witness = Witness(folder, clock)
    with witness.serving(), WitnessServer(witness, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": POLL_SECONDS})
        thread.start()
        try:
            yield witness, server.url
        finally:
            server.shutdown()
            thread.join()


def somebody_has_every_key(story: Story, house: House, witness: Witness, refusal: int, package: Path) -> None:
    """Chapter 7: every hash made anew and everything signed again. Inside, all is well; outside, it is found twice."""
    story.chapter("7")
    story.say("7.watched", times=sum(log.cosigned for log in witness.logs()))
    held = story.folder / f"held-by-the-supplier-{package.name}"
    shutil.copy(package, held)
    story.say("7.do")
    with story.timed("step.keys"), every_key(house.settings, house.programme.house, refusal, "withdrawn", "given"):
        assert house.audit().ok
        story.say("7.inside")
        refused = alarm_of(house.witnesses.ask(patient=True))
        assert refused is not None
        story.say("7.witness")
        story.console.print(f"  [red]✗[/] {refused.sentence().removeprefix('✗ ')}", style="bold", soft_wrap=True)
        failed = [step for step in verify_package(package, held, house.log_key).steps if not step.ok]
        assert [step.name for step in failed] == ["since"]
        story.say("7.package")
        story.console.print(f"  [red]✗[/] {TITLES['since']}: {failed[0].detail}", style="bold", soft_wrap=True)
    assert witness.evidence()
    story.say("7.proof")
    story.say("7.limit")
    assert verify_package(package, held, house.log_key, [str(witness.key)]).ok, "the honest house is back"
