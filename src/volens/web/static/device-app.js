// A sample app: makes a key that cannot leave this device, registers it, reports what the system allows, sends a trial.
// In a web view the app around the page may say what the system allows: window.volensStates = { camera: "granted", … }.
"use strict";
const form = document.getElementById("device-app");
const said = document.getElementById("device-app-said");
const encoder = new TextEncoder();

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("volens-device", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("device");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("device", mode);
      const request = work(transaction.objectStore("device"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
    };
  });
}
const load = () => store("readonly", (table) => table.get("me"));
const save = (me) => store("readwrite", (table) => table.put(me, "me"));

async function register() {
  const keys = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const publicKey = base64url(await crypto.subtle.exportKey("raw", keys.publicKey));
  const { app, version, label } = form.dataset;
  const answer = await fetch(form.action, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json", "x-csrftoken": form.elements._csrf_token.value },
    body: JSON.stringify({ app, platform: "web", label, app_version: version, public_key: publicKey }),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.title} ${told.detail}`);
  await save({ device: told.device, key: keys.privateKey, counter: 0 });
  return form.dataset.registered;
}

// One message of this device: numbered, dated, signed over the route and the very bytes that are sent.
async function post(route, content) {
  const me = await load();
  if (!me) throw new Error(form.dataset.first);
  me.counter += 1;
  await save(me);
  const body = encoder.encode(
    JSON.stringify({ device: me.device, counter: me.counter, at: new Date().toISOString(), ...content }),
  );
  const before = encoder.encode(`volens-device/1\n${route}\n`);
  const message = new Uint8Array(before.length + body.length);
  message.set(before);
  message.set(body, before.length);
  const signature = base64url(await crypto.subtle.sign("Ed25519", me.key, message));
  return fetch(route, { method: "POST", headers: { "content-type": "application/json", "volens-signature": signature }, body });
}

async function states() {
  if (window.volensStates) return window.volensStates;
  const found = {};
  for (const pair of form.dataset.categories.split(" ").filter(Boolean)) {
    const [category, names] = pair.split("=");
    const answers = await Promise.all(
      names.split("+").map((name) => navigator.permissions.query({ name }).then((one) => one.state).catch(() => null)),
    );
    found[category] = ["granted", "prompt", "denied"].find((one) => answers.includes(one)) ?? "unknown";
  }
  return found;
}

async function report() {
  const answer = await post("/v1/devices/reports", { app_version: form.dataset.version, states: await states() });
  const told = await answer.json();
  if (!answer.ok) throw new Error(`${told.title} ${told.detail}`);
  return form.dataset.reported;
}

async function send() {
  const answer = await post("/v1/devices/events", { category: form.elements.what.value, data: { trial: true } });
  const told = await answer.json();
  if (told.accepted === undefined) throw new Error(`${told.title} ${told.detail}`);
  return told.accepted ? form.dataset.accepted : form.dataset.refused;
}

for (const [name, work] of Object.entries({ register, report, send })) {
  form.elements[name].addEventListener("click", async () => {
    try {
      said.textContent = await work();
    } catch (error) {
      console.error(error);
      said.textContent = error.message === form.dataset.first ? error.message : form.dataset.failed;
    }
  });
}
form.hidden = false;
