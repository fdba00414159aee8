"""kill -9 anywhere between a link and the night loses nothing; two desks that move the same cards at once leave each with one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.shop import Shop

from volens.audit.run import audit
from volens.customers import linking as linking_of
from volens.databases.connect import SqlDatabase, connect
from volens.errors import NotNow
from volens.identity import links

ROOT = Path(__file__).parents[2]
CARDS = 8


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def work(role: str, records: str, customer_keys: str, folder: str) -> None:
    """What a process of its own does: links, and dies where its role says; or links everything to one customer."""
    shop = Shop(connect(records), connect(customer_keys), Path(folder))
    people = shop.people(CARDS)
    if role.startswith("desk "):
        to = people[int(role.split()[1])]
        for n in range(CARDS):
            account = shop.vault.find("card", f"card-{n}")
            try:
                shop.linking.link(account.account, to, by=role, former=account.customer)
            except NotNow:
                continue  # the other desk was first, and this one is told
        return
    if role == "inside the link":
        links.note_link = _die  # type: ignore[assignment]
    elif role == "while lines are moved":
        shop.linking._relabel = _die  # type: ignore[assignment]
    elif role == "inside the night":
        linking_of.Linking._followed = _die  # type: ignore[assignment, method-assign]
    shop.linking.link(shop.vault.find("card", "card-1").account, people[0], by="service desk")
    if role == "after the link":
        _die()
    shop.linking.relabel()


def start(roles: Sequence[str], urls: Urls, folder: Path) -> list[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.prove.test_links_and_kills"]
    return [subprocess.Popen([*command, role, urls.records, urls.customer_keys, str(folder)], cwd=ROOT) for role in roles]


def permitted(shop: Shop) -> set[int]:
    return set(shop.gate.permitted(shop.request())[0])


@pytest.mark.prove
@pytest.mark.parametrize("role", ["inside the link", "after the link", "while lines are moved", "inside the night"])
def test_killed_anywhere_the_link_is_whole_or_not_there(
    role: str, urls: Urls, records: SqlDatabase, key_store: SqlDatabase, tmp_path: Path
) -> None:
    shop = Shop(records, key_store, tmp_path)
    people = shop.people(CARDS)
    shop.say(people[1], "given")
    (process,) = start([role], urls, tmp_path)
    assert process.wait(timeout=120) == -signal.SIGKILL
    linked = role != "inside the link"
    assert permitted(shop) == (set() if linked else {people[1]})
    assert len(shop.linking.pending()) == int(linked)
    shop.linking.link(shop.vault.find("card", "card-1").account, people[0], by="service desk")
    assert shop.linking.relabel().accounts == 1
    assert (permitted(shop), shop.linking.pending()) == (set(), [])
    report = audit(records, shop.outside, shop.vault)
    assert report.ok, report.to_text()
    shop.close()


@pytest.mark.prove
def test_two_desks_at_once(urls: Urls, records: SqlDatabase, key_store: SqlDatabase, tmp_path: Path) -> None:
    shop = Shop(records, key_store, tmp_path)
    people = shop.people(CARDS)
    for customer in people:
        shop.say(customer, "given")
    desks = start([f"desk {n}" for n in range(2)], urls, tmp_path)
    assert [desk.wait(timeout=120) for desk in desks] == [0, 0]
    holders = {shop.vault.find("card", f"card-{n}").customer for n in range(CARDS)}
    assert holders <= set(people[:2]), "each card has one holder, whoever came last"
    with records.reading() as connection:
        report_links = links.all_links(connection)
        assert shop.vault.misfiled(connection) == []
    for n in range(2, CARDS):
        account = shop.vault.find("card", f"card-{n}")
        assert [link.customer for link in report_links if link.account == account.account][-1] == account.customer
    report = audit(records, shop.outside, shop.vault)
    assert report.ok, report.to_text()
    shop.close()


if __name__ == "__main__":
    work(*sys.argv[1:])
