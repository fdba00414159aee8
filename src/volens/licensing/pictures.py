"""A photo that somebody uploads: looked at by what it is, and drawn anew. Pure.

Rules:
1. JPEG, PNG or WebP, told by Pillow and by its first bytes, never by its name; one picture, whole, within the limits. The size is
   read before anything is unpacked: a small file that unpacks to a huge picture is refused by its header.
2. What is kept is drawn anew as a JPEG. Nothing of the file itself survives: no EXIF, no place, no comment, no thumbnail, no colour
   profile, and nothing that was hidden behind the picture.
3. The way up that the camera noted is applied first, so that the picture stands as its owner saw it.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError

from volens.errors import BadInput

FILE_BYTES_MAX = 10_000_000
"""What a phone makes, with room."""
PIXELS_MAX = 50_000_000
SIDE_MIN, SIDE_MAX = 64, 2_560
"""Pixels of the shorter side at least; of the longer side as it is kept."""
FORMATS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WEBP": b"RIFF"}
PAIRED = frozenset({"MPO"})
"""A JPEG with further pictures behind it, as many phones make: the first is the photo, and the others go."""
QUALITY = 90
MEDIA_TYPE = "image/jpeg"
FAULTS = {
    "empty": ("The file is empty.", "Choose a photo."),
    "large": ("The photo is too large.", f"Choose one of at most {FILE_BYTES_MAX:,} bytes and {PIXELS_MAX:,} pixels."),
    "kind": ("The file is no JPEG, PNG or WebP photo.", "Choose a photo of one of these kinds."),
    "small": ("The photo is too small.", f"Choose one of at least {SIDE_MIN} pixels on each side."),
    "moving": ("The picture moves.", "Choose a photo that stands still."),
    "broken": ("The photo is not whole.", "Choose it again."),
}
"""Why a file is no photo, and what to do."""


class NoPhoto(BadInput):
    """A file that is not taken; `fault` is a key of `FAULTS`."""

    def __init__(self, fault: str) -> None:
        super().__init__(*FAULTS[fault])
        self.fault = fault


def redrawn(file: bytes) -> bytes:
    """The photo as it is kept, a JPEG without anything else. `NoPhoto` says what is wrong."""
    if not file or len(file) > FILE_BYTES_MAX:
        raise NoPhoto("large" if file else "empty")
    picture = _opened(file)
    try:
        picture.draft("RGB", (SIDE_MAX, SIDE_MAX))  # a large JPEG is unpacked at a half or a quarter of its size
        return _written(_on_white(ImageOps.exif_transpose(picture)))
    except (OSError, ValueError, SyntaxError, IndexError, MemoryError, Warning, Image.DecompressionBombError) as error:
        raise NoPhoto("broken") from error


def _opened(file: bytes) -> Image.Image:
    """The picture with its header read and nothing unpacked."""
    try:
        picture = Image.open(io.BytesIO(file), formats=tuple(FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoPhoto("large") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning) as error:
        raise NoPhoto("kind") from error
    kind = "JPEG" if picture.format in PAIRED else str(picture.format)
    if kind not in FORMATS or not file.startswith(FORMATS[kind]):
        raise NoPhoto("kind")
    width, height = picture.size
    if width * height > PIXELS_MAX:
        raise NoPhoto("large")
    if min(width, height) < SIDE_MIN:
        raise NoPhoto("small")
    if picture.format not in PAIRED and getattr(picture, "n_frames", 1) != 1:
        raise NoPhoto("moving")
    return picture


def _on_white(picture: Image.Image) -> Image.Image:
    """In plain colours: what is transparent is white, as paper is."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        paper = Image.new("RGB", clear.size, "white")
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    return picture.convert("RGB")


def _written(picture: Image.Image) -> bytes:
    """As a JPEG of pixels alone."""
    picture.thumbnail((SIDE_MAX, SIDE_MAX))
    bare = Image.new("RGB", picture.size)
    bare.paste(picture)
    drawn = io.BytesIO()
    bare.save(drawn, "JPEG", quality=QUALITY, optimize=True)
    return drawn.getvalue()
