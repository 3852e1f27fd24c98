// The event form: a panel over the page, times that follow each other, keys. Everything works without it too.
(() => {
  const form = () => document.getElementById("event-form");

  // What was typed is not thrown away by a stray Esc.
  const mayClose = (dialog) => !("written" in dialog.dataset) || confirm("Close without saving? What you wrote here is not kept.");

  // Links marked data-panel open the form over the page; without htmx they lead to a page of their own.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("a[data-panel]");
    if (opener && window.htmx && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      if (document.querySelector("[data-panel-dialog]")) return;
      htmx.ajax("GET", opener.href, { target: document.body, swap: "beforeend", source: opener });
      return;
    }
    const closer = event.target.closest("[data-close]");
    const dialog = closer && closer.closest("dialog");
    if (dialog) { event.preventDefault(); if (mayClose(dialog)) dialog.close(); return; }
    if (!event.target.closest(".guest-add")) closeMenu();
  });

  document.addEventListener("htmx:load", (event) => {
    const found = event.detail.elt;
    const dialog = found.matches?.("[data-panel-dialog]") ? found : null;
    if (!dialog || dialog.open) return;
    const back = document.activeElement;
    dialog.addEventListener("input", () => { dialog.dataset.written = ""; });
    dialog.addEventListener("cancel", (press) => { if (!mayClose(dialog)) press.preventDefault(); });
    dialog.addEventListener("close", () => { dialog.remove(); back?.focus?.(); });
    dialog.showModal();
    dialog.querySelector("[autofocus]")?.focus();
  });

  const closeMenu = () => { const menu = document.getElementById("guest-options"); if (menu) menu.replaceChildren(); };

  // All day hides the hours. Moving the start moves the end along, and keeps the length.
  const minutes = (text) => {
    const match = /^(\d{1,2})(?:[:.h ]?(\d{2}))?\s*(am|pm)?$/i.exec(text.trim());
    if (!match) return null;
    const half = (match[3] || "").toLowerCase();
    return ((half ? Number(match[1]) % 12 + (half === "pm" ? 12 : 0) : Number(match[1])) * 60) + Number(match[2] || 0);
  };
  const words = (count) => `${String(Math.floor(count / 60)).padStart(2, "0")}:${String(count % 60).padStart(2, "0")}`;
  let started = null;

  document.addEventListener("focusin", (event) => { if (event.target.id === "f-start") started = minutes(event.target.value); });

  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.matches("[data-all-day]")) {
      form()?.querySelectorAll("[data-timed]").forEach((part) => { part.hidden = target.checked; });
    }
    if (target.id === "f-start" && started !== null) {
      const end = document.getElementById("f-end");
      const [from, until] = [minutes(target.value), minutes(end.value)];
      const moved = from === null || until === null ? null : from + until - started;
      if (moved !== null && until > started && moved < 1440) { end.value = words(moved); started = from; }
    }
  });

  // Enter adds the guest who is being typed; Ctrl or Cmd with Enter saves; arrows walk through the suggestions.
  document.addEventListener("keydown", (event) => {
    const inGuest = event.target.matches?.("[data-guest]");
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      const save = event.target.closest?.("form")?.querySelector("[data-save]");
      if (save) { event.preventDefault(); save.click(); }
    } else if (event.key === "Enter" && inGuest) {
      event.preventDefault();
      if (event.target.value.trim()) event.target.parentElement.querySelector('button[value="guest-add"]').click();
    } else if (event.key === "Escape" && document.querySelector("[data-guest-menu]")) {
      event.preventDefault();
      closeMenu();
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && (inGuest || event.target.closest?.("[data-guest-menu]"))) {
      const rows = [...document.querySelectorAll("[data-guest-menu] button")];
      const next = rows.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1);
      if (rows.length) { event.preventDefault(); (rows[next] || document.querySelector("[data-guest]")).focus(); }
    }
  });

  // After a guest was added or removed, the cursor goes on where it was; else to the first field that is wrong.
  document.addEventListener("htmx:afterSettle", (event) => {
    const wanted = event.detail.requestConfig?.parameters;
    const did = wanted?.get?.("do") ?? wanted?.do ?? "";
    if (event.detail.elt?.id !== "event-form") return;
    const wrong = form()?.querySelector("[aria-invalid=true]");
    if (wrong) wrong.focus();
    else if (String(did).startsWith("guest-")) document.getElementById("f-guest")?.focus();
  });

  // Another site's page opens in a new tab while the click still counts as one; where that is blocked, its link stays.
  document.addEventListener("htmx:afterSettle", (event) => {
    const handed = event.detail.elt?.matches?.("[data-handed-off]") ? event.detail.elt : null;
    const tab = handed && window.open(handed.dataset.handedOff, "_blank");
    if (!tab) return;
    tab.opener = null;
    const dialog = handed.closest("dialog");
    if (!dialog) { location.assign(handed.dataset.back || "/calendar"); return; }
    dialog.addEventListener("close", () => {
      document.activeElement?.blur(); // a part of the page with the focus in it is not read again
      document.dispatchEvent(new Event("visibilitychange")); // as if one came back: the page says at once that it waits
    });
    dialog.close();
  });

  // The week opens at the morning, unless something happens earlier that day.
  const grid = document.querySelector(".week-grid");
  if (grid) {
    const style = getComputedStyle(grid);
    const [from, hour] = [Number(style.getPropertyValue("--from")), parseFloat(style.getPropertyValue("--hour"))];
    grid.scrollTop = Math.max(0, (7.5 - from) * hour);
  }

  // One submit is enough: the button says what is going on, and keeps its width.
  document.addEventListener("submit", (event) => {
    const button = event.submitter?.matches("[data-save], [data-busy]") ? event.submitter : null;
    if (!button) return;
    button.style.minWidth = `${button.offsetWidth}px`;
    button.setAttribute("aria-busy", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
})();
