/* <volens-question moment="basket"></volens-question>
   <volens-question src="/adhesion"></volens-question>

   Shows what Volens answers at `src` (default /question) and sends its form without leaving the page. Nothing is asked where nothing
   is to be asked: the element stays empty. No framework, no inline script or style, no storage: it runs under
   "script-src 'self'; style-src 'self'; connect-src 'self'". Without JavaScript, what stands inside the element is shown: put a link to
   /question?moment=… there. Fires `volens-answered` with {say}. */
"use strict";
(() => {
  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { display: block; font: inherit; color: inherit; }
    :host([hidden]) { display: none; }
    section { border: 1px solid currentColor; border-radius: 12px; padding: .85rem 1rem; }
    section section { margin: 0 0 .85rem; }
    p { margin: 0 0 .6rem; }
    .asked-words, .number { font-weight: 600; font-size: 1.1em; }
    .pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin: .6rem 0; }
    .choice { min-height: 48px; padding: .5rem 1rem; font: inherit; font-weight: 600; color: inherit; background: transparent;
      border: 2px solid currentColor; border-radius: 10px; text-align: center; cursor: pointer; }
    .radio { display: flex; align-items: center; justify-content: center; gap: .5rem; }
    fieldset { border: 0; margin: 0; padding: 0; }
    label { display: block; font-weight: 600; }
    .field { margin: 0 0 .6rem; }
    input:not([type=hidden]):not([type=checkbox]):not([type=radio]) { font: inherit; width: 100%; min-height: 48px; box-sizing: border-box; }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    :focus-visible { outline: 3px solid; outline-offset: 2px; }
    @media (max-width: 19rem) { .pair { grid-template-columns: 1fr; } }`);

  class VolensQuestion extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [style];
      this.shadowRoot.addEventListener("submit", (event) => this.send(event));
      this.load(this.part(this.getAttribute("src") || "/question"));
    }

    part(address) {
      const url = new URL(address, document.baseURI);
      url.searchParams.set("part", "1");
      const moment = this.getAttribute("moment"), language = this.closest("[lang]")?.lang.slice(0, 2);
      if (moment) url.searchParams.set("moment", moment);
      if (language) url.searchParams.set("langue", language);
      return url;
    }

    async load(url, form) {
      const answer = await fetch(url, { credentials: "same-origin", headers: { accept: "text/html" }, method: form ? "POST" : "GET", body: form });
      if (answer.status === 204 || answer.redirected) return answer;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const part = page.querySelector("[data-volens]") || page.querySelector("main");
      if (part) this.shadowRoot.replaceChildren(document.importNode(part, true));
      return answer;
    }

    async send(event) {
      if (this.plainly) return;
      event.preventDefault();
      if (this.busy) return;
      this.busy = true;
      const form = event.target, button = event.submitter, said = new FormData(form, button);
      try {
        const answer = await this.load(this.part(form.getAttribute("action")), new URLSearchParams(said));
        if (answer.redirected) throw new Error("a page of its own");
        this.shadowRoot.querySelector("[role=status], [role=alert]")?.scrollIntoView({ block: "nearest" });
        if (answer.ok) this.dispatchEvent(new CustomEvent("volens-answered", { bubbles: true, composed: true, detail: { say: said.get("say") } }));
      } catch {
        this.plainly = true; // as a browser without JavaScript would: the form leads to a page
        form.requestSubmit(button);
      } finally {
        this.busy = false;
      }
    }
  }
  customElements.define("volens-question", VolensQuestion);
})();
