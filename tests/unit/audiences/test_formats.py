"""Identifiers in the form that each platform publishes, against its own published examples."""

from __future__ import annotations

import pytest

from volens.audiences.formats import FORMATS, bare_name, bare_phone, e164, google_email, hashed, small_email, small_name


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("cloudy.sanfrancisco+shopping@gmail.com", "cloudysanfrancisco@gmail.com"),  # Google's own examples
        ("user.name+NYC@Example.com", "user.name+nyc@example.com"),
        (" Ana. Exemple @googlemail.com ", "anaexemple@googlemail.com"),
        ("not an address", ""),
        ("+only@gmail.com", ""),
    ],
)
def test_google_takes_an_email_in_this_form(written: str, form: str) -> None:
    assert google_email(written) == form


@pytest.mark.parametrize(
    ("written", "country", "form"),
    [
        ("+1 (800) 555-0100", "FR", "+18005550100"),  # Google's own example
        ("06 39 98 01 02", "FR", "+33639980102"),
        ("+33 (0)6 39 98 01 02", "FR", "+33639980102"),
        ("0033 6 39 98 01 02", "BE", "+33639980102"),
        ("02 1234 5678", "IT", "+390212345678"),  # in Italy the nought is a part of the number
        ("06 39 98 01 02", "XX", ""),
        ("12", "FR", ""),
        ("", "FR", ""),
    ],
)
def test_a_phone_is_in_e164_or_left_out(written: str, country: str, form: str) -> None:
    assert e164(written, country) == form


def test_what_meta_publishes_comes_out_to_the_bit() -> None:
    found = FORMATS["custom-audience"].identifiers(
        ("email", "phone", "given_name"),
        {"email": "John_Smith@gmail.com", "phone": "+1 (650) 555-1212", "given_name": "Mary"},
        "FR",
    )
    assert found == (
        "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
        "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
        "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
    )
    assert bare_phone("06 39 98 01 02", "FR") == "33639980102"
    assert bare_name("Jean-Pierre O'Neil") == "jeanpierreoneil"
    assert small_email("  A.B+c@Gmail.com\n") == "a.b+c@gmail.com", "Meta takes neither full stops nor plus signs away"
    assert small_name(" Étienne ") == "étienne"


def test_names_alone_find_nobody_and_are_not_sent() -> None:
    form = FORMATS["csv"]
    assert form.identifiers(("email", "given_name"), {"given_name": "Ana"}, "FR") == ()
    assert form.identifiers(("email", "given_name"), {"email": "a@b.fr"}, "FR") == (hashed("a@b.fr"), "")


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_has_its_headings_and_each_person_once_in_no_order_of_hers(name: str) -> None:
    form, fields = FORMATS[name], ("email", "phone")
    rows = [("ff", "00"), ("aa", "11"), ("ff", "00")]
    heading = ",".join(form.headings[field] for field in fields)
    assert form.write(fields, rows).decode() == f"{heading}\naa,11\nff,00\n"
