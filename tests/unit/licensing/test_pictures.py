"""Photos as people send them, and files that are none: what is kept is pixels alone."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from tests.support.licensing import photo

from volens.licensing import pictures
from volens.licensing.pictures import SIDE_MAX, SIDE_MIN, NoPhoto, redrawn


def seen(content: bytes) -> Image.Image:
    """A kept photo, whole."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_place_and_the_phone_are_gone(kind: str) -> None:
    sent = photo(kind)
    with Image.open(io.BytesIO(sent)) as before:
        assert before.getexif().get_ifd(0x8825), "the test's photo says where it was taken"
    assert b"PhoneMaker" in sent
    kept = redrawn(sent)
    picture = seen(kept)
    assert (picture.format, picture.size) == ("JPEG", (640, 480))
    assert not picture.getexif()
    assert not {"exif", "icc_profile", "comment", "xmp", "photoshop"} & set(picture.info)
    assert b"PhoneMaker" not in kept
    assert b"Exif" not in kept


def test_comments_profiles_and_texts_are_gone() -> None:
    sent = photo(comment=b"48.8583 N 2.2945 E", icc_profile=b"profile of somebody", gps=False)
    assert b"48.8583" in sent
    assert b"48.8583" not in redrawn(sent)
    assert b"profile of somebody" not in redrawn(sent)


def test_a_photo_that_was_held_upright_stands_upright() -> None:
    picture, exif, drawn = Image.new("RGB", (200, 100), "blue"), Image.Exif(), io.BytesIO()
    picture.paste("red", (0, 0, 100, 100))
    exif[274] = 6  # turned to the right
    picture.save(drawn, "JPEG", exif=exif)
    kept = seen(redrawn(drawn.getvalue()))
    assert kept.size == (100, 200)
    red, _, blue = kept.getpixel((50, 20))  # type: ignore[misc]
    assert red > 200 > blue, "what was at the left is at the top"


def test_what_is_hidden_behind_a_picture_is_gone() -> None:
    """A polyglot: a photo that is an archive and a page as well."""
    sent = photo() + b"PK\x03\x04<script>alert(1)</script>"
    assert seen(redrawn(sent))
    assert b"<script>" not in redrawn(sent)
    assert b"PK\x03\x04" not in redrawn(sent)


def test_several_pictures_in_one_jpeg_are_one_photo() -> None:
    """As many phones write them (MPO)."""
    drawn = io.BytesIO()
    first, second = Image.new("RGB", (300, 200), "red"), Image.new("RGB", (300, 200), "blue")
    first.save(drawn, "MPO", save_all=True, append_images=[second])
    with Image.open(io.BytesIO(drawn.getvalue())) as before:
        assert before.format == "MPO"
    kept = seen(redrawn(drawn.getvalue()))
    assert kept.getpixel((10, 10))[0] > 200  # type: ignore[index]
    assert len(redrawn(drawn.getvalue())) < len(drawn.getvalue())


def test_transparent_is_white_and_grey_and_palettes_are_photos() -> None:
    clear, drawn = Image.new("RGBA", (100, 100), (0, 0, 0, 0)), io.BytesIO()
    clear.save(drawn, "PNG")
    assert seen(redrawn(drawn.getvalue())).getpixel((5, 5)) == (255, 255, 255)
    for mode in ("L", "P", "1", "LA", "I;16"):
        drawn = io.BytesIO()
        Image.new(mode, (100, 100)).save(drawn, "PNG")
        assert seen(redrawn(drawn.getvalue())).mode == "RGB"
    drawn = io.BytesIO()
    Image.new("CMYK", (100, 100)).save(drawn, "JPEG")
    assert seen(redrawn(drawn.getvalue())).mode == "RGB"


def test_a_large_photo_is_kept_at_the_longer_side_that_is_named() -> None:
    kept = seen(redrawn(photo(size=(SIDE_MAX + 400, 1_000))))
    assert max(kept.size) == SIDE_MAX


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that unpacks to gigabytes."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 10_000)) + chunk(b"IEND", b"")


def moving() -> bytes:
    drawn = io.BytesIO()
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "blue")]
    frames[0].save(drawn, "WEBP", save_all=True, append_images=frames[1:], duration=100)
    return drawn.getvalue()


def other(kind: str) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (100, 100)).save(drawn, kind)
    return drawn.getvalue()


HOSTILE = {
    "nothing": (b"", "empty"),
    "a page": (b"<html><script>alert(1)</script></html>", "kind"),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "kind"),
    "an SVG in XML": (b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>', "kind"),
    "a PDF": (b"%PDF-1.4 ...", "kind"),
    "a GIF": (other("GIF"), "kind"),
    "a BMP": (other("BMP"), "kind"),
    "a TIFF": (other("TIFF"), "kind"),
    "an archive before a photo": (b"PK\x03\x04" + photo(), "kind"),
    "a page before a photo": (b"<html>" + photo(), "kind"),
    "the first bytes of a photo": (b"\xff\xd8\xff\xe0", "kind"),
    "half a photo": (photo()[:-2_000], "broken"),
    "half a PNG": (photo("PNG")[:-100], "broken"),
    "what unpacks to gigabytes": (bomb(60_000, 60_000), "large"),
    "what unpacks to a little too much": (bomb(10_000, 5_001), "large"),
    "what is not as long as it says": (bomb(5_000, 5_000), "broken"),
    "a moving picture": (moving(), "moving"),
    "a spot": (photo(size=(SIDE_MIN - 1, 500)), "small"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_photo_is_refused_with_what_to_do(name: str) -> None:
    sent, fault = HOSTILE[name]
    with pytest.raises(NoPhoto) as wrong:
        redrawn(sent)
    assert wrong.value.fault == fault
    assert wrong.value.remedy


def test_limits_at_and_one_past(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = photo(size=(SIDE_MIN, SIDE_MIN))
    assert seen(redrawn(sent)).size == (SIDE_MIN, SIDE_MIN)
    monkeypatch.setattr(pictures, "FILE_BYTES_MAX", len(sent))
    monkeypatch.setattr(pictures, "PIXELS_MAX", SIDE_MIN * SIDE_MIN)
    redrawn(sent)
    with pytest.raises(NoPhoto):
        redrawn(sent + b"x")
    monkeypatch.setattr(pictures, "PIXELS_MAX", SIDE_MIN * SIDE_MIN - 1)
    with pytest.raises(NoPhoto):
        redrawn(sent)
