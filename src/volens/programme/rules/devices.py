"""Rules about what apps ask phones and browsers for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from volens.programme.devices import categories, uses
from volens.programme.findings import Place, Severity
from volens.programme.model import Basis, Programme
from volens.programme.rules.reading import texts_in_use
from volens.programme.rules.rule import Change, Example, Hit, Rule
from volens.programme.words import contains, matches, pattern

TOO_EARLY = (
    "(premier|premiere) (lancement|ouverture|demarrage|utilisation)",
    "(au|des le) (demarrage|lancement)",
    "(a l'|des l')(ouverture|installation)",
    "first (launch|start|run|use|opening)",
    "(at|on|when) (launch|start|startup|start up|installation|install)",
    "(when|as soon as) (the app|it) (opens|starts|is opened|is started|is installed)",
)
"""Ways to say that the app asks before anything needs it."""


def own_yes(programme: Programme, on: date) -> Iterator[Hit]:
    """DEV001."""
    for use in uses(programme.apps):
        if programme.purposes[use.purpose].basis is not Basis.CONSENT:
            yield Hit(
                use.source.at("purpose"),
                f"`{use.category}` opens for `{use.purpose}`, which rests on no consent.",
                "Name a purpose of its own with `basis: consent`: what a phone guards opens by its owner's yes alone.",
            )


def one_choice_opens_one(programme: Programme, on: date) -> Iterator[Hit]:
    """DEV002."""
    first: dict[str, str] = {}
    for use in uses(programme.apps):
        known = first.setdefault(use.purpose, use.category)
        if known != use.category:
            yield Hit(
                use.source.at("category"),
                f"One yes to `{use.purpose}` opens `{known}` and `{use.category}`.",
                "Write a purpose and a text for each, so that one can be refused without the other.",
            )


def text_names_it(programme: Programme, on: date) -> Iterator[Hit]:
    """DEV003."""
    asked: dict[str, list[str]] = {}
    for use in uses(programme.apps):
        asked.setdefault(use.purpose, []).append(use.category)
    for purpose, text in texts_in_use(programme, on):
        for name in dict.fromkeys(asked.get(purpose.id, ())):
            for lang, body in text.bodies.items():
                words = categories()[name].words.get(lang)
                if words is not None and not any(contains(body, word) for word in words):
                    yield Hit(
                        Place(text.file(lang), 1),
                        f"The page asks for `{purpose.id}` and does not name what it opens: `{name}`.",
                        "Say it as the phone does: " + " or ".join(f"“{word}”" for word in words) + ".",
                    )


def asked_when_used(programme: Programme, on: date) -> Iterator[Hit]:
    """DEV004."""
    wanted = pattern(*TOO_EARLY)
    for use in uses(programme.apps):
        for words in use.moment.values():
            for found in matches(words, wanted):
                yield Hit(
                    use.source.at("moment"),
                    f"The app asks for `{use.category}` at a moment when nothing needs it: “{found.written}”.",
                    "Ask when the feature is used, and say which gesture that is.",
                )


def no_wider_than_needed(programme: Programme, on: date) -> Iterator[Hit]:
    """DEV005."""
    for use in uses(programme.apps):
        wide = categories()[use.category].wide
        for platform, names in use.names.items():
            for name in names:
                if name in wide:
                    yield Hit(
                        use.source.at(platform, name),
                        f"`{name}` opens more than most features need.",
                        f"Enough is mostly: {wide[name]}.",
                    )


_PURPOSE = """\
  scan:
    basis: {basis}
    controller: petit-magasin
    covers: [device-camera]
    delivers: nothing
    categories: [device]
    fields: [image]
    recipients: [petit-magasin]
    activity: loyalty-account
    keep_months: {{FR: 12}}
    renew_months: 12
    dpv: dpv:ServiceProvision
    plain: {{fr: Lire le code d'un article., en: Read an item's code.}}
