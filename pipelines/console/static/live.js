// Fetches the page again while it is looked at, and replaces the parts that changed. Without it, reload.
"use strict";

const pause = 2000;
const news = document.getElementById("news");

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.href, {headers: {"X-Refresh": "1"}, cache: "no-store"});
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (!next || next.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    const atEnd = part.scrollTop + part.clientHeight >= part.scrollHeight - 4;
    part.replaceChildren(...next.childNodes);
    if (part.dataset.follow !== undefined && atEnd) part.scrollTop = part.scrollHeight;
    if (part.dataset.says !== undefined) news.textContent = next.dataset.says ?? part.dataset.says;
  }
  const waits = fresh.getElementById("waits");
  if (waits && waits.textContent !== document.getElementById("waits").textContent) {
    document.getElementById("waits").textContent = waits.textContent;
    news.textContent = waits.textContent;
  }
  document.getElementById("lost").hidden = true;
}

async function keepGoing() {
  try {
    await refresh();
  } catch {
    document.getElementById("lost").hidden = false;
  }
  setTimeout(keepGoing, pause);
}

for (const log of document.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
if (document.querySelector("[data-live]")) setTimeout(keepGoing, pause);
