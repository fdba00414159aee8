/* Checks a receipt in the browser, offline, trusting nobody but mathematics and the keys that the reader names.

   1. The same steps, in the same order, with the same sentences as `volens verify` (src/volens/evidence/verify_receipt.py and the
      files beside it); a test drives both over the same receipts and compares them step by step.
   2. Nothing is sent and nothing is fetched: there is no network call in this file, and the saved page's own policy forbids one.
   3. A file is hostile until shown otherwise: everything has a limit, and whatever is broken is a step that failed, with its reason.
   4. What this browser cannot check is said. A receipt of which a step was not taken is never called verified.

   Parts: words · bytes · JSON · trees · signed notes · the steps · the page. No library; SHA-256 and Ed25519 are the browser's own. */
"use strict";

/* ---------- Words: every sentence in English (that of `volens verify`) and in French ---------- */

const WORDS = {
  "title.receipt": ["The receipt can be read", "Le reçu se lit"],
  "title.told": ["What the receipt says is what was recorded", "Ce que dit le reçu est ce qui a été enregistré"],
  "title.text": ["The text is the one on the public record", "Le texte est celui du registre public"],
  "title.inclusion": ["The log's entry is where the proof says", "L'entrée du registre est là où la preuve le dit"],
  "title.commitment": ["The public log commits to this state", "Le registre public fixe cet état"],
  "title.signature": ["The state of the log is signed", "L'état du registre est signé"],
  "title.key": ["The key is the one you trust", "La clé est celle que vous avez donnée"],
  "title.witness": ["The witnesses you trust signed it", "Les témoins que vous avez nommés l'ont signé"],
  "title.since": ["The log continues the older one", "Le registre continue l'ancien"],

  "of": ["of {house}, {size} kB", "de {house}, {size} ko"],
  "too-large": ["it is larger than a receipt may be", "il est plus gros qu'un reçu ne doit l'être"],
  "not-a-receipt": ["it is no receipt: packages are checked with: volens verify FILE", "ce n'est pas un reçu ; un dossier de chiffres se vérifie avec : volens verify FICHIER"],
  "complicated": ["{what} is more complicated than it may be", "{what} est plus compliqué qu'il ne doit l'être"],
  "unreadable": ["{what} is not readable JSON: {why}", "{what} n'est pas du JSON lisible : {why}"],
  "not-object": ["{what} is not a JSON object", "{what} n'est pas un objet JSON"],
  "the-receipt": ["the receipt", "le reçu"],
  "json.utf8": ["it is not UTF-8", "ce n'est pas de l'UTF-8"],
  "json.odd": ["something is wrong at character {at}", "quelque chose ne va pas au caractère {at}"],
  "json.twice": ["a key stands in it twice", "une clé s'y trouve deux fois"],
  "json.deep": ["it is nested too deeply", "il est imbriqué trop profondément"],
  "format": ["its format is not volens-receipt/1", "son format n'est pas volens-receipt/1"],
  "missing": ["there is no {name} in it", "il n'y a pas de {name} dedans"],
  "no-state": ["the signed state of {tree} cannot be read", "l'état signé de {tree} ne se lit pas"],
  "odd-proofs": ["the proofs of consistency cannot be read", "les preuves de continuité ne se lisent pas"],
  "no-hashes": ["there is no list of hashes called {name}", "il n'y a pas de liste d'empreintes nommée {name}"],
  "odd-hashes": ["the list called {name} holds something that is no hash", "la liste nommée {name} contient autre chose que des empreintes"],

  "told": ["{kind}, {purpose}, for {whom}, {time}", "{kind}, {purpose}, pour {whom}, {time}"],
  "everybody": ["all that the text names", "tous ceux que le texte nomme"],
  "one-purpose": ["the record does not name exactly one purpose", "la partie lisible ne nomme pas exactement un usage"],
  "one-event": ["the record does not name exactly one event", "la partie lisible ne nomme pas exactement un événement"],
  "says-else": ["the record says something else than the log's entry in: {names}", "la partie lisible dit autre chose que l'entrée du registre dans : {names}"],
  "no-private": ["the private part of the entry, or its salt, is missing", "la partie privée de l'entrée, ou son sel, manque"],
  "odd-private": ["the private part holds something that an entry never holds", "la partie privée contient ce qu'une entrée ne contient jamais"],
  "other-private": ["the private part is not the one that the log's entry commits to", "la partie privée n'est pas celle que l'entrée du registre fixe"],
  "no-detail": ["the log's entry has no detail", "l'entrée du registre n'a pas de détail"],
  "which-row": ["the log's entry stands for many rows, and the receipt does not say which", "l'entrée du registre vaut pour beaucoup de lignes, et le reçu ne dit pas laquelle"],
  "odd-row": ["the row, or the root of the entry's rows, cannot be read", "la ligne, ou la racine des lignes de l'entrée, ne se lit pas"],
  "row-holds": ["the row holds something that a row never holds", "la ligne contient ce qu'une ligne ne contient jamais"],
  "other-row": ["the row is not one of those that the log's entry stands for", "la ligne n'est pas de celles pour lesquelles vaut l'entrée du registre"],

  "text": ["{text}, {count} recipients", "{text}, {count} destinataires"],
  "other-text": ["the public log's entry is not about this text", "l'entrée du registre public ne parle pas de ce texte"],
  "no-text": ["the record does not say which text was shown", "la partie lisible ne dit pas quel texte a été montré"],
  "other-words": ["the hash of the text's words is not the one on the public record", "l'empreinte des mots du texte n'est pas celle du registre public"],
  "other-promise": ["recipients or fields are not those of the text on the public record", "les destinataires ou les données ne sont pas ceux du texte au registre public"],

  "entry": ["entry {at} of {size}", "entrée {at} sur {size}"],
  "no-place": ["the proof does not say where its entry is", "la preuve ne dit pas où est son entrée"],
  "other-tree": ["the entry is not of the log {tree}", "l'entrée n'est pas du registre {tree}"],
  "entry-holds": ["the log's entry holds something that an entry never holds", "l'entrée du registre contient ce qu'une entrée ne contient jamais"],
  "other-number": ["the entry bears another number than the one that the proof gives it", "l'entrée porte un autre numéro que celui que la preuve lui donne"],
  "no-path": ["the proof does not lead from this entry to the signed state of the log", "la preuve ne mène pas de cette entrée à l'état signé du registre"],
  "no-commitment": ["the public log's entry is not about a state of the other log", "l'entrée du registre public ne parle pas d'un état de l'autre registre"],
  "other-state": ["the public log commits to another state than the receipt shows", "le registre public fixe un autre état que celui que montre le reçu"],

  "signed-by": ["by {name}", "par {name}"],
  "other-log": ["it is another house's log that was signed: {origin}", "c'est le registre d'une autre enseigne qui a été signé : {origin}"],
  "not-signed": ["the note is not signed with this key", "l'état n'est pas signé avec cette clé"],
  "bad-signature": ["the signature does not belong to this text and this key", "la signature ne va pas avec ce texte et cette clé"],
  "key-form": ["a key is written <name>+<key id>+<base64>", "une clé s'écrit <nom>+<numéro>+<base64>"],
  "key-kind": ["the key is not an Ed25519 key of the kind that is needed here", "la clé n'est pas une clé Ed25519 de la sorte qu'il faut ici"],
  "key-name": ["a key's name is not empty and holds neither spaces nor a plus sign", "le nom d'une clé n'est pas vide et n'a ni espace ni signe plus"],
  "key-length": ["an Ed25519 public key has 32 bytes", "une clé publique Ed25519 a 32 octets"],
  "key-id": ["the key id does not belong to the key", "le numéro de la clé n'est pas celui de cette clé"],
  "not-base64": ["{what} is not base64", "{what} n'est pas du base64"],
  "odd-base64": ["{what} is not base64 in its one form", "{what} n'est pas du base64 sous sa seule forme"],
  "the-key": ["the key", "la clé"],
  "the-root": ["the root", "la racine"],
  "a-signature": ["a signature", "une signature"],
  "note-long": ["the note is too long", "l'état signé est trop long"],
  "note-end": ["the note does not end in a newline, or holds control characters", "l'état signé ne finit pas par une fin de ligne, ou contient des caractères de contrôle"],
  "note-bare": ["the note has no signatures", "l'état signé n'a pas de signature"],
  "note-text": ["the note is not text", "l'état signé n'est pas du texte"],
  "note-many": ["the note has too many signatures", "l'état signé a trop de signatures"],
  "note-lines": ["a checkpoint is at least three lines, none of them empty", "un état a au moins trois lignes, et aucune n'est vide"],
  "note-size": ["the checkpoint's size is not a decimal number in its one form", "la taille de l'état n'est pas un nombre sous sa seule forme"],
  "note-range": ["a checkpoint's size lies between 0 and 2**63 - 1", "la taille d'un état est entre 0 et 2**63 - 1"],
  "note-root": ["a checkpoint's root has 32 bytes", "la racine d'un état a 32 octets"],
  "line-dash": ["a signature line begins with an em dash and a space", "une ligne de signature commence par un tiret long et une espace"],
  "line-name": ["a signature line names no key", "une ligne de signature ne nomme aucune clé"],
  "line-short": ["a signature is too short", "une signature est trop courte"],

  "key-odd": ["the key in the file cannot be read", "la clé qui est dans le fichier ne se lit pas"],
  "key-other": ["the file is signed with another key: {fingerprint}", "le fichier est signé avec une autre clé : {fingerprint}"],
  "as-is": ["{text}", "{text}"],
  "witness-on": ["{name} on {time}", "{name} le {time}"],
  "witness-bad": ["of the witness {name}: {why}", "du témoin {name} : {why}"],
  "witness-none": ["the witness {name} has not signed {what}: ask for a newer copy", "le témoin {name} n'a pas signé {what} : demandez une copie plus récente"],
  "and": [" and ", " et "],
  "it": ["it", "cela"],
  "cosign-form": ["a cosignature is not a time and an Ed25519 signature", "une cosignature n'est pas une heure et une signature Ed25519"],
  "cosign-bad": ["the cosignature of {name} does not belong to this text and this key", "la cosignature de {name} ne va pas avec ce texte et cette clé"],

  "then-now": ["{then} entries then, {now} now", "{then} entrées alors, {now} aujourd'hui"],
  "rewritten": ["the first {then} entries are not those of then: the log was rewritten or forked", "les {then} premières entrées ne sont pas celles d'alors : le registre a été réécrit ou dédoublé"],
  "shorter": ["the log is shorter than the older one: entries were cut off, or you gave the two in reverse", "le registre est plus court que l'ancien : des entrées ont été coupées, ou vous avez donné les deux à l'envers"],
  "no-continuity": ["this file holds no proof that the log continues the one of {then} entries; the house makes one with: volens receipt --since OLDER. If it cannot, the log was rewritten", "ce fichier n'a pas de preuve que le registre continue celui de {then} entrées ; l'enseigne en fait une quand vous lui donnez l'ancien reçu avec votre demande. Si elle ne le fait pas, le registre a été réécrit"],
  "older-other": ["the older one is of another log: {origin}", "l'ancien est d'un autre registre : {origin}"],
  "older-bad": ["the older receipt itself does not verify: {why}", "l'ancien reçu lui-même n'est pas vérifié : {why}"],
  "older-key": ["the older receipt is signed with another key: ask the house to show the change of keys", "l'ancien reçu est signé avec une autre clé : demandez à l'enseigne de montrer le changement de clé"],
  "older-note": ["the older checkpoint does not hold: {why}", "l'ancien état ne tient pas : {why}"],
  "older-package": ["this page compares receipts and signed states; compare packages with: volens verify FILE --since OLDER", "cette page compare des reçus et des états signés ; un dossier de chiffres se compare avec : volens verify FICHIER --since ANCIEN"],
  "defect": ["the check itself broke: {why}", "la vérification elle-même s'est arrêtée : {why}"],
  "no-ed25519": ["this browser cannot check Ed25519 signatures", "ce navigateur ne sait pas vérifier les signatures Ed25519"],

  "verdict.yes": ["Verified: every step holds", "Vérifié : chaque étape tient"],
  "verdict.no": ["Not verified", "Non vérifié"],
  "verdict.open": ["Not finished: this browser lacks a part", "Pas terminé : il manque une pièce à ce navigateur"],
  "step.true": ["holds", "tient"],
  "step.false": ["does not hold", "ne tient pas"],
  "step.null": ["not checked", "pas vérifié"],
  "means.no": ["This receipt does not verify. Ask the shop for another copy. If that does not verify either, keep both: they are evidence.", "Ce reçu n'est pas vérifié. Demandez une autre copie à l'enseigne. Si elle non plus n'est pas vérifiée, gardez les deux : ce sont des preuves."],
  "means.open": ["The signatures were not checked, so nothing is shown yet. Open this page in a newer browser (Chrome or Edge 137, Firefox 130, Safari 17, or later), or check the file with: volens verify FILE", "Les signatures n'ont pas été vérifiées : rien n'est encore montré. Ouvrez cette page dans un navigateur plus récent (Chrome ou Edge 137, Firefox 130, Safari 17, ou après), ou vérifiez le fichier avec : volens verify FICHIER"],
  "means.yes": ["What this receipt says was chosen, when, where and under which text is on the record as it was signed. What the record's entry does not hold (the lawful basis, how long data is kept) is the shop's own word.", "Ce que ce reçu dit avoir été choisi, quand, où et sous quel texte, est au registre tel qu'il a été signé. Ce que l'entrée du registre ne contient pas (la base légale, la durée de garde) est la seule parole de l'enseigne."],
  "means.key": ["It does not say whose key signed. The key's fingerprint is {fingerprint}: compare it with the one you already hold, or that the house gives you another way than with this file.", "Cela ne dit pas à qui est la clé. L'empreinte de la clé est {fingerprint} : comparez-la avec celle que vous avez déjà, ou que l'enseigne vous donne autrement qu'avec ce fichier."],
  "means.cosigned": ["A log rewritten before that could not bear the signature of {names}, who saw the log grow.", "Un registre réécrit avant cela ne porterait pas la signature de {names}, qui l'a vu grandir."],
  "means.claimed": ["It bears signatures in the name of {names}, which were not checked: give the witness's key, which its own page shows.", "Il porte des signatures au nom de {names}, qui n'ont pas été vérifiées : donnez la clé du témoin, que sa propre page montre."],
  "means.nobody": ["No witness has signed this state of the log.", "Aucun témoin n'a signé cet état du registre."],
  "means.older": ["It does not say that the log was never rewritten. Keep this file, and compare it with an older or a newer one.", "Cela ne dit pas que le registre n'a jamais été réécrit. Gardez ce fichier, et comparez-le avec un plus ancien ou un plus récent."],
  "means.address": ["The newest state of the log is published at {address}/public/checkpoint", "L'état le plus récent du registre est publié à {address}/public/checkpoint"],

  "fact.answer": ["Answer", "Réponse"],
  "fact.purpose": ["Use", "Usage"],
  "fact.time": ["When", "Quand"],
  "fact.place": ["Where it was said", "Où cela a été dit"],
  "fact.by": ["By whom", "Par qui"],
  "fact.text": ["Text", "Texte"],
  "fact.data": ["Data", "Données"],
  "fact.recipients": ["Recipients", "Destinataires"],
  "kind.given": ["Yes", "Oui"],
  "kind.renewed": ["Yes, said again", "Oui, redit"],
  "kind.notified": ["Was told, and had not objected", "A été prévenu, sans opposition"],
  "kind.joined": ["Joined", "Adhésion"],
  "kind.refused": ["No", "Non"],
  "kind.withdrawn": ["No, after a yes", "Non, après un oui"],
  "kind.objected": ["No, by objection", "Non, par opposition"],
  "kind.revoked": ["Ended by somebody entitled to", "Arrêté par quelqu'un qui en a le droit"],
  "kind.expired": ["Ended: its time was over", "Fini : le temps est passé"],
  "kind.invalidated": ["Ended: its text no longer counts", "Fini : son texte ne compte plus"],
  "kind.requested": ["The question was put", "La question a été posée"],
  "kind.deferred": ["The question was left open", "La question est restée ouverte"],

  "insecure": ["This page came over a connection without protection, and browsers then refuse to compute. Save the page and open it from your disk, or use https.", "Cette page est venue par une connexion sans protection, et le navigateur refuse alors de calculer. Enregistrez la page et ouvrez-la depuis votre disque, ou utilisez https."],
  "choose": ["Choose a receipt first.", "Choisissez d'abord un reçu."],
  "not-read": ["The file could not be read. Choose it again.", "Le fichier n'a pas pu être lu. Choisissez-le de nouveau."],
  "page-title": ["Check a receipt", "Vérifier un reçu"],
};
const LANGUAGES = ["en", "fr"];

