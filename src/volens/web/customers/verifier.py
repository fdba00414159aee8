"""The page that checks receipts: the same for everybody, and a copy of it that needs no server.

Rules:
1. `static/verifier.html`, `.js` and `.css` are what is served and what is saved; nothing in them depends on house or visitor.
2. The saved copy is one file whose own policy forbids every request: scripts and styles run by their hashes alone.
"""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from importlib.resources import files

from litestar import get
from litestar.response import Response

from volens.web.page import static

PAGE = "/verifier"
SERVED = re.compile(r'<link rel="icon".*>\n|<p id="save-line">.*</p>\n')
"""What only a server can give."""
CHARSET = '<meta charset="utf-8">\n'
BESIDE = re.compile(r'(src|href)="([a-z]+\.(?:js|css|svg))"')
SCRIPT = re.compile(r'<script src="([a-z.]+)" defer></script>\n')
STYLE = re.compile(r'<link rel="stylesheet" href="([a-z.]+)">\n')


def saved() -> str:
    """The page as one file, for a disk, a mail or another web server."""
    page = _file("verifier.html")
    scripts = [_file(name) for name in SCRIPT.findall(page)]
    style = "".join(map(_file, STYLE.findall(page)))
    policy = "; ".join([
        "default-src 'none'", "base-uri 'none'", "form-action 'none'",
        f"script-src {' '.join(map(_hash, scripts))}", f"style-src {_hash(style)}",
    ])  # fmt: skip
    head, tail = STYLE.sub("", SCRIPT.sub("", SERVED.sub("", page))).split("</head>", 1)
    head = head.replace(CHARSET, f'{CHARSET}<meta http-equiv="Content-Security-Policy" content="{policy}">\n')
    ending = "".join(f"<script>{script}</script>\n" for script in scripts)
    return f"{head}<style>{style}</style>\n</head>{tail.replace('</body>', f'{ending}</body>')}"


def _file(name: str) -> str:
    return files("volens.web").joinpath("static", name).read_text("utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(content.encode()).digest()).decode()}'"


@get(PAGE, sync_to_thread=True, media_type="text/html")
def verifier() -> str:
    """The page, with its script and styles beside it."""
    return BESIDE.sub(lambda found: f'{found[1]}="{static(found[2])}"', _file("verifier.html"))


@get(PAGE + "/page", sync_to_thread=True)
def download() -> Response[str]:
    """The page to keep."""
    return Response(saved(), media_type="text/html", headers={"content-disposition": 'attachment; filename="verifier.html"'})


ROUTES = (verifier, download)