"""
_TEXT = """\
valid_from: 2026-01-01
controller: petit-magasin
recipients: [petit-magasin]
keep_months: {FR: 12}
fields:
  image: {fr: une image de l'article, en: an image of the item}
question:
  fr: Voulez-vous lire ce code avec votre appareil photo ?
  en: Shall we read this code with your camera?
"""
_FR = """\
# Lire le code d'un article ?

Petit Magasin SAS reçoit une image de l'article, prise par votre appareil photo.
Nous la gardons 12 mois. Vous pouvez changer d'avis à tout moment.
"""
_EN = """\
# Read an item's code?

Petit Magasin SAS gets an image of the item, taken by your camera.
We keep it for 12 months. You can change your mind at any time.
"""
_DATA = """\
  device:
    store: device
    plain: {fr: Votre appareil, en: Your device}
    fields:
      image: {fr: une image de l'article, en: an image of the item}
"""
_KEPT = "  - {category: device, country: FR, activity: loyalty-account, keep_months: 12, counted_from: collected-on, then: erase}\n"
_APP = """\
apps:
  app:
    plain: {fr: notre application, en: our app}
    platforms: [android]
    permissions:
      - category: camera
        purpose: scan
        feature: {fr: Lire un code, en: Read a code}
        moment: {fr: Quand vous touchez « Lire », en: When you tap “Read”}
        android: [CAMERA]
"""
_SECOND = """\
      - category: location
        purpose: scan
        feature: {fr: Le magasin, en: The shop}
        moment: {fr: Quand vous touchez « Ici », en: When you tap “Here”}
        android: [ACCESS_COARSE_LOCATION]
"""


def _app(*, app: str = _APP, basis: str = "consent", french: str = _FR, english: str = _EN) -> tuple[Change, ...]:
    """The minimal programme with an app that reads codes."""
    return (
        Change("purposes.yaml", "purposes:\n", "purposes:\n" + _PURPOSE.format(basis=basis)),
        Change("categories.yaml", "categories:\n", "categories:\n" + _DATA),
        Change("retention.yaml", "retention:\n", "retention:\n" + _KEPT),
        Change("texts/scan/1/text.yaml", "", _TEXT),
        Change("texts/scan/1/fr.md", "", french),
        Change("texts/scan/1/en.md", "", english),
        Change("devices.yaml", "", app),
    )


RULES = (
    Rule(
        id="DEV001",
        severity=Severity.ERROR,
        family="devices",
        title="What a phone guards opens by its owner's yes",
        articles=(
            "CNIL recommendation on mobile applications (deliberation 2024-061), part 6",
            "Loi Informatique et Libertés, article 82",
        ),
        why="The system's dialog is a technical lock: it names neither a purpose nor who is responsible. It does not replace "
        "consent, and consent does not replace it. So each permission has a purpose of the programme, with a text and a "
        "choice of its own.",
        check=own_yes,
        failing=Example(_app(basis="contract"), "devices.yaml", "purpose: scan"),
        passing=Example(_app()),
    ),
    Rule(
        id="DEV002",
        severity=Severity.ERROR,
        family="devices",
        title="One choice opens one kind of permission",
        articles=("GDPR articles 4(11) and 7(2)", "GDPR recital 43"),
        why="Whoever wants to read a code with the camera has not said where she is. Two sensors under one yes are one question "
        "too few.",
        check=one_choice_opens_one,
        failing=Example(
            _app(
                app=_APP + _SECOND,
                french=_FR.replace("par votre appareil photo", "par votre appareil photo, et votre position"),
                english=_EN.replace("by your camera", "by your camera, and your location"),
            ),
            "devices.yaml",
            "category: location",
        ),
        passing=Example(_app(app=_APP.replace("[android]", "[android, ios]"))),
    ),
    Rule(
        id="DEV003",
        severity=Severity.ERROR,
        family="devices",
        title="The text names what it opens",
        articles=("GDPR articles 4(11) and 13", "CNIL recommendation on mobile applications (deliberation 2024-061)"),
        why="People meet the word in their phone's settings. If our page says it in other words, nobody can put the two together.",
        check=text_names_it,
        failing=Example(
            _app(french=_FR.replace("prise par votre appareil photo", "prise par vous")),
            "texts/scan/1/fr.md",
            "# Lire",
        ),
        passing=Example(_app(french=_FR.replace("votre appareil photo", "la caméra"))),
    ),
    Rule(
        id="DEV004",
        severity=Severity.ERROR,
        family="devices",
        title="The app asks when the feature is used",
        articles=("CNIL recommendation on mobile applications (deliberation 2024-061)", "GDPR article 25"),
        why="A dialog at the first launch asks for what nobody wants yet. People say yes to get on, or no for ever. Asked when "
        "they tap the button that needs it, they know what the answer is for.",
        check=asked_when_used,
        failing=Example(_app(app=_APP.replace("Quand vous touchez « Lire »", "Au premier lancement")), "devices.yaml", "moment:"),
        passing=Example(_app(app=_APP.replace("Quand vous touchez « Lire »", "Quand vous touchez le bouton"))),
    ),
    Rule(
        id="DEV005",
        severity=Severity.WARNING,
        family="devices",
        title="No permission wider than the feature",
        articles=("GDPR articles 5(1)(c) and 25",),
        why="The nearest shop is found with a location to the kilometre, a photo is chosen with the system's picker, a friend is "
        "invited by a link. Each time the wide permission would hand over far more.",
        check=no_wider_than_needed,
        failing=Example(_app(app=_APP.replace("category: camera", "category: photos").replace("[CAMERA]", "[READ_MEDIA_IMAGES]"),
                             french=_FR.replace("par votre appareil photo", "dans vos photos"),
                             english=_EN.replace("by your camera", "from your photos")), "devices.yaml", "android: ["),
        passing=Example(_app(app=_APP.replace("category: camera", "category: photos")
                             .replace("[CAMERA]", "[READ_MEDIA_VISUAL_USER_SELECTED]"),
                             french=_FR.replace("par votre appareil photo", "dans vos photos"),
                             english=_EN.replace("by your camera", "from your photos"))),
    ),
)  # fmt: skip