/* A sentence that waits for its language: a code and the values for its gaps, which may be sentences themselves. */
function sentence(code, values = {}) { return { code, values }; }

function spoken(said, language) {
  if (!said || said.code === undefined) return String(said);
  const text = WORDS[said.code][LANGUAGES.indexOf(language)];
  const filled = text.replace(/\{(\w+)\}/g, (gap, name) => {
    const value = said.values[name];
    return Array.isArray(value) ? value.map((one) => spoken(one, language)).join(said.values.joint ? spoken(said.values.joint, language) : ", ") : spoken(value, language);
  });
  return language === "fr" ? filled.replace(/ ([:;?!])(?=\s|$)/g, "\u00a0$1") : filled;
}

class Broken extends Error { constructor(code, values) { super(code); this.said = sentence(code, values); } }
class BadNote extends Broken {}
/* A step that this browser has no means to take. */
class Unable extends Error { constructor() { super("unable"); this.said = sentence("no-ed25519"); } }

/* Foreign text made fit to be shown: one line, nothing that moves the cursor, not long. */
function shown(value) {
  const clean = [...plain(value)].map((one) => (one === " " || !/[\p{C}\p{Z}]/u.test(one) ? one : "?"));
  return clean.length <= 120 ? clean.join("") : clean.slice(0, 117).join("") + "…";
}

