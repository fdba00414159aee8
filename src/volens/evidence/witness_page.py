"""The witness's page for people, in French and English: what it is, and what it saw. Pure: the state in, text out.

Whoever runs a witness is asked what it knows about customers. The answer stands on its first page: nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import quote

from volens.evidence import checkpoint as notes
from volens.evidence.witness import CONTRADICTION, Witness, WitnessedLog

STYLE = """
:root { color-scheme: light dark }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1.5rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem .5rem 0; border-bottom: 1px solid #8886 }
td.number, th.number { text-align: right }
code { overflow-wrap: anywhere }
.alarm { border-left: .4rem solid #c22; padding-left: 1rem }
.scroll { overflow-x: auto }
"""
_DIGEST = base64.b64encode(sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Witness {name}",
        "lead": "This is a witness. Shops that run Volens keep a record of what their customers permitted and of every use of "
        "their purchases. So that nobody can rewrite that record in secret, they show its fingerprint here, again and again. "
        "The witness signs it only if everything it saw before is still in it, unchanged.",
        "nothing": "The witness knows nothing about customers. It never receives a name, a card number, a purchase or a choice: "
        "only the name of a record, how many entries it has, and a hash of 32 bytes.",
        "saw": "What it saw",
        "none": "It watches no record yet.",
        "log": "Record",
        "entries": "Entries",
        "last": "Last signed (UTC)",
        "times": "Times signed",
        "refused": "Refused",
        "never": "not yet",
        "refusals": "What it refused",
        "refusals_none": "Nothing so far: whatever the records' own keys signed continued what came before.",
        "contradiction": "{log}, {size} entries, {day}: the record's key signed two different states of the same size. That "
        "cannot happen by mistake in the record as it should be kept: one of the two is not the record that people were shown. "
        "The file holds both, and anybody can check the signatures.",
        "unproven": "{log}, {size} entries, {day}: a state came without a valid proof that it continues the last one. Ask the "
        "shop for the proof. Until it comes, this state is not signed.",
        "download": "Download the evidence",
        "check": "How to use it",
        "check_body": "Keep the key below. Whoever holds a receipt or a report of such a shop can check this witness's signature "
        "in it, without asking anybody: volens verify FILE --witness KEY. The newest signed state of a record stands behind "
        "its name in the table.",
        "key": "The key of this witness",
        "other": "Français",
    },
    "fr": {
        "title": "Témoin {name}",
        "lead": "Ceci est un témoin. Les magasins qui utilisent Volens tiennent un registre de ce que leurs clients ont permis et "
        "de chaque usage de leurs achats. Pour que personne ne puisse récrire ce registre en secret, ils en montrent ici "
        "l'empreinte, encore et encore. Le témoin ne la signe que si tout ce qu'il a vu auparavant y est encore, inchangé.",
        "nothing": "Le témoin ne sait rien des clients. Il ne reçoit jamais ni nom, ni numéro de carte, ni achat, ni choix : "
        "seulement le nom d'un registre, le nombre de ses entrées et une empreinte de 32 octets.",
        "saw": "Ce qu'il a vu",
        "none": "Il ne suit encore aucun registre.",
        "log": "Registre",
        "entries": "Entrées",
        "last": "Dernière signature (UTC)",
        "times": "Signatures",
        "refused": "Refus",
        "never": "pas encore",
        "refusals": "Ce qu'il a refusé",
        "refusals_none": "Rien jusqu'ici : tout ce que les clés des registres ont signé continuait ce qui précédait.",
        "contradiction": "{log}, {size} entrées, {day} : la clé du registre a signé deux états différents de même taille. Cela "
        "n'arrive pas par erreur dans un registre bien tenu : l'un des deux n'est pas le registre qui a été montré. "
        "Le fichier contient les deux, et chacun peut vérifier les signatures.",
        "unproven": "{log}, {size} entrées, {day} : un état est venu sans preuve valable qu'il continue le dernier. Demandez la "
        "preuve au magasin. Tant qu'elle manque, cet état n'est pas signé.",
        "download": "Télécharger la preuve",
        "check": "Comment s'en servir",
        "check_body": "Gardez la clé ci-dessous. Quiconque détient un reçu ou un rapport d'un tel magasin peut y vérifier la "
        "signature de ce témoin, sans rien demander à personne : volens verify FICHIER --witness CLÉ. Le dernier état signé "
        "d'un registre se trouve derrière son nom dans le tableau.",
        "key": "La clé de ce témoin",
        "other": "English",
    },
}


def preferred(accepted: str) -> str:
    """French or English, as a browser's Accept-Language asks; English if it asks for neither."""
    best, language = 0.0, "en"
    for part in accepted[:1_000].split(","):
        tag, _, weight = part.strip().partition(";q=")
        name = tag.split("-")[0].lower()
        try:
            wanted = float(weight) if weight else 1.0
        except ValueError:
            continue
        if name in WORDS and wanted > best:
            best, language = wanted, name
    return language


def status(witness: Witness) -> dict[str, Any]:
    """What the page says, for scripts."""
    return {
        "witness": str(witness.key),
        "logs": [
            {
                "origin": log.origin,
                "size": log.state.size,
                "root": log.state.root.hex(),
                "at": log.at or None,
                "cosigned": log.cosigned,
                "contradictions": log.contradictions,
                "unproven": log.unproven,
            }
            for log in witness.logs()
        ],
        "evidence": [{name: one[name] for name in ("id", "kind", "origin", "at")} for one in witness.evidence()],
    }


def render(witness: Witness, language: str) -> str:
    """The page."""
    words = WORDS[language]
    other = "fr" if language == "en" else "en"
    title = escape(words["title"].format(name=witness.name))
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<nav><a href="/{other}" hreflang="{other}" lang="{other}">{words["other"]}</a></nav>
<main>
<h1>{title}</h1>
<p>{words["lead"]}</p>
<p><strong>{words["nothing"]}</strong></p>
<h2>{words["saw"]}</h2>
{_table(witness.logs(), words)}
<h2>{words["refusals"]}</h2>
{_refusals(witness.evidence(), words)}
<h2>{words["check"]}</h2>
<p>{escape(words["check_body"])}</p>
<p>{words["key"]}<br><code>{escape(str(witness.key))}</code></p>
</main>
</body>
</html>
"""


def _table(logs: Sequence[WitnessedLog], words: Mapping[str, str]) -> str:
    if not logs:
        return f"<p>{words['none']}</p>"
    rows = []
    for log in logs:
        name = escape(log.origin)
        linked = f'<a href="/checkpoint/{_address(log.origin)}">{name}</a>' if log.note else name
        when = _time(log.at) if log.note else words["never"]
        refused = log.contradictions + log.unproven
        rows.append(
            f'<tr><th scope="row">{linked}</th><td class="number">{log.state.size}</td><td>{when}</td>'
            f'<td class="number">{log.cosigned}</td><td class="number">{refused}</td></tr>'
        )
    heads = "".join(
        f'<th scope="col"{" class=number" if name in ("entries", "times", "refused") else ""}>{words[name]}</th>'
        for name in ("log", "entries", "last", "times", "refused")
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _refusals(evidence: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> str:
    if not evidence:
        return f"<p>{words['refusals_none']}</p>"
    items = []
    for one in evidence:
        kind = "contradiction" if one["kind"] == CONTRADICTION else "unproven"
        size = notes.parse(one["refused"]).checkpoint.size
        said = words[kind].format(log=one["origin"], size=size, day=_time(one["at"]))
        link = f'<a href="/evidence/{escape(one["id"])}.json" download>{words["download"]}</a>'
        items.append(f'<p class="alarm">{escape(said)} {link}</p>')
    return "\n".join(items)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _address(origin: str) -> str:
    return quote(origin, safe="/")
