// What sync brings shows by itself: parts marked data-live are read again while somebody looks at them.
// A part must have an id. Something marked data-waits in it is on its way, so the next look comes sooner.
"use strict";
(() => {
  const [SOON, LATER, MOST_SOON] = [2000, 15000, 15];
  let soon = 0;
  let timer = 0;
  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  const busy = () => document.hidden || !parts().length || document.querySelector("dialog[open], [data-dialog], details.menu[open]");
  const words = (part) => part.textContent.replace(/\s+/g, " ").trim();
  const titles = (part) => [...part.querySelectorAll(".event-title")].map(words).join("\n");

  const status = document.createElement("p");
  status.className = "sr";
  status.setAttribute("role", "status");
  document.body.append(status);

  function replace(part, fresh) {
    if (!fresh || words(fresh) === words(part) || part.contains(document.activeElement)) return false;
    const before = new Set([...part.querySelectorAll("li.event")].map((row) => row.id));
    for (const row of fresh.querySelectorAll("li.event")) row.classList.toggle("is-new", !before.has(row.id));
    const news = titles(fresh) !== titles(part);
    part.replaceWith(fresh);
    window.htmx?.process(fresh);
    return news;
  }

  async function look() {
    if (!busy()) {
      try {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        const page = answer.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
        // somebody may have opened a form meanwhile
        const news = page && !busy() && parts().map((part) => replace(part, page.getElementById(part.id)));
        if (news && news.includes(true)) status.textContent = "Calendar events are up to date.";
      } catch (error) {
        if (!(error instanceof TypeError)) throw error; // no network: what is shown stays
      }
    }
    plan();
  }

  function plan() {
    clearTimeout(timer);
    const hurry = document.querySelector("[data-live] [data-waits]") && soon < MOST_SOON;
    soon = hurry ? soon + 1 : document.querySelector("[data-live] [data-waits]") ? soon : 0;
    timer = setTimeout(look, hurry ? SOON : LATER);
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  plan();
})();