function plain(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Float) return value.text;
  return Array.isArray(value) ? `[${value.map(plain).join(", ")}]` : `{${Object.keys(value).map((key) => `${key}: ${plain(value[key])}`).join(", ")}}`;
}

/* ---------- Bytes ---------- */

const HASH = /^[0-9a-f]{64}$/;
const utf8 = new TextEncoder();

function bytesOf(text) {
  if (/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)) throw new RangeError("not text");
  return utf8.encode(text);
}
function textOf(bytes) { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); }
function fromHex(hex) { return Uint8Array.from(hex.match(/../g) || [], (two) => parseInt(two, 16)); }
function toHex(bytes) { return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join(""); }
function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}
function equal(left, right) { return left.length === right.length && left.every((one, at) => one === right[at]); }
async function sha256(bytes) { return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)); }

/* Base64 in its one form: what does not encode back to the same characters is refused. */
function fromBase64(text, what) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) throw new BadNote("not-base64", { what: sentence(what) });
  let binary;
  try { binary = atob(text); } catch { throw new BadNote("not-base64", { what: sentence(what) }); }
  if (btoa(binary) !== text) throw new BadNote("odd-base64", { what: sentence(what) });
  return Uint8Array.from(binary, (one) => one.charCodeAt(0));
}

/* ---------- JSON: every key once, whole numbers exact, and the one byte string that entries are hashed as ---------- */

