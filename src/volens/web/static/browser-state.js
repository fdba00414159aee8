// Reads what this browser allows, live, and never asks for anything. Without it the page says everything else.
"use strict";
for (const place of document.querySelectorAll("[data-live]")) {
  const names = place.dataset.live.split(" ").filter(Boolean);
  Promise.all(names.map((name) => (navigator.permissions ? navigator.permissions.query({ name }) : Promise.reject()).catch(() => null)))
    .then((found) => {
      const known = found.filter(Boolean);
      if (!known.length) return; // a browser that does not say is not spoken for
      const show = () => {
        const states = known.map((one) => one.state);
        const state = ["granted", "prompt", "denied"].find((one) => states.includes(one));
        place.textContent = place.dataset[state];
        place.hidden = false;
      };
      for (const one of known) one.addEventListener("change", show);
      show();
    });
}
