/* Keys, toasts, menus and the list's selection. Everything works without this file; it saves clicks.
   An element says what it is for: data-key (its letter), data-row, data-open, data-event, data-close. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

  /* ---- lists: one row is selected, its preview is open ---- */
  const rows = () => $$("tr[data-row]");
  const selected = () => $("tr[data-row][aria-selected=true]");

  function mark(id) {
    for (const row of rows()) {
      if (row.dataset.row === id) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(selected());
    const row = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    mark(row.dataset.row);
    row.scrollIntoView({ block: "nearest" });
    $("a", row).focus({ preventScroll: true });
    clearTimeout(move.timer);
    move.timer = setTimeout(() => { if (selected() === row) $(".c-name a", row).click(); }, 180);
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    const pane = event.target.id === "preview" ? $("#preview") : null;
    if (pane) {
      mark(pane.dataset.record || "");
      if (!pane.classList.contains("is-open")) $("main").focus({ preventScroll: true });
    }
  });

  /* a list's address holds what was chosen, and nothing empty */
  document.addEventListener("htmx:configRequest", (event) => {
    const { verb, parameters } = event.detail;
    if (verb === "get") for (const key of Object.keys(parameters)) if (parameters[key] === "") delete parameters[key];
  });

  /* ---- keys ---- */
  const keyed = (key) => $(`.panel [data-key="${key}"]`) || $$(`[data-key="${key}"]`).find((element) => element.offsetParent);

  function escape(event) {
    if ($("dialog[open]")) return; // the browser closes it
    const open = $("details.menu[open]");
    if (open) { open.open = false; $("summary", open).focus(); return event.preventDefault(); }
    const close = $("[data-dialog] [data-close]") || $(".preview.is-open [data-close-preview]");
    if (close && !event.defaultPrevented) { event.preventDefault(); close.click(); }
    else if (typing(event.target)) event.target.blur();
  }

  function results(step) {
    const all = $$("[data-result]");
    if (!all.length) return;
    const at = all.findIndex((element) => element.getAttribute("aria-selected") === "true");
    all.forEach((element) => element.removeAttribute("aria-selected"));
    const next = all[(at + step + all.length) % all.length];
    next.setAttribute("aria-selected", "true");
    next.scrollIntoView({ block: "nearest" });
  }

  function press(event) {
    if (event.key === "Escape") return escape(event);
    if (event.target.id === "search-q") return searchKey(event);
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) return submit(event);
    if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target) || event.defaultPrevented) return;
    if ($("[data-dialog], dialog[open], [data-panel-dialog]")) return;
    if (event.key === "j" || event.key === "k") { event.preventDefault(); return move(event.key === "j" ? 1 : -1); }
    const row = selected();
    if (event.key === "Enter" && row && event.target.closest("tr, body") && !event.target.closest("a:not(.c-name a)")) {
      event.preventDefault();
      location.href = row.dataset.open;
      return;
    }
    if (event.key === "e" && row && row.dataset.event) { event.preventDefault(); return follow(row); }
    if (event.key === "?") { event.preventDefault(); return $("#shortcuts").showModal(); }
    const target = keyed(event.key);
    if (target) { event.preventDefault(); target.matches("textarea") ? target.focus() : target.click(); }
  }

  /* the "+" of the open preview opens the form in a panel; without it the row leads to the form's page */
  function follow(row) {
    const plus = $(`#preview[data-record="${row.dataset.row}"] .is-events a[data-panel]`);
    if (plus) plus.click();
    else location.href = row.dataset.event;
  }

  function searchKey(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); return results(event.key === "ArrowDown" ? 1 : -1); }
    const chosen = $("[data-result][aria-selected=true]") || $("[data-result]");
    if (event.key === "Enter" && chosen) { event.preventDefault(); location.href = chosen.href; }
  }

  function submit(event) {
    const button = $("[data-dialog] [data-save]");
    if (button) { event.preventDefault(); button.click(); }
  }
  document.addEventListener("keydown", press);

  /* ---- menus close when one clicks elsewhere ---- */
  document.addEventListener("click", (event) => {
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.menu") && event.target.open) $("input, select, a, button", $(".menu-box", event.target))?.focus();
  }, true);

  /* ---- toasts stay 8 s, longer while one looks at them ---- */
  function fade(toast) {
    let timer = setTimeout(() => toast.remove(), 8000);
    const stay = () => clearTimeout(timer);
    const go = () => { timer = setTimeout(() => toast.remove(), 3000); };
    for (const name of ["mouseenter", "focusin"]) toast.addEventListener(name, stay);
    for (const name of ["mouseleave", "focusout"]) toast.addEventListener(name, go);
    $("[data-dismiss]", toast)?.addEventListener("click", () => toast.remove());
  }
  $$("[data-toast]").forEach(fade);

  /* ---- forms ---- */
  document.addEventListener("click", (event) => {
    const more = event.target.closest("[data-line]");
    if (!more) return;
    event.preventDefault();
    const last = more.previousElementSibling;
    const line = last.cloneNode(true);
    const input = $("input", line);
    input.value = "";
    input.removeAttribute("aria-invalid");
    $(".help-error", line)?.remove();
    last.after(line);
    input.focus();
  });
  document.addEventListener("submit", (event) => {
    const ask = event.target.dataset.ask;
    if (ask && !confirm(ask)) { event.preventDefault(); return; }
    const button = $("[data-save]", event.target);
    if (button && !event.defaultPrevented) { button.style.minWidth = `${button.offsetWidth}px`; button.setAttribute("aria-busy", "true"); }
  });
  const grow = (area) => { area.style.height = "auto"; area.style.height = `${area.scrollHeight}px`; };
  document.addEventListener("input", (event) => { if (event.target.matches("[data-grow]")) grow(event.target); });
  $$("[data-select]").forEach((input) => input.select());

  /* ---- dialogs keep the focus: the page behind is inert, so only the browser's own bar follows ---- */
  const dialog = $("[data-dialog]");
  const wrong = dialog && $("[aria-invalid=true]", dialog);
  if (wrong) wrong.focus();
  else if (dialog && !dialog.contains(document.activeElement)) $("[autofocus], input, button, a", dialog)?.focus();

  /* ---- the first visit to the set-up page: the browser knows its zone ---- */
  const zone = $("[data-zone]");
  if (zone && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
})();
