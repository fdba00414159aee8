"""The way of a choice, to be read as a story: said → recorded with its proof → in force → signed → found if rewritten."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import Urls
from tests.support.house import JUICE_MAKER, STATISTICS

from volens.app import initialise, open_house
from volens.clock import fixed
from volens.errors import BadInput, ProgrammeError, Unavailable
from volens.permissions.ledger import Choice
from volens.permissions.state import PERMITTING

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def home(urls: Urls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty house, with one customer's card."""
    monkeypatch.setenv("VOLENS_CUSTOMER_KEYS_URL", urls.customer_keys)
    home = tmp_path / "house"
    with initialise(home, records_url=urls.records, customers=1_000, clock=fixed(NOW)) as house:
        assert house.audit().ok
    return home


def camille(home: Path) -> int:
    """Her number; she is enrolled by the customer master the first time."""
    from volens.ingest.mapping import Mapping

    master = home / "master.csv"
    master.write_text("carte;nom;email;pays\nC1;Exemple;camille@example.org;FR\n", encoding="utf-8")
    columns = {"card": "carte", "family_name": "nom", "email": "email", "country": "pays"}
    with open_house(home, clock=fixed(NOW)) as house:
        house.take_in_people(master, Mapping("master", "csv", "customers", columns, delimiter=";"))
        return house.customer("email", "camille@example.org").customer


def test_from_a_question_to_a_refusal_that_cannot_be_rewritten(home: Path) -> None:
    customer = camille(home)
    with open_house(home, clock=fixed(NOW)) as house:
        assert house.permissions.of_customer(customer) == []
        house.permissions.record([Choice(customer, STATISTICS, "given", language="fr", surface="till form")])
        named = {row.recipient for row in house.permissions.of_customer(customer) if row.permits}
        assert JUICE_MAKER in named
        assert named == house.programme.current_text(STATISTICS).recipients, "exactly whom the text names"
        signed = house.checkpoint()
        house.permissions.refuse_everything(customer, surface="permission centre")
        standing = house.permissions.of_customer(customer)
        assert not [row for row in standing if row.permits]
        refusable = {one.id for one in house.programme.purposes.values() if one.basis.value in ("consent", "legitimate-interest")}
        assert {row.purpose for row in standing} == refusable, "statistics that are sold included"
        newer = house.checkpoint()
        assert newer.size > signed.size
        assert house.audit().ok


def test_every_purpose_of_the_sample_starts_at_no(home: Path) -> None:
    customer = camille(home)
    with open_house(home, clock=fixed(NOW)) as house:
        for purpose in house.programme.purposes:
            assert not [row for row in house.permissions.of_customer(customer) if row.purpose == purpose]


def test_a_basis_has_its_own_way_to_yes(home: Path) -> None:
    customer = camille(home)
    with open_house(home, clock=fixed(NOW)) as house:
        for purpose in house.programme.purposes.values():
            for kind in PERMITTING:
                right = {"consent": {"given", "renewed"}, "contract": {"joined"}, "legitimate-interest": {"notified"}}
                if kind in right.get(purpose.basis.value, set()):
                    house.permissions.record([Choice(customer, purpose.id, kind)])
                else:
                    with pytest.raises(BadInput):
                        house.permissions.record([Choice(customer, purpose.id, kind)])


def test_a_text_that_people_may_have_accepted_cannot_be_changed(home: Path) -> None:
    text = next((home / "programme" / "texts" / STATISTICS).glob("*/fr.md"))
    text.write_text(text.read_text(encoding="utf-8") + "\nMerci.\n", encoding="utf-8")
    with pytest.raises(ProgrammeError, match="public record"):
        open_house(home, clock=fixed(NOW))


def test_records_that_are_not_migrated_do_not_open(home: Path) -> None:
    with open_house(home, clock=fixed(NOW)) as house:
        url = house.settings.records_url
    from volens.databases.connect import connect

    database = connect(url)
    with database.writing() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '0000'")
    database.dispose()
    with pytest.raises(Unavailable, match="not up to date"):
        open_house(home, clock=fixed(NOW))
