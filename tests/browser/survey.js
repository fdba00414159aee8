// What a person finds on a page, as numbers and words. Run in the page; reads, changes nothing.
() => {
  const blockTags = new Set(["ADDRESS","ARTICLE","ASIDE","BLOCKQUOTE","BODY","DD","DIV","DL","DT","FIELDSET","FIGURE","FOOTER","FORM","H1","H2","H3","H4","H5","H6","HEADER","LEGEND","LI","MAIN","NAV","OL","P","PRE","SECTION","TABLE","TBODY","TD","TH","THEAD","TR","UL","BUTTON","LABEL","SELECT","OPTION","CAPTION","SUMMARY","DETAILS"]);
  const rendered = (node) => { const box = node.getBoundingClientRect(); const style = getComputedStyle(node); return box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.display !== "none"; };
  const seen = (node) => rendered(node) && !node.closest(".unseen") && node.getBoundingClientRect().right > 0;
  const words = (node) => { let text = ""; for (const part of node.childNodes) { if (part.nodeType === 3) text += part.data; else if (part.nodeType === 1 && !part.classList.contains("unseen") && rendered(part)) text += words(part); } return text; };
  const tidy = (text) => text.replace(/\s+/g, " ").trim();
  const number = (colour) => { const found = colour.match(/[\d.]+/g).map(Number); return found.length < 4 ? [...found, 1] : found; };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = (node) => { const layers = []; for (let at = node; at; at = at.parentElement) { const colour = number(getComputedStyle(at).backgroundColor); layers.push(colour); if (colour[3] === 1) break; } return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]); };
  const light = (colour) => { const [r, g, b] = colour.slice(0, 3).map((v) => { const s = v / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const contrast = (node) => { const back = ground(node); const a = light(over(number(getComputedStyle(node).color), back)); const b = light(back); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
  const opacity = (node) => { let found = 1; for (let at = node; at; at = at.parentElement) found *= parseFloat(getComputedStyle(at).opacity); return found; };
  const box = (node) => { const b = node.getBoundingClientRect(); return [b.left + scrollX, b.top + scrollY, b.width, b.height]; };
  const named = (node) => { if (!node) return ""; const by = node.getAttribute("aria-labelledby"); if (by) return by.split(" ").map((id) => tidy(document.getElementById(id)?.textContent ?? "")).join(" "); const own = node.getAttribute("aria-label"); if (own) return own; const legend = node.querySelector(":scope > legend"); return legend ? tidy(legend.textContent) : ""; };
  const style = (node) => { const found = getComputedStyle(node); return { size: parseFloat(found.fontSize), weight: found.fontWeight, family: found.fontFamily, border: parseFloat(found.borderTopWidth), decoration: found.textDecorationLine }; };

  const leaf = (node) => ![...node.querySelectorAll("*")].some((one) => blockTags.has(one.tagName));
  const blocks = [...document.body.querySelectorAll("*")].filter((node) => blockTags.has(node.tagName) && seen(node)).flatMap((node) => {
    if (leaf(node)) return [[node, tidy(words(node))]];
    let own = ""; for (const part of node.childNodes) if (part.nodeType === 3 || (part.nodeType === 1 && !blockTags.has(part.tagName) && leaf(part) && seen(part))) own += part.nodeType === 3 ? part.data : " " + words(part) + " ";
    return [[node, tidy(own)]];
  }).filter(([, text]) => text).map(([node, text]) => ({ text, tag: node.tagName.toLowerCase(), lang: node.closest("[lang]")?.lang ?? "", inside: node.closest("main") ? "main" : node.closest("header") ? "header" : node.closest("footer") ? "footer" : "" }));

  const controls = [...document.querySelectorAll("button, input:not([type=hidden]), select, textarea, [role=button], summary")].map((node) => {
    const form = node.form; const fields = form ? Object.fromEntries([...form.querySelectorAll("input[type=hidden]")].map((one) => [one.name, one.value])) : {};
    const section = node.closest("fieldset, section[aria-labelledby], section[aria-label]");
    return { tag: node.tagName.toLowerCase(), type: node.type ?? "", label: tidy(words(node)) || tidy(node.labels?.[0]?.textContent ?? ""), name: tidy(node.textContent), value: node.value ?? "", field: node.name ?? "", pressed: node.getAttribute("aria-pressed"), checked: !!node.checked, required: !!node.required, disabled: !!node.disabled,
      action: form ? new URL(form.action).pathname : "", method: form ? form.method : "", fields, section: named(section), pair: !!node.closest(".pair, .two"), group: [...document.querySelectorAll(".pair, .two")].indexOf(node.closest(".pair, .two")),
      box: box(node), contrast: contrast(node), opacity: opacity(node), shown: rendered(node), ...style(node) };
  });
  const alone = (node) => { const around = node.parentElement; return !around || getComputedStyle(node).display !== "inline" || tidy(words(around)) === tidy(words(node)); };
  const links = [...document.querySelectorAll("a[href]")].map((node) => ({ href: node.getAttribute("href"), url: node.href, label: tidy(words(node)), name: tidy(node.textContent), box: box(node), alone: alone(node), shown: seen(node), skip: node.classList.contains("skip"), inside: node.closest("main") ? "main" : node.closest("header") ? "header" : "footer" }));
  const everything = [...document.querySelectorAll("main, main *")];
  const moving = everything.filter((node) => { const found = getComputedStyle(node); return found.animationName !== "none" || found.transitionDuration.split(",").some((one) => parseFloat(one) > 0); }).length;
  // A photo of somebody on her own page of photos (`shown`) is what the page is about.
  const drawing = [...document.querySelectorAll("main img:not(.shown), main video, main iframe, main canvas, main marquee, main aside, main audio, main object, dialog, [role=dialog], [role=alertdialog], [aria-modal]")].map((node) => node.tagName.toLowerCase());
  const clipped = everything.filter((node) => !node.closest(".unseen") && rendered(node) && ["hidden", "clip"].includes(getComputedStyle(node).overflowX) && (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1)).length;
  return { address: location.pathname, lang: document.documentElement.lang, title: document.title, status: tidy(document.querySelector("[role=status]")?.textContent ?? ""),
    headings: [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map((node) => [Number(node.tagName[1]), tidy(node.textContent)]),
    blocks, controls, links, moving, drawing, clipped, text: document.body.innerText,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth, high: document.documentElement.scrollHeight, window: [innerWidth, innerHeight],
    terms: [...document.querySelectorAll("dt")].map((node) => tidy(node.textContent)) };
}
