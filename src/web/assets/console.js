// Comfort only: every page works without this file.
"use strict";
(() => {
  const typing = () => {
    const at = document.activeElement;
    return at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
  };
  const places = { o: "/orders", s: "/shipments", i: "/invoices", r: "/receivables", q: "/queue", h: "/", d: "/documents", p: "/partners" };
  let before = "";
  let row = -1;

  const step = (by) => {
    const links = [...document.querySelectorAll("tr.go a.cover, .todo a")];
    if (links.length === 0) return;
    row = Math.max(0, Math.min(links.length - 1, row + by));
    links[row].focus();
    links[row].scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing()) {
      if (event.key === "Escape") document.activeElement.blur();
      return;
    }
    const key = event.key;
    if (before === "g" && places[key]) {
      event.preventDefault();
      location.assign(places[key]);
      return;
    }
    before = key;
    if (key === "/") {
      event.preventDefault();
      document.getElementById("search")?.focus();
    } else if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "?") document.getElementById("shortcuts")?.togglePopover();
  });

  // A filter takes effect when it is chosen; without this file the button beside it does the same.
  for (const form of document.querySelectorAll("form.filters")) {
    form.addEventListener("change", (event) => {
      if (event.target.tagName === "SELECT") form.requestSubmit();
    });
  }
  // What was sent once is not sent twice by an impatient hand.
  for (const form of document.querySelectorAll('form[method="post"]')) {
    form.addEventListener("submit", () => {
      setTimeout(() => {
        for (const button of form.querySelectorAll("button")) button.disabled = true;
      }, 0);
    });
  }
  // A sheet's first field is where the cursor belongs.
  for (const sheet of document.querySelectorAll("[popover].sheet")) {
    sheet.addEventListener("toggle", (event) => {
      if (event.newState === "open") sheet.querySelector("textarea, input:not([type=hidden]), select")?.focus();
    });
  }
  // Coming back by the browser's history must not find buttons still disabled.
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form button[disabled]:not([data-fixed])")) button.disabled = false;
  });
})();
