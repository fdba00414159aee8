// In a page of the retailer's: says how tall this page is, so that it needs no scroll bar of its own. Says nothing else.
"use strict";
const tell = () => parent.postMessage({ volens: "height", pixels: document.documentElement.scrollHeight }, "*");
addEventListener("load", tell);
addEventListener("resize", tell);
