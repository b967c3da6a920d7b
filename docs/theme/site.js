// Names that Material leaves out, for people who listen to the page.
const named = () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  const version = document.querySelector(".md-version__current");
  const name = version && `${version.textContent.trim()}: select a version`;
  if (version && version.getAttribute("aria-label") !== name) version.setAttribute("aria-label", name);
};
named();
// The list of versions arrives later.
new MutationObserver(named).observe(document.querySelector(".md-header"), { childList: true, subtree: true });
// A table that is wider than its place scrolls in it; so a keyboard must get there.
const reachable = () => document.querySelectorAll(".md-typeset__scrollwrap").forEach((one) => {
  if (one.scrollWidth > one.clientWidth) one.setAttribute("tabindex", "0");
  else one.removeAttribute("tabindex");
});
addEventListener("load", () => requestAnimationFrame(reachable));
addEventListener("resize", reachable);