const MARKS_MAX = 20_000, DEPTH_MAX = 900, DIGITS_MAX = 4300;
const NUMBER = /(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;

/* A number with a point or an exponent, as Python would write it. No entry of a log holds one. */
class Float {
  constructor(value) {
    this.value = value;
    const [digits, power] = Math.abs(value).toExponential().split("e");
    const exponent = Number(power), sign = Object.is(value, -0) || value < 0 ? "-" : "", bare = digits.replace(".", "");
    if (value === 0) this.text = `${sign}0.0`;
    else if (exponent < -4 || exponent >= 16) this.text = `${sign}${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    else if (exponent < 0) this.text = `${sign}0.${"0".repeat(-exponent - 1)}${bare}`;
    else this.text = `${sign}${bare.slice(0, exponent + 1).padEnd(exponent + 1, "0")}.${bare.slice(exponent + 1) || "0"}`;
  }
}

function isObject(value) { return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Float); }
function isWhole(value) { return typeof value === "bigint"; }
/* What stands under a key; undefined for an absent one, also for names that every object answers to. */
function get(found, name) { return Object.hasOwn(found, name) ? found[name] : undefined; }

function readJson(bytes, what) {
  let marks = 0;
  for (const one of bytes) marks += one === 0x5b || one === 0x7b || one === 0x3a;
  if (marks > MARKS_MAX) throw new Broken("complicated", { what: sentence(what) });
  let text;
  try { text = textOf(bytes); } catch { throw new Broken("unreadable", { what: sentence(what), why: sentence("json.utf8") }); }
  let at = 0;
  const wrong = (code = "json.odd") => new Broken("unreadable", { what: sentence(what), why: sentence(code, { at: at + 1 }) });
  const blank = () => { while (at < text.length && " \t\n\r".includes(text[at])) at += 1; };

  function string() {
    const start = at;
    for (at += 1; text[at] !== '"'; at += 1) {
      if (at >= text.length || text[at] < " ") throw wrong();
      if (text[at] === "\\") at += 1;
    }
    at += 1;
    try { return JSON.parse(text.slice(start, at)); } catch { at = start; throw wrong(); }
  }
  function number() {
    NUMBER.lastIndex = at;
    const found = NUMBER.exec(text);
    if (found === null || found[1].length > DIGITS_MAX) throw wrong();
    at = NUMBER.lastIndex;
    return found[2] || found[3] ? new Float(Number(found[0])) : BigInt(found[1]);
  }
  function list(depth) {
    const values = [];
    at += 1; blank();
    if (text[at] === "]") { at += 1; return values; }
    for (;;) {
      values.push(value(depth + 1)); blank();
      if (text[at] === "]") { at += 1; return values; }
      if (text[at] !== ",") throw wrong();
      at += 1;
    }
  }
  function object(depth) {
    const found = Object.create(null);
    at += 1; blank();
    if (text[at] === "}") { at += 1; return found; }
    for (;;) {
      blank();
      if (text[at] !== '"') throw wrong();
      const key = string(); blank();
      if (text[at] !== ":") throw wrong();
      at += 1;
      const inner = value(depth + 1);
      if (Object.hasOwn(found, key)) throw wrong("json.twice"); // two values under one key would let two readers see two documents
      found[key] = inner; blank();
      if (text[at] === "}") { at += 1; return found; }
      if (text[at] !== ",") throw wrong();
      at += 1;
    }
  }
  function value(depth) {
    if (depth > DEPTH_MAX) throw wrong("json.deep");
    blank();
    if (text[at] === "{") return object(depth);
    if (text[at] === "[") return list(depth);
    if (text[at] === '"') return string();
    for (const [word, meant] of [["true", true], ["false", false], ["null", null]]) {
      if (text.startsWith(word, at)) { at += word.length; return meant; }
    }
    return number();
  }
  const found = value(0);
  blank();
  if (at < text.length) throw wrong();
  if (!isObject(found)) throw new Broken("not-object", { what: sentence(what) });
  return found;
}

/* Keys in the order of their code points, not of JavaScript's 16-bit units. */
function byCodePoint(left, right) {
  const rank = (unit) => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const one = left.charCodeAt(at), other = right.charCodeAt(at);
    if (one !== other) return rank(one) - rank(other);
  }
  return left.length - right.length;
}

/* Sorted keys, no spaces, UTF-8. Throws RangeError for what JSON cannot say. */
function canonical(value) {
  const written = (one) => {
    if (one === null || typeof one === "boolean") return String(one);
    if (typeof one === "string") { bytesOf(one); return JSON.stringify(one); }
    if (isWhole(one)) return one.toString();
    if (one instanceof Float) { if (!Number.isFinite(one.value)) throw new RangeError("not a number"); return one.text; }
    if (Array.isArray(one)) return `[${one.map(written).join(",")}]`;
    return `{${Object.keys(one).sort(byCodePoint).map((key) => `${written(key)}:${written(one[key])}`).join(",")}}`;
  };
  return utf8.encode(written(value));
}

/* Whether two values say the same. As in Python, true is 1 and 1.0 is 1. */
function same(left, right) {
  const [one, other] = [left, right].map((value) => (value === undefined ? null : typeof value === "boolean" ? BigInt(value) : value instanceof Float ? value.value : value));
  if (["bigint", "number"].includes(typeof one) && ["bigint", "number"].includes(typeof other)) return one == other; // eslint-disable-line eqeqeq
  if (Array.isArray(one) && Array.isArray(other)) return one.length === other.length && one.every((value, at) => same(value, other[at]));
  if (isObject(one) && isObject(other)) {
    const keys = Object.keys(one);
    return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
  }
  return one === other;
}

function objectIn(found, name) {
  const value = get(found, name);
  if (!isObject(value)) throw new Broken("missing", { name });
  return value;
}
function wordIn(found, name) {
  const value = get(found, name);
  if (typeof value !== "string") throw new Broken("missing", { name });
  return value;
}
function hashesIn(found, name) {
  const values = get(found, name);
  if (!Array.isArray(values)) throw new Broken("no-hashes", { name });
  if (!values.every(isHash)) throw new Broken("odd-hashes", { name });
  return values.map(fromHex);
}
function isHash(value) { return typeof value === "string" && HASH.test(value); }

/* ---------- Trees: RFC 9162, section 2.1 ---------- */

const SIZE_LIMIT = 1n << 63n;
function leafHash(entry) { return sha256(joined(Uint8Array.of(0), entry)); }
function nodeHash(left, right) { return sha256(joined(Uint8Array.of(1), left, right)); }
function isPosition(value) { return isWhole(value) && value >= 0n && value < SIZE_LIMIT; }

/* Whether `path` shows `leaf` at `index` in the tree of this size and root (2.1.3.2). */
async function includes(leaf, index, size, path, root) {
  if (!isPosition(index) || !isPosition(size) || index >= size) return false;
  let node = index, last = size - 1n, found = leaf;
  for (const step of path) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      found = await nodeHash(step, found);
      while (!(node & 1n) && node) { node >>= 1n; last >>= 1n; }
    } else found = await nodeHash(found, step);
    node >>= 1n; last >>= 1n;
  }
  return last === 0n && equal(found, root);
}

/* Whether `proof` shows that the new tree begins with the old one (2.1.4.2). */
async function begins(oldSize, newSize, oldRoot, newRoot, proof) {
  if (!isPosition(oldSize) || !isPosition(newSize) || oldSize > newSize) return false;
  if (oldSize === newSize) return proof.length === 0 && equal(oldRoot, newRoot);
  if (oldSize === 0n) return proof.length === 0 && equal(oldRoot, await sha256(new Uint8Array()));
  const path = (oldSize & (oldSize - 1n)) === 0n ? [oldRoot, ...proof] : [...proof];
  if (!path.length) return false;
  let node = oldSize - 1n, last = newSize - 1n;
  while (node & 1n) { node >>= 1n; last >>= 1n; }
  let oldFound = path[0], newFound = path[0];
  for (const step of path.slice(1)) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      oldFound = await nodeHash(step, oldFound);
      newFound = await nodeHash(step, newFound);
      while (!(node & 1n) && node) { node >>= 1n; last >>= 1n; }
    } else newFound = await nodeHash(newFound, step);
    node >>= 1n; last >>= 1n;
  }
  return last === 0n && equal(oldFound, oldRoot) && equal(newFound, newRoot);
}

/* ---------- Signed notes: C2SP signed-note, tlog-checkpoint and tlog-cosignature ---------- */

const NOTE_MAX = 100_000, SIGNATURES_MAX = 64, LOG_KEY = 1, COSIGNER_KEY = 4;
const BLANK = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const CONTROL = /[\x00-\x1f]/;
function isName(name) { return name !== "" && !name.includes("+") && !CONTROL.test(name) && !BLANK.test(name); }

/* A key as `<name>+<key id>+<base64>`. `kind`: what it signs, so that a key for one is never taken for the other. */
async function readKey(vkey, kind) {
  const [name, id, ...rest] = vkey.split("+");
  if (!rest.length || !/^[0-9a-f]{8}$/.test(id)) throw new BadNote("key-form");
  const encoded = fromBase64(rest.join("+"), "the-key");
  if (encoded[0] !== kind) throw new BadNote("key-kind");
  if (!isName(name)) throw new BadNote("key-name");
  if (encoded.length !== 33) throw new BadNote("key-length");
  const digest = toHex(await sha256(joined(utf8.encode(`${name}\n`), encoded)));
  if (digest.slice(0, 8) !== id) throw new BadNote("key-id");
  return { name, id, bytes: encoded.slice(1), text: vkey, fingerprint: digest.slice(0, 32).match(/..../g).join(" ") };
}

/* A signed checkpoint as read; nothing in it is believed before `signed`. */
function readNote(text) {
  if ([...text].length > NOTE_MAX) throw new BadNote("note-long");
  if (!text.endsWith("\n") || CONTROL.test(text.replaceAll("\n", ""))) throw new BadNote("note-end");
  const cut = text.lastIndexOf("\n\n");
  if (cut < 0) throw new BadNote("note-bare");
  const body = text.slice(0, cut + 1);
  let bytes;
  try { bytes = bytesOf(body); } catch { throw new BadNote("note-text"); }
  const lines = text.slice(cut + 2).replace(/\n$/, "").split("\n");
  if (lines.length > SIGNATURES_MAX) throw new BadNote("note-many");
  return { text, body: bytes, ...readCheckpoint(body), signatures: lines.map(readSignature) };
}

function readCheckpoint(body) {
  const lines = body.replace(/\n$/, "").split("\n");
  if (lines.length < 3 || lines.some((line) => line === "")) throw new BadNote("note-lines");
  if (!/^(0|[1-9][0-9]{0,18})$/.test(lines[1])) throw new BadNote("note-size");
  const root = fromBase64(lines[2], "the-root"), size = BigInt(lines[1]);
  if (size >= SIZE_LIMIT) throw new BadNote("note-range");
  if (root.length !== 32) throw new BadNote("note-root");
  return { origin: lines[0], size, root, head: `${lines[0]}\n${lines[1]}\n${lines[2]}\n` };
}

function readSignature(line) {
  if (!line.startsWith("— ")) throw new BadNote("line-dash");
  const [, name, encoded] = /^([^ ]*) ?([^]*)$/.exec(line.slice(2));
  if (!isName(name)) throw new BadNote("line-name");
  const decoded = fromBase64(encoded, "a-signature");
  if (decoded.length < 5) throw new BadNote("line-short");
  return { name, id: toHex(decoded.slice(0, 4)), signature: decoded.slice(4) };
}

/* Whether an Ed25519 key signed these bytes. `Unable` where the browser does not know Ed25519. */
async function signedBy(key, signature, body) {
  let imported;
  try { imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]); } catch (problem) {
    if (problem.name === "NotSupportedError") throw new Unable();
    return false;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, body);
}

/* The state of a note that the key `vkey` signed. */
async function signed(text, vkey) {
  const key = await readKey(vkey, LOG_KEY), note = readNote(text);
  const own = note.signatures.filter((line) => line.name === key.name && line.id === key.id);
  if (!own.length) throw new BadNote("not-signed");
  for (const line of own) if (!(await signedBy(key.bytes, line.signature, note.body))) throw new BadNote("bad-signature");
  return note;
}

/* When a witness signed this note, newest; none if it did not. A line that bears its key and does not verify rejects the note. */
async function cosigned(text, key) {
  const note = readNote(text);
  let newest = null;
  for (const line of note.signatures.filter((one) => one.name === key.name && one.id === key.id)) {
    const at = line.signature.slice(0, 8).reduce((sum, one) => (sum << 8n) + BigInt(one), 0n);
    if (line.signature.length !== 72 || at >= SIZE_LIMIT) throw new BadNote("cosign-form");
    const message = joined(utf8.encode(`cosignature/v1\ntime ${at}\n`), note.body);
    if (!(await signedBy(key.bytes, line.signature.slice(8), message))) throw new BadNote("cosign-bad", { name: key.name });
    if (newest === null || at > newest) newest = at;
  }
  return newest;
}

/* ---------- The steps of a receipt ---------- */

const RECEIPT_MAX = 1024 * 1024, PROOFS_MAX = 64;
const ENDED_BY_TIME = ["expired", "invalidated"];
const STATUS = {
  requested: "ConsentRequested", deferred: "ConsentRequestDeferred", refused: "ConsentRefused", given: "ConsentGiven",
  renewed: "RenewedConsentGiven", withdrawn: "ConsentWithdrawn", revoked: "ConsentRevoked", objected: "ConsentWithdrawn",
  notified: "ConsentGiven", joined: "ConsentGiven", expired: "ConsentExpired", invalidated: "ConsentInvalidated",
};

/* One step: what the check says, or why it is broken. `ok` is null for what could not be checked. */
async function take(name, check) {
  try { return { name, ok: true, said: await check() }; } catch (problem) {
    if (problem instanceof Unable) return { name, ok: null, said: problem.said };
    return { name, ok: false, said: problem instanceof Broken ? problem.said : sentence("defect", { why: shown(problem.name) }) };
  }
}

/* Everything that a receipt says of itself, then what the reader asked about it. */
async function verify(stored, { key = "", witnesses = [], older = null } = {}) {
  const found = await checkReceipt(stored), steps = found.steps;
  const checked = [];
  if (found.key || found.states.length) {
    if (key.trim()) steps.push(await take("key", () => checkKey(found, key)));
    if (witnesses.length) steps.push(await take("witness", () => checkWitnesses(found, witnesses, checked)));
    if (older !== null) steps.push(await take("since", () => checkSince(found, older)));
  }
  const vkey = await readKey(found.key, LOG_KEY).catch(() => null);
  const known = [...(vkey ? [vkey] : []), ...checked];
  const names = found.states.flatMap((state) => state.signatures).filter((line) => !known.some((one) => one.name === line.name && one.id === line.id));
  const oks = steps.map((step) => step.ok);
  return {
    ...found, verdict: oks.includes(false) ? "no" : oks.includes(null) ? "open" : "yes", fingerprint: vkey && vkey.fingerprint,
    trusted: key.trim() !== "", compared: older !== null, cosigned: checked.map((one) => one.name), claimed: [...new Set(names.map((line) => line.name))],
  };
}

async function checkReceipt(stored) {
  const none = { key: "", states: [], address: "", receipt: null };
  const alone = (said) => ({ ...none, steps: [{ name: "receipt", ok: false, said }] });
  if (stored.length > RECEIPT_MAX) return alone(sentence("too-large"));
  const first = stored.find((one) => ![0x20, 0x09, 0x0a, 0x0d, 0x0b, 0x0c].includes(one));
  if (first !== 0x7b) return alone(sentence("not-a-receipt"));
  let receipt, parts, key, house, address, events, open;
  try {
    receipt = readJson(stored, "the-receipt");
    if (get(receipt, "format") !== "volens-receipt/1") throw new Broken("format");
    parts = Object.fromEntries(["record", "event", "proof", "public", "text"].map((name) => [name, objectIn(receipt, name)]));
    [key, house, address] = ["key", "house", "address"].map((name) => wordIn(receipt, name));
    events = readState(parts.proof, receipt, "events");
    open = readState(parts.public, receipt, "public");
  } catch (problem) {
    if (problem instanceof Broken) return alone(problem.said);
    throw problem;
  }
  const steps = [
    { name: "receipt", ok: true, said: sentence("of", { house: shown(house), size: kilobytes(stored.length) }) },
    await take("told", () => checkTold(receipt, parts, house)),
    await take("text", () => checkText(receipt, parts, open)),
    await take("inclusion", () => inTree(parts.event, "events", parts.proof, events)),
    await take("commitment", () => checkCommitment(parts.public, events, open)),
    await take("signature", () => checkSignatures(events, open, key, house)),
  ];
  return { steps, key, states: [events, open], address, receipt };
}

function kilobytes(count) {
  const whole = Math.floor(count / 1024), rest = count % 1024;
  return String(rest > 512 || (rest === 512 && whole % 2) ? whole + 1 : whole).replace(/(\d)(\d{3})$/, "$1,$2");
}

/* The record's fields against the entry, and its private part against the commitment. */
async function checkTold(receipt, parts, house) {
  const { event, record } = parts;
  const [said, place] = await saidIn(receipt, event);
  const hidden = await opened(get(receipt, "private"), said);
  const purposes = get(record, "purposes"), happened = get(record, "event"), notice = get(record, "privacy_notice");
  if (!(Array.isArray(purposes) && purposes.length === 1 && isObject(purposes[0]))) throw new Broken("one-purpose");
  if (!(Array.isArray(happened) && happened.length === 1 && isObject(happened[0]))) throw new Broken("one-event");
  const kind = get(said, "kind"), at = get(hidden, "at");
  const words = {
    record_id: [get(record, "record_id"), `${house}/events/${plain(get(event, "seq"))}${place}`],
    pii_principal_id: [get(record, "pii_principal_id"), plain(get(said, "customer"))],
    language: [get(record, "language"), get(hidden, "language")],
    collection_method: [get(record, "collection_method"), get(hidden, "surface")],
    purpose: [get(purposes[0], "purpose"), get(said, "purpose")],
    privacy_notice: [isObject(notice) ? get(notice, "id") : null, get(said, "text")],
    event_type: [get(happened[0], "event_type"), kind],
    event_state: [get(happened[0], "event_state"), typeof kind === "string" ? get(STATUS, kind) : null],
    event_time: [get(happened[0], "event_time"), at === undefined ? get(said, "day") : at],
    entity_id: [get(happened[0], "entity_id"), get(hidden, "actor")],
  };
  const wrong = Object.keys(words).filter((name) => !same(...words[name])).sort();
  if (wrong.length) throw new Broken("says-else", { names: wrong });
  const whom = get(said, "recipient") === "*" ? sentence("everybody") : shown(get(said, "recipient"));
  return sentence("told", { kind: shown(kind), purpose: shown(get(said, "purpose")), whom, time: shown(words.event_time[1]) });
}

/* The private part, if it is the one that the entry commits to. Nobody said an expiry, so nothing is sealed about how. */
async function opened(hidden, entry) {
  const commitment = get(entry, "commitment") ?? null;
  if ((hidden ?? null) === null && (commitment === null || ENDED_BY_TIME.includes(get(entry, "kind")))) return Object.create(null);
  if (!isObject(hidden) || !isObject(get(hidden, "value")) || !isHash(get(hidden, "salt"))) throw new Broken("no-private");
  let bytes;
  try { bytes = canonical(hidden.value); } catch { throw new Broken("odd-private"); }
  if (toHex(await sha256(joined(fromHex(hidden.salt), bytes))) !== commitment) throw new Broken("other-private");
  return hidden.value;
}

/* What was said, and its place in the entry: the entry itself, or one of the rows under the root in its detail. */
async function saidIn(receipt, event) {
  const given = get(receipt, "row") ?? null, detail = get(event, "detail");
  if (!isObject(detail)) throw new Broken("no-detail");
  if (given === null) {
    if ((get(event, "customer") ?? null) === null) throw new Broken("which-row");
    return [event, ""];
  }
  if (!isObject(given) || !isHash(get(detail, "root"))) throw new Broken("odd-row");
  const row = objectIn(given, "entry"), place = get(given, "place");
  let leaf;
  try { leaf = await leafHash(canonical(row)); } catch { throw new Broken("row-holds"); }
  const path = hashesIn(given, "path");
  if (!(await includes(leaf, place, get(detail, "rows"), path, fromHex(detail.root)))) throw new Broken("other-row");
  return [row, `/${place}`];
}

/* The text's entry in the public log: its words' hash, fields and recipients are those of the record. */
async function checkText(receipt, parts, open) {
  const { text, record } = parts, [event] = await saidIn(receipt, parts.event);
  const entry = objectIn(text, "entry");
  await inTree(entry, "public", text, open);
  const detail = objectIn(entry, "detail");
  if (get(entry, "kind") !== "text" || !same(get(detail, "text"), get(event, "text"))) throw new Broken("other-text");
  const notice = get(record, "privacy_notice"), purposes = get(record, "purposes"), bodies = get(detail, "bodies");
  const purpose = Array.isArray(purposes) ? purposes[0] : null, language = get(record, "language");
  if (!isObject(notice) || !isObject(purpose) || !isObject(bodies)) throw new Broken("no-text");
  if (!same(get(notice, "sha256"), typeof language === "string" ? get(bodies, language) : null)) throw new Broken("other-words");
  const whom = get(event, "recipient") === "*" ? get(detail, "recipients") : [get(event, "recipient")];
  if (!same(get(purpose, "recipient_third_parties"), whom) || !same(get(purpose, "pii_information"), get(detail, "fields"))) throw new Broken("other-promise");
  return sentence("text", { text: shown(detail.text), count: (get(detail, "recipients") || []).length });
}

/* The public log holds a salted commitment to the state of `events`, so that the one cannot be rewritten without the other. */
async function checkCommitment(part, events, open) {
  const entry = objectIn(part, "entry"), said = await inTree(entry, "public", part, open);
  if (get(entry, "kind") !== "checkpoint" || !isHash(get(part, "salt"))) throw new Broken("no-commitment");
  const bytes = canonical({ checkpoint: events.head });
  if (toHex(await sha256(joined(fromHex(part.salt), bytes))) !== get(entry, "commitment")) throw new Broken("other-state");
  return said;
}

async function checkSignatures(events, open, key, house) {
  let said;
  for (const [state, tree] of [[events, "events"], [open, "public"]]) {
    const note = await signed(state.text, key);
    if (note.origin !== `volens/${house}/${tree}`) throw new Broken("other-log", { origin: shown(note.origin) });
    said = sentence("signed-by", { name: shown((await readKey(key, LOG_KEY)).name) });
  }
  return said;
}

/* The entry of a tree under its signed state. */
async function inTree(entry, tree, proof, state) {
  const index = get(proof, "index");
  if (!isWhole(index) || index < 0n) throw new Broken("no-place");
  if (get(entry, "tree") !== tree) throw new Broken("other-tree", { tree });
  const path = hashesIn(proof, "inclusion");
  let leaf;
  try { leaf = await leafHash(canonical(entry)); } catch { throw new Broken("entry-holds"); }
  if (!same(get(entry, "seq"), index)) throw new Broken("other-number");
  if (!(await includes(leaf, index, state.size, path, state.root))) throw new Broken("no-path");
  return sentence("entry", { at: index + 1n, size: state.size });
}

/* The signed state of one tree, with whatever shows that it continues older ones. */
function readState(part, receipt, tree) {
  const text = wordIn(part, "checkpoint");
  let state;
  try { state = readNote(text); } catch (problem) {
    if (problem instanceof BadNote) throw new Broken("no-state", { tree });
    throw problem;
  }
  const given = Object.hasOwn(receipt, "consistency") ? receipt.consistency : [];
  if (!Array.isArray(given) || given.length > PROOFS_MAX || !given.every(isObject)) throw new Broken("odd-proofs");
  state.proofs = new Map();
  for (const one of given) if (get(one, "tree") === tree && isWhole(get(one, "from"))) state.proofs.set(one.from, hashesIn(one, "proof"));
  return state;
}

/* ---------- What the reader asks about it: the key, witnesses, an older file ---------- */

async function checkKey(found, trusted) {
  const key = await readKey(found.key, LOG_KEY).catch(() => { throw new Broken("key-odd"); });
  const given = trusted.trim();
  if (given !== key.text && given.replace(/\s+/g, "").toLowerCase() !== key.fingerprint.replaceAll(" ", "")) throw new Broken("key-other", { fingerprint: key.fingerprint });
  return sentence("as-is", { text: key.fingerprint });
}

/* Each named witness under each state in the file; those that were found go to `checked`. */
async function checkWitnesses(found, wanted, checked) {
  const said = [];
  for (const vkey of wanted) {
    let key, times;
    try {
      key = await readKey(vkey.trim(), COSIGNER_KEY);
      times = [];
      for (const state of found.states) times.push(await cosigned(state.text, key));
    } catch (problem) {
      if (problem instanceof BadNote) throw new Broken("witness-bad", { name: shown(vkey.split("+")[0]), why: problem.said });
      throw problem;
    }
    const missing = found.states.filter((state, at) => times[at] === null).map((state) => shown(state.origin));
    if (missing.length || !times.length) throw new Broken("witness-none", { name: shown(key.name), what: missing.length ? missing : sentence("it"), joint: sentence("and") });
    checked.push(key);
    said.push(sentence("witness-on", { name: shown(key.name), time: instant(times.reduce((one, other) => (one > other ? one : other))) }));
  }
  return sentence("as-is", { text: said });
}

function instant(seconds) {
  const found = new Date(Number(seconds) * 1000);
  if (Number.isNaN(found.getTime()) || found.getUTCFullYear() > 9999) return `second ${seconds}`;
  return `${found.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/* Today's log must begin with exactly the log of then: for every log that both files speak of. */
async function checkSince(found, older) {
  const before = await olderStates(found, older), said = [];
  for (const then of before) {
    for (const state of found.states) {
      if (state.origin === then.origin) said.push(sentence("as-is", { text: [then.origin.split("/").pop(), await continues(state, then)], joint: sentence("colon") }));
    }
  }
  if (!said.length) throw new Broken("older-other", { origin: shown(before.length ? before[0].origin : "none") });
  return sentence("as-is", { text: said, joint: sentence("semicolon") });
}
WORDS.colon = [": ", " : "];
WORDS.semicolon = ["; ", " ; "];

async function continues(state, then) {
  if (then.size > state.size) throw new Broken("shorter");
  if (!state.proofs.has(then.size) && then.size !== state.size) throw new Broken("no-continuity", { then: then.size });
  if (!(await begins(then.size, state.size, then.root, state.root, state.proofs.get(then.size) || []))) throw new Broken("rewritten", { then: then.size });
  return sentence("then-now", { then: then.size, now: state.size });
}

/* The older states: of a receipt that verifies itself, or of a signed checkpoint in a text file. */
async function olderStates(found, older) {
  const start = older.slice(0, 64), first = start.find((one) => ![0x20, 0x09, 0x0a, 0x0d, 0x0b, 0x0c].includes(one));
  if (start[0] === 0x50 && start[1] === 0x4b) throw new Broken("older-package");
  try {
    if (first !== 0x7b) {
      let text;
      try { text = textOf(older.slice(0, NOTE_MAX + 1)); } catch { throw new BadNote("note-text"); }
      return [await signed(text, found.key)];
    }
    const verdict = await verify(older);
    const failed = verdict.steps.find((step) => !step.ok);
    if (failed && failed.ok === null) throw new Unable();
    if (failed) throw new Broken("older-bad", { why: failed.said });
    if (verdict.key !== found.key) throw new Broken("older-key");
    const states = [];
    for (const state of verdict.states) states.push(await signed(state.text, found.key));
    return states;
  } catch (problem) {
    if (problem instanceof BadNote) throw new Broken("older-note", { why: problem.said });
    throw problem;
  }
}

/* ---------- The page ---------- */

let last = null;

function language() { return document.documentElement.lang; }
function say(code, values) { return spoken(sentence(code, values), language()); }
function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function speak(wanted) {
  document.documentElement.lang = wanted;
  document.title = say("page-title");
  if (last !== null) show(last);
}

function meaning(found) {
  if (found.verdict === "no") return [sentence("means.no")];
  if (found.verdict === "open") return [sentence("means.open")];
  const said = [sentence("means.yes")];
  if (!found.trusted && found.fingerprint) said.push(sentence("means.key", { fingerprint: found.fingerprint }));
  if (found.cosigned.length) said.push(sentence("means.cosigned", { names: found.cosigned.map(shown) }));
  else if (found.claimed.length) said.push(sentence("means.claimed", { names: found.claimed.map(shown) }));
  else said.push(sentence("means.nobody"));
  if (!found.compared && !found.cosigned.length) said.push(sentence("means.older"));
  if (found.address) said.push(sentence("means.address", { address: shown(found.address) }));
  return said;
}

/* What the receipt says, once every step holds: nothing is repeated that was not checked. */
function facts(found) {
  if (found.verdict !== "yes") return [];
  const { record } = found.receipt, happened = record.event[0], purpose = record.purposes[0];
  const rows = { answer: sentence(`kind.${happened.event_type}`), purpose: purpose.purpose, time: happened.event_time, place: record.collection_method,
    by: happened.entity_id, text: record.privacy_notice.id, data: purpose.pii_information, recipients: purpose.recipient_third_parties };
  return Object.entries(rows).filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [
    element("dt", say(`fact.${name}`)),
    element("dd", Array.isArray(value) ? value.map(shown).join(", ") : value.code === undefined ? shown(value) : spoken(value, language())),
  ]);
}

function show(found) {
  const steps = document.getElementById("steps"), means = document.getElementById("means"), verdict = document.getElementById("verdict");
  verdict.textContent = say(`verdict.${found.verdict}`);
  document.getElementById("result").dataset.verdict = found.verdict;
  steps.replaceChildren(...found.steps.map((step) => {
    const line = element("li", "", { "data-step": step.name, "data-ok": String(step.ok) });
    line.append(
      element("span", { true: "✓", false: "✗", null: "?" }[step.ok], { "aria-hidden": "true", class: "mark" }),
      element("strong", say(`title.${step.name}`)), element("span", ` (${say(`step.${step.ok}`)})`, { class: "unseen" }),
      element("span", spoken(step.said, language()), { class: "detail" }),
    );
    return line;
  }));
  document.getElementById("facts").replaceChildren(...facts(found));
  means.replaceChildren(...meaning(found).map((one) => element("p", spoken(one, language()))));
  document.getElementById("result").hidden = false;
}

function tell(code) {
  last = null;
  document.getElementById("result").hidden = true;
  document.getElementById("told").replaceChildren(element("p", say(code)));
}

async function check(event) {
  event.preventDefault();
  document.getElementById("told").replaceChildren();
  const field = (id) => document.getElementById(id), file = field("receipt").files[0], other = field("older").files[0];
  if (!crypto.subtle) return tell("insecure");
  if (!file) { tell("choose"); field("receipt").focus(); return undefined; }
  let stored, older = null;
  try {
    // One byte more than a receipt may have is enough to know that it is too large.
    stored = new Uint8Array(await file.slice(0, RECEIPT_MAX + 1).arrayBuffer());
    if (other) older = new Uint8Array(await other.slice(0, RECEIPT_MAX + 1).arrayBuffer());
  } catch { return tell("not-read"); }
  const witnesses = field("witnesses").value.split("\n").map((line) => line.trim()).filter(Boolean);
  last = await verify(stored, { key: field("key").value, witnesses, older });
  show(last);
  document.getElementById("verdict").focus();
  return undefined;
}

if (typeof document !== "undefined") {
  const asked = new URLSearchParams(location.search).get("langue") || navigator.language.slice(0, 2);
  speak(LANGUAGES.includes(asked) ? asked : "fr");
  for (const link of document.querySelectorAll("a[data-language]")) {
    link.addEventListener("click", (event) => { event.preventDefault(); speak(link.dataset.language); });
  }
  document.getElementById("form").addEventListener("submit", check);
  document.getElementById("form").hidden = false;
}
