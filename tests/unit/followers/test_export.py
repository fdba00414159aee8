"""The permitted set as a file: who permits at the door, signed, good for a day, under the recipient's own names."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.unit.followers.conftest import ADS, EMAIL, MAIL, TOOL, Lived

from volens import client
from volens.errors import BadInput, Refused


def test_the_set_is_who_permits_at_the_door_and_goes_on_from_there(lived: Lived) -> None:
    camille, noel, other = lived.person("card-1"), lived.person("card-2"), lived.person("card-3")
    lived.follow()
    for one in (camille, noel):
        lived.say(one, "given")
    lived.say(other, "refused")
    lived.say(noel, "withdrawn")
    made = lived.house.followers.permitted_set(TOOL, EMAIL)
    assert made.pseudonyms == (lived.name(camille),)
    assert lived.told(after=made.header["cursor"]) == []
    lived.say(camille, "withdrawn")
    assert lived.told(after=made.header["cursor"]) == [(lived.name(camille), EMAIL, False)]
    with lived.house._stores.records.reading() as connection:
        from volens.gate.store import all_doors, customers_of

        (door,) = all_doors(connection)
        assert (door.door, door.recipient, set(customers_of(connection, door.seq))) == ("handed_over", MAIL, {camille})
    assert lived.house.audit().ok


def test_the_file_verifies_and_a_changed_one_does_not(lived: Lived) -> None:
    camille, noel = lived.person("card-1"), lived.person("card-2")
    lived.follow()
    for one in (camille, noel):
        lived.say(one, "given")
    made = lived.house.followers.permitted_set(TOOL, EMAIL)
    key = lived.house._keys.signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    content = made.write("csv")
    read = client.read_permitted_set(content, key)
    assert sorted(read.pseudonyms) == sorted([lived.name(camille), lived.name(noel)])
    assert read.good(lived.hand.instant + timedelta(hours=23))
    assert not read.good(lived.hand.instant + timedelta(hours=24))
    lines = content.decode().split("\n")
    header = json.loads(lines[0][2:])
    later = "# " + json.dumps({**header, "expires": "2099-01-01T00:00:00+00:00"}, sort_keys=True)
    for changed in (
        "\n".join([*lines[:-2], ""]),  # cut off
        "\n".join([*lines[:-2], "A" * 22, ""]),  # another
        "\n".join([later, *lines[1:]]),
        "\n".join(lines[2:]),
        "",
    ):
        with pytest.raises(client.NotGenuine):
            client.read_permitted_set(changed.encode(), key)


def test_as_parquet(lived: Lived) -> None:
    lived.follow()
    lived.say(lived.person("card-1"), "given")
    made = lived.house.followers.permitted_set(TOOL, EMAIL)
    table = pq.read_table(io.BytesIO(made.write("parquet")))
    assert table.column("customer").to_pylist() == list(made.pseudonyms)
    assert json.loads(table.schema.metadata[b"volens.header"]) == made.header
    with pytest.raises(BadInput):
        made.write("xlsx")


def test_a_purpose_that_is_not_followed_is_refused(lived: Lived) -> None:
    lived.follow()
    with pytest.raises(Refused):
        lived.house.followers.permitted_set(TOOL, ADS)
