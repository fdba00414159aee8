"""What the demo says, in English and French. One sentence a thought; no word that needs an engineer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from string import Formatter
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("One bottle of orange juice", "Une bouteille de jus d'orange"),
    "intro": (
        "A year of real purchases (the Complete Journey: {households:,} households, {lines:,} lines, a public data set), moved to "
        "end on {last}, as if the shop were Le Panier, a French grocer. The people are invented: no name here is anybody's.",
        "Une année d'achats réels (le Complete Journey : {households:,} foyers, {lines:,} lignes, un jeu de données public), "
        "décalée pour finir le {last}, comme si le magasin était Le Panier, une épicerie française. Les personnes sont inventées.",
    ),
    "1": ("The shop opens its books", "Le magasin ouvre ses livres"),
    "1.files": ("What the shop has, file by file:", "Ce que le magasin possède, fichier par fichier :"),
    "1.done": (
        "{lines:,} lines came in. {copies:,} had been delivered twice and count once; {refused:,} could not be right and wait, "
        "sealed, for somebody to look.",
        "{lines:,} lignes sont entrées. {copies:,} avaient été livrées deux fois et comptent une fois ; {refused:,} ne pouvaient "
        "être justes et attendent, scellées, que quelqu'un regarde.",
    ),
    "2": ("Who, and what, live apart", "Qui achète et ce qui est acheté sont séparés"),
    "2.camille": (
        "This is {name}. She buys orange juice nearly every week. Her name is in the vault, sealed under a key of her own. In the "
        "purchases she is only number {number}: {bottles} bottles this year, and no name beside them.",
        "Voici {name}. Elle achète du jus d'orange presque chaque semaine. Son nom est au coffre, scellé sous une clé à elle. Dans "
        "les achats elle n'est que le numéro {number} : {bottles} bouteilles cette année, et aucun nom à côté.",
    ),
    "offer": ("A reward, and two friends", "Une récompense, et deux amis"),
    "offer.open": (
        "Le Panier pays for friends who are brought along. The offer is a document; {first} proposed it, {second} of data "
        "protection approved it too, and every sentence that people read is written from it. It begins:",
        "Le Panier paie quand on fait venir des amis. L'offre est un document ; {first} l'a proposée, {second}, de la "
        "protection des données, l'a approuvée aussi, et chaque phrase qu'on lit en est tirée. Elle commence ainsi :",
    ),
    "offer.joined": (
        "Seven weeks ago Camille took part. Her reward was set aside at that moment, so that nobody works for a promise. She "
        "shared a link herself; no address of a friend was collected. Refusing a licence for her photo took nothing from it.",
        "Il y a sept semaines, Camille a participé. Sa récompense a été mise de côté à ce moment, pour que personne ne "
        "travaille pour une promesse. Elle a partagé un lien elle-même ; aucune adresse d'ami n'a été prise. Refuser une "
        "licence sur sa photo n'y a rien enlevé.",
    ),
    "offer.earned": (
        "Lina and Omar, invented like everybody here, came and ordered. Camille earned {money} in money and {vouchers} in "
        "vouchers.",
        "Lina et Omar, inventés comme tous ici, sont venus et ont commandé. Camille a gagné {money} en argent et {vouchers} "
        "en bons.",
    ),
    "wallet": ("The wallet", "La cagnotte"),
    "wallet.hers": (
        "The promised day came: {money} are hers to be paid out, and {count} vouchers of {each}, each good until {until}.",
        "Le jour promis est arrivé : {money} sont à elle, à verser, et {count} bons de {each}, valables chacun jusqu'au "
        "{until}.",
    ),
    "wallet.till": (
        "At the till a voucher of {cents} pays for her juice. It is used once, whoever tries again. {left} are left.",
        "À la caisse, un bon de {cents} paie son jus. Il sert une fois, qui que ce soit qui réessaie. Il reste {left}.",
    ),
    "wallet.refused-everything": (
        "She has refused every use of her purchases meanwhile. That took nothing of this away: what is earned stays earned.",
        "Entre-temps elle a refusé tout usage de ses achats. Cela n'a rien enlevé : ce qui est gagné reste gagné.",
    ),
    "clause": ("The clause that cannot be published", "La clause qu'on ne peut pas publier"),
    "clause.about": (
        "In 2024 the press reported an offer of 100 euros whose terms took photo, voice and opinions for any medium, "
        "worldwide, for ever. Written as an offer of Le Panier it breaks {rules} rules, and nobody's approval helps. Four of "
        "them:",
        "En 2024, la presse a parlé d'une offre de 100 euros dont les conditions prenaient photo, voix et opinions pour tout "
        "support, dans le monde entier, pour toujours. Écrite comme une offre du Panier, elle enfreint {rules} règles, et "
        "aucune approbation n'y change rien. En voici quatre :",
    ),
    "clause.lawful": (
        "The same 100 euros, lawfully, are what Camille earned above.",
        "Les mêmes 100 euros, légalement, sont ceux que Camille a gagnés plus haut.",
    ),
    "wallet.bearer": (
        "What Camille had earned is not lost with her name: whoever holds this code, which she was given, has it paid out.\n  "
        "{code}",
        "Ce que Camille avait gagné n'est pas perdu avec son nom : qui tient ce code, remis à elle, se le fait verser.\n  "
        "{code}",
    ),
    "3": ("Who permits", "Qui permet"),
    "3.rule": (
        "Everybody was asked one question: may Le Panier sell statistics to its suppliers, in which nobody can be recognised? Our "
        "invented people answer by a fixed rule: of 100, 70 say yes, 20 say no, and 10 were never asked. No answer is no.",
        "Une question a été posée à tous : Le Panier peut-il vendre à ses fournisseurs des statistiques où personne ne peut être "
        "reconnu ? Nos personnes inventées répondent selon une règle fixe : sur 100, 70 disent oui, 20 non, 10 n'ont jamais été "
        "interrogées. Pas de réponse, c'est non.",
    ),
    "3.count": (
        "{yes:,} of {all:,} households permit. Camille says yes. Only they exist in what follows.",
        "{yes:,} foyers sur {all:,} permettent. Camille dit oui. Eux seuls existent dans la suite.",
    ),
    "juice": ("The basket without juice", "Le panier sans jus"),
    "juice.wait": (
        "Le Panier learns what people buy again. That takes about a minute.",
        "Le Panier apprend ce que les gens rachètent. Il lui faut environ une minute.",
    ),
    "juice.learn": (
        "{customers:,} households, Camille's among them, also want to be told before they pay what they forgot. From their "
        "{receipts:,} receipts their habits are learned, each from its own; of nobody else anything is known.",
        "{customers:,} foyers, dont celui de Camille, veulent aussi apprendre avant de payer ce qu'ils ont oublié. Leurs habitudes "
        "se lisent dans leurs {receipts:,} tickets, à chacun les siens ; des autres, rien n'est su.",
    ),
    "juice.basket": (
        "On the shop's website she fills a basket: a real one of hers, {things} things, without its juice. Before she pays, "
        "the page says one thing:",
        "Sur le site elle remplit un panier : un vrai panier à elle, {things} articles, sans son jus. Avant de payer, la page dit "
        "une seule chose :",
    ),
    "juice.silent": (
        "  nothing: it was not sure enough, and silence is better than a guess.",
        "  rien : ce n'était pas assez sûr, et se taire vaut mieux que deviner.",
    ),
    "juice.right": (
        "Tried on real baskets that it had not seen, one habit taken out of each: named at each, it would be right in {always:%}; "
        "at the surest tenth, in {sure:%}. The shop chooses how often it speaks. Beer, tobacco and medicine it never names.",
        "Essayé sur de vrais paniers qu'il n'avait pas vus, une habitude retirée de chacun : s'il parlait toujours, il aurait "
        "raison {always:%} du temps ; dans le dixième le plus sûr, {sure:%}. Le magasin choisit. Bière, tabac, remèdes : jamais.",
    ),
    "ads": ("A place on the page", "Une place sur la page"),
    "ads.learn": (
        "Two juice makers pay for a place on the shop's own pages. One person proposes each place, another approves it. "
        "{profiles:,} households said yes to being shown what their own purchases choose; nothing is looked at of the others.",
        "Deux fabricants de jus paient une place sur les pages du magasin. Une personne propose chaque place, une autre "
        "l'approuve. {profiles:,} foyers ont dit oui à ce que leurs achats choisissent ; rien n'est regardé des autres.",
    ),
    "ads.camille": ("Camille said yes. On the page of the juices she sees:", "Camille a dit oui. À la page des jus, elle voit :"),
    "ads.neighbour": ("Her neighbour was never asked:", "Sa voisine n'a jamais été interrogée :"),
    "ads.same": (
        "As many places for the one as for the other: a no leaves no hole in the page, and costs nothing.",
        "Autant de places pour l'une que pour l'autre : un non ne laisse pas de trou, et ne coûte rien.",
    ),
    "4": ("The juice maker asks", "Le fabricant de jus demande"),
    "4.week": (
        "{maker} first asks week by week. Before any purchase is looked at, the answer is:",
        "{maker} demande d'abord semaine par semaine. Avant de regarder le moindre achat, la réponse est :",
    ),
    "4.quarter": (
        "Quarters of 13 weeks it is, then: three of them. What a calendar year's purchases may ever tell, to all suppliers "
        "together, is limited for good. This report uses {part:%} of it, and is charged before anybody looks.",
        "Ce seront donc des trimestres de 13 semaines : trois. Ce que les achats d'une année civile peuvent révéler, à tous les "
        "fournisseurs ensemble, est limité pour toujours. Ce rapport en utilise {part:%}, décomptés avant que quiconque regarde.",
    ),
    "4.table": (
        "What the supplier gets, beside the truth. The demo counted it, for the same people, in the public file; Volens has no way "
        "to it, and neither has the retailer's staff.",
        "Ce que le fournisseur reçoit, à côté de la vérité, comptée pour les mêmes personnes dans le fichier public ; "
        "Volens n'y a aucun accès, et le personnel du magasin non plus.",
    ),
    "4.precision": (
        "Half of the buyer figures are within ± {half:%}. {inside} of {total} intervals hold the truth (19 of 20 are meant to).",
        "La moitié des chiffres d'acheteurs sont à ± {half:%} près. {inside} intervalles sur {total} contiennent la vérité "
        "(19 sur 20 sont prévus).",
    ),
    "4.people": (
        "{first}, who prepares such reports, asked for it and may not approve it. {second}, the data protection officer, does, "
        "and the package leaves the house.",
        "{first}, qui prépare ces rapports, l'a demandé et ne peut pas l'approuver. {second}, délégué à la protection des "
        "données, le fait, et le paquet sort de la maison.",
    ),
    "5": ("Camille changes her mind", "Camille change d'avis"),
    "5.address": (
        "At the foot of her till receipt stands an address ({address}). She opens it on her telephone: no password, nothing about "
        "her, and one button, Refuse everything.",
        "Au pied de son ticket de caisse il y a une adresse ({address}). Elle l'ouvre sur son téléphone : pas de mot de passe, "
        "rien sur elle, et un bouton, Tout refuser.",
    ),
    "5.refuse": (
        "She presses it. {milliseconds} ms later the page answers, and it is in force: whatever reads purchases from now on does "
        "not see hers.",
        "Elle appuie. {milliseconds} ms plus tard la page répond, et c'est en vigueur : ce qui lit des achats désormais ne voit "
        "plus les siens.",
    ),
    "5.program": (
        "A program at the shop asks before it counts somebody. A second ago it was told yes; now it is told no.",
        "Un programme du magasin demande avant de compter quelqu'un. Une seconde plus tôt la réponse était oui ; maintenant "
        "c'est non.",
    ),
    "5.page": ("When she signs in, the first thing that her page says is:", "Quand elle se connecte, sa page commence ainsi :"),
    "5.basket": (
        "And her basket without juice, once more: the page says nothing. What had been learned of her is gone.",
        "Et son panier sans jus, encore une fois : la page ne dit rien. Ce qui avait été appris d'elle a disparu.",
    ),
    "5.ads": (
        "On the page of the juices the places are as many as before; none is chosen by what she buys any more.",
        "À la page des jus, les places sont aussi nombreuses qu'avant ; plus aucune n'est choisie d'après ses achats.",
    ),
    "5.letter": (
        "A newsletter's queue was made before her no: its first letter went; the second asked at the door, and was not sent.",
        "La file d'une lettre d'information était faite avant son non : la première lettre est partie ; la deuxième a demandé à la "
        "porte, et n'est pas partie.",
    ),
    "5.same": (
        "The report that was drawn stays what it is: asked again, the same figures to the last digit, at no cost. She cannot be "
        "recognised in it.",
        "Le rapport tiré reste ce qu'il est : redemandé, il donne les mêmes chiffres au chiffre près, sans frais. On ne peut pas "
        "l'y reconnaître.",
    ),
    "5.next": (
        "The next one, for the fourth quarter, is computed without her. The record of uses says so: she was in {before} use "
        "before, and in {after} of those since.",
        "Le suivant, pour le quatrième trimestre, est calculé sans elle. Le registre des usages le dit : elle était dans {before} "
        "usage avant, et dans {after} de ceux d'après.",
    ),
    "6": ("Somebody cheats, and is found", "Quelqu'un triche, et on le trouve"),
    "6.do": (
        "The operator has the database and rewrites one row: Camille's refusal becomes a yes.",
        "L'exploitant a la base de données et récrit une ligne : le refus de Camille devient un oui.",
    ),
    "6.found": ("The audit, a moment later:", "L'audit, un instant plus tard :"),
    "6.back": ("The row is put back; the audit is clean again.", "La ligne est remise ; l'audit est de nouveau net."),
    "6.verify": (
        "And the supplier, who trusts nobody, checks the newer package against the older one, offline:",
        "Et le fournisseur, qui ne se fie à personne, vérifie hors ligne le nouveau paquet par rapport à l'ancien :",
    ),
    "7": ("Somebody with every key cheats, and is found", "Quelqu'un qui a toutes les clés triche, et on le trouve"),
    "7.watched": (
        "All the while, somebody outside was watching: a witness, such as a consumer association could run. It knows no customer "
        "and no purchase. It is shown how long the shop's record is, and its fingerprint, and signs only what continues what it "
        "saw before: {times:,} times so far.",
        "Pendant tout ce temps, quelqu'un regardait de l'extérieur : un témoin, comme une association de consommateurs peut en "
        "tenir un. Il ne connaît ni client ni achat. On lui montre la longueur du registre et son empreinte, et il ne signe que "
        "ce qui continue ce qu'il a vu : {times:,} fois jusqu'ici.",
    ),
    "7.do": (
        "Now the operator takes every key there is. Camille's refusal becomes a yes again, and this time nothing is forgotten: "
        "every fingerprint is computed anew, every page of the record signed again, every report packed again.",
        "L'exploitant prend maintenant toutes les clés. Le refus de Camille redevient un oui, et cette fois rien n'est oublié : "
        "chaque empreinte est recalculée, chaque page du registre signée de nouveau, chaque rapport emballé de nouveau.",
    ),
    "7.inside": (
        "The audit finds nothing. Inside this house, Camille never refused.",
        "L'audit ne trouve rien. Dans cette maison, Camille n'a jamais refusé.",
    ),
    "7.witness": ("But the witness is asked to sign the new record:", "Mais le témoin est prié de signer le nouveau registre :"),
    "7.package": (
        "And the supplier compares the report with the copy that it kept:",
        "Et le fournisseur compare le rapport avec la copie qu'il a gardée :",
    ),
    "7.proof": (
        "The witness keeps both versions. Each bears the shop's own signature, and both cannot be true: that is proof for anybody.",
        "Le témoin garde les deux versions. Chacune porte la signature du magasin, et les deux ne peuvent être vraies : c'est une "
        "preuve pour tous.",
    ),
    "7.limit": (
        "What nobody outside had seen yet could still be changed unseen. And what was never written down, nothing can show.",
        "Ce que personne d'extérieur n'avait encore vu pourrait être changé sans qu'on le voie. Et ce qui n'a jamais été écrit, "
        "rien ne peut le montrer.",
    ),
    "8": ("Camille asks to be forgotten", "Camille demande à être oubliée"),
    "8.erased": (
        "{name} does it. The key under which her name, her address and her proofs were sealed is destroyed: nobody can read them "
        "any more, also not in an old back-up. From now on she is in nothing that is computed.",
        "{name} s'en charge. La clé qui scellait son nom, son adresse et ses preuves est détruite : plus personne ne peut les "
        "lire, pas même dans une vieille sauvegarde. Dès maintenant, elle n'est plus dans aucun calcul.",
    ),
    "8.night": (
        "In the night her purchases leave the table, its old versions and every file. Counted before, by somebody who did not do "
        "the work: {before:,} lines. Counted after: {after:,}.",
        "Dans la nuit, ses achats quittent la table, ses anciennes versions et tous les fichiers. Comptés avant, par quelqu'un qui "
        "n'a pas fait le travail : {before:,} lignes. Comptés après : {after:,}.",
    ),
    "8.card": (
        "Her card leads to nobody. If it is shown at a till again, it is a stranger's.",
        "Sa carte ne mène plus à personne. Si on la présente de nouveau en caisse, c'est celle d'une inconnue.",
    ),
    "8.record": (
        "And the record still holds together: {events} entries about customer number {number:,}, who is nobody now, so that "
        "everyone can still check that her word was kept.",
        "Et le registre tient toujours : {events} lignes au sujet du client numéro {number:,}, qui n'est plus personne, pour que "
        "chacun puisse encore vérifier que sa parole a été tenue.",
    ),
    "end": ("Where the time went", "Où le temps est passé"),
    "end.keys": (
        "The keys of this demo were made a minute ago and are thrown away with its folder: protect nothing with them.",
        "Les clés de cette démonstration datent d'il y a une minute et disparaissent avec son dossier : n'en protégez rien.",
    ),
    "end.serve": ("Open the pages yourself:", "Ouvrez les pages vous-même :"),
    "end.shop": ("Walk through a shop with it:", "Faites-y vos courses :"),
    "end.look": ("See the report:", "Voir le rapport :"),
    "end.check": ("Check it yourself:", "Vérifiez vous-même :"),
    "reading": ("Reading the public data set …", "Lecture du jeu de données public …"),
    "file": ("file", "fichier"),
    "lines": ("lines in", "lignes entrées"),
    "file.products": ("what is on the shelves", "ce qu'il y a en rayon"),
    "file.customers": ("who holds a card; one card in twenty has no name", "qui tient une carte ; une sur vingt n'a pas de nom"),
    "file.caisse-1": ("the tills, first half of the year", "les caisses, premier semestre"),
    "file.caisse-1-renvoi": ("one of its weeks, sent twice by mistake", "une de ses semaines, envoyée deux fois par erreur"),
    "file.caisse-2": ("the new tills, second half", "les nouvelles caisses, second semestre"),
    "file.commandes-web": ("orders from the web", "les commandes en ligne"),
    "column.period": ("13 weeks from", "13 semaines dès le"),
    "column.figure": ("the supplier reads", "le fournisseur lit"),
    "column.truth": ("truth", "vérité"),
    "whole": ("all three", "les trois"),
    "buyers": ("buyers", "acheteurs"),
    "trips": ("trips", "passages"),
    "units": ("bottles and packs", "bouteilles et packs"),
    "spend": ("spend, €", "dépense, €"),
    "rest": ("other brands", "autres marques"),
    "category": ("the whole shelf", "tout le rayon"),
    "step.prepare": ("preparing the files", "préparer les fichiers"),
    "step.open": ("making a house", "créer la maison"),
    "step.ingest": ("taking purchases in", "faire entrer les achats"),
    "step.choices": ("recording choices", "enregistrer les choix"),
    "step.profiles": ("learning who takes juice", "apprendre qui prend du jus"),
    "step.learn": ("learning habits", "apprendre les habitudes"),
    "step.first": ("first report, three quarters", "premier rapport, trois trimestres"),
    "step.refuse": ("refusing everything", "refuser tout"),
    "step.second": ("second report, fourth quarter", "second rapport, quatrième trimestre"),
    "step.audit": ("two audits and a verification", "deux audits et une vérification"),
    "step.keys": ("rewriting with every key, and being found", "récrire avec toutes les clés, et être trouvé"),
    "step.forget": ("forgetting somebody, down to the files", "oublier quelqu'un, jusque dans les fichiers"),
    "total": ("together", "ensemble"),
}


def words(language: str, key: str, **values: object) -> str:
    """A sentence of the story, with its values put in. Numbers and days are written as the language does."""
    return _Speaker(language).format(WORDS[key][0 if language == "en" else 1], **values)


def number(language: str, value: float) -> str:
    """A whole number with its thousands set apart."""
    return format_decimal(round(value), locale=language)


def percent(language: str, part: float) -> str:
    """A part of one as a whole number of per cent."""
    return format_percent(part, format="#,##0 %" if language == "fr" else "#,##0%", locale=language)


class _Speaker(Formatter):
    """`{x:,}` is a number, `{x:%}` a percentage and a date is a date, in one language."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, date):
            return format_date(value, "long", locale=self._language)
        if format_spec == "%":
            return percent(self._language, value)
        if isinstance(value, int):
            return number(self._language, value)
        return str(value)
