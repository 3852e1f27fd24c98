// What sync brings shows by itself: parts marked data-live are read again while somebody looks at them.
// A part must have an id. The page's ETag makes asking cheap: 304 while nothing changed. Where a part has a style
// element (data-style-of its id), that goes with it. What scrolls inside a part is marked data-scrolls and stays there.
"use strict";
(() => {
  const [QUICK, SLOW, IDLE, PATIENT] = [1200, 15000, 600000, 3];
  let [etag, href] = [document.body.dataset.etag || "", location.href];
  let [looking, again] = [false, false];
  let fruitless = 0; // answers in a row that brought this page nothing: others are busy, so it asks less often
  let touched = Date.now();
  let timer = 0;
  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  const busy = () => document.hidden || !parts().length || document.querySelector("dialog[open], [data-dialog], details.menu[open]");
  const idle = () => Date.now() - touched > IDLE && !document.querySelector("[data-live] [data-waits]");
  const words = (part) => part.textContent.replace(/\s+/g, " ").trim();
  const titles = (part) => [...part.querySelectorAll(".event-title")].map(words).join("\n");
  const places = (part) => [part, ...part.querySelectorAll("[data-scrolls]")];

  const status = document.createElement("p");
  status.className = "sr";
  status.setAttribute("role", "status");
  document.body.append(status);

  /* somebody types or has chosen something in it; what only scrolls has the focus for its keys */
  function held(part) {
    const active = document.activeElement;
    return part.contains(active) && !active.matches("[data-scrolls]");
  }

  function put(part, fresh) {
    const before = new Set([...part.querySelectorAll("li.event")].map((row) => row.id));
    for (const row of fresh.querySelectorAll("li.event")) row.classList.toggle("is-new", !before.has(row.id));
    const stood = places(part).map((place) => [place.scrollLeft, place.scrollTop, place === document.activeElement]);
    part.replaceWith(fresh);
    window.htmx?.process(fresh);
    places(fresh).forEach((place, index) => {
      const [left, top, focused] = stood[index] || [0, 0, false];
      place.scrollTo({ left, top, behavior: "instant" });
      if (focused) place.focus({ preventScroll: true });
    });
  }

  /* "same", "new", or "held" when it has to wait until nobody works in it */
  function update(part, page) {
    const fresh = page.getElementById(part.id);
    const same = !fresh || words(fresh) === words(part);
    if (!same && held(part)) return "held";
    if (!same) {
      if (titles(fresh) !== titles(part)) status.textContent = "Calendar events are up to date.";
      put(part, fresh);
    }
    for (const style of page.querySelectorAll("style[data-style-of]")) {
      const ours = style.dataset.styleOf === part.id && document.querySelector(`style[data-style-of="${part.id}"]`);
      if (ours && ours.textContent !== style.textContent) ours.textContent = style.textContent;
    }
    return same ? "same" : "new";
  }

  /* a style of another answer has another nonce, which this page's policy would complain about */
  function parsed(text) {
    const nonce = document.querySelector("style[nonce]")?.nonce || "";
    return new DOMParser().parseFromString(text.replace(/<style nonce="[^"]*"/g, `<style nonce="${nonce}"`), "text/html");
  }

  async function ask() {
    const here = location.href;
    const headers = { "X-Tandem-Live": "1" };
    if (etag && href === here) headers["If-None-Match"] = etag;
    const answer = await fetch(here, { credentials: "same-origin", cache: "no-store", headers });
    if (answer.status === 304) { fruitless = 0; return; }
    fruitless += 1;
    if (!answer.ok || answer.redirected) return;
    const page = parsed(await answer.text());
    if (busy() || location.href !== here) return; // somebody may have opened a form meanwhile, or gone on
    const found = parts().map((part) => update(part, page));
    if (found.includes("new")) fruitless = 0;
    [etag, href] = [found.includes("held") ? "" : answer.headers.get("ETag") || "", here];
  }

  async function look() {
    if (looking) { again = true; return; }
    looking = true;
    try {
      if (!busy()) await ask();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // no network: what is shown stays
      fruitless += 1;
    } finally {
      looking = false;
      plan();
    }
  }

  function plan() {
    clearTimeout(timer);
    const pause = document.hidden || idle() ? SLOW : QUICK * 2 ** Math.max(0, fruitless - PATIENT);
    timer = setTimeout(look, again ? 0 : Math.min(SLOW, pause) * (0.9 + Math.random() / 10));
    again = false;
  }

  function touch() {
    const back = idle();
    touched = Date.now();
    if (back) look();
  }

  for (const input of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    document.addEventListener(input, touch, { passive: true, capture: true });
  }
  document.addEventListener("focusout", (event) => { if (!etag && event.target.closest?.("[data-live]")) setTimeout(look); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { touched = Date.now(); look(); } });
  plan();
})();
