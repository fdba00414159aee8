// <volens-centre><a href="https://…/autorisations">Mes autorisations</a></volens-centre>
// Shows the permission centre in place of its link. Without this script, the link is there and does the same.
"use strict";
customElements.define("volens-centre", class extends HTMLElement {
  connectedCallback() {
    const link = this.querySelector("a[href]");
    if (!link || this.frame) return;
    const origin = new URL(link.href).origin;
    this.frame = document.createElement("iframe");
    Object.assign(this.frame, { src: link.href, title: link.textContent.trim(), width: "100%", height: "844" });
    this.frame.style.border = "0";
    addEventListener("message", (event) => {
      const told = event.data;
      if (event.origin !== origin || event.source !== this.frame.contentWindow || told?.volens !== "height") return;
      if (Number.isFinite(told.pixels)) this.frame.height = String(Math.min(Math.max(told.pixels, 200), 20000));
    });
    this.replaceChildren(this.frame);
  }
});
