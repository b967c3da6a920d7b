// What a page is asked from inside. Put into every page before its own code runs; axe-core comes later.

// Material draws Mermaid inside a closed shadow root, where nobody could look whether it did.
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) { return attach.call(this, {...options, mode: "open"}); };

// Colours are looked at as they end up, not on their way.
const still = new CSSStyleSheet();
still.replaceSync("* { transition: none !important; animation: none !important; }");
document.adoptedStyleSheets.push(still);

// Each page would build the whole index of the search anew. Search has a test of its own, which lets it.
window.__search = {index: new Promise(() => {})};

window.asked = {
  drawn: () => document.querySelectorAll("pre.mermaid").length === 0
    && [...document.querySelectorAll("div.mermaid")].every(one => one.shadowRoot?.querySelector("svg")),

  diagrams: () => [...document.querySelectorAll("div.mermaid")].map(one => {
    const svg = one.shadowRoot.querySelector("svg"), box = svg.getBoundingClientRect();
    return {width: box.width, height: box.height, nodes: svg.querySelectorAll("g.node").length,
            failed: svg.getAttribute("aria-roledescription") === "error"};
  }),

  unreachable: () => [...document.querySelectorAll("main a[href], main button, main summary, main input")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && one.tabIndex !== 0
                   && !one.matches(".headerlink, .md-toggle, [tabindex='-1']"))
    .map(one => one.outerHTML.slice(0, 120)),

  all: async measured => {
    // In one question, since each costs a way there and back.
    await loaded("/axe.min.js");
    const frame = frameOfText();
    return {
      diagrams: asked.diagrams(), unreachable: asked.unreachable(), frame,
      serious: await asked.serious(measured.frames.includes(frame) ? document.querySelector("article") : document),
      light: await asked.contrast("default", measured.default), dark: await asked.contrast("slate", measured.slate),
    };
  },

  tooWide: () => document.scrollingElement.scrollWidth - document.documentElement.clientWidth,

  // A rule that has an impact gives it to all that it finds; so what is never serious need not be looked for.
  // All styles are the site's own, so none is fetched a second time to be read.
  serious: async within => told(await axe.run(within, {
    resultTypes: ["violations"], preload: false,
    rules: Object.fromEntries(axe._audit.rules
      .filter(rule => rule.id === "color-contrast" || (rule.impact && !grave.includes(rule.impact)))
      .map(rule => [rule.id, {enabled: false}])),
  })),

  // Measuring every text of every page takes axe-core minutes. So it measures each look once, where it is met first.
  contrast: async (scheme, known) => {
    document.body.setAttribute("data-md-color-scheme", scheme);
    const looks = looksOfTexts(), measured = new Set(known), tries = {};
    const chosen = [...looks].filter(([text, look]) => {
      // Nor is one measured that is as good as not there; the theme has a few of these on every page.
      if (measured.has(look) || !text.checkVisibility({visibilityProperty: true, opacityProperty: true})) return false;
      // One that lies behind something cannot be measured; so a few are tried.
      tries[look] = (tries[look] ?? 0) + 1;
      return tries[look] <= 4;
    }).map(([text]) => text);
    if (!chosen.length) return {found: [], measured: []};
    const found = await axe.run(chosen, {
      runOnly: {type: "rule", values: ["color-contrast"]}, resultTypes: ["violations", "passes"], elementRef: true,
    });
    const nodes = [...found.passes, ...found.violations].flatMap(one => one.nodes);
    return {found: told(found), measured: [...new Set(nodes.map(node => looks.get(node.element)))].filter(Boolean)};
  },
};

const loaded = source => new Promise((done, failed) => {
  document.head.append(Object.assign(document.createElement("script"), {src: source, onload: done, onerror: failed}));
});

const grave = ["serious", "critical"];

const told = found => found.violations.filter(one => grave.includes(one.impact)).map(one =>
  `${one.id}: ${one.nodes.slice(0, 3).map(node => node.target.join(" ")).join(", ")}: `
  + one.nodes[0].failureSummary.split("\n").slice(1, 2).join("").trim());

// What is around the text: the theme's header, navigation and footer, the same on most pages but for their words.
const frameOfText = () => [...new Set([...document.querySelectorAll("body *:not(article *)")]
  .map(one => [one.localName, ...one.classList].join(".")))].sort().join(" ");

// A look is a text's colour, size and weight, and all that is painted behind it.
const looksOfTexts = () => {
  const styles = new Map(), looks = new Map();
  const style = one => styles.get(one) ?? styles.set(one, getComputedStyle(one)).get(one);
  const behind = one => {
    const {backgroundColor, backgroundImage, opacity, filter} = style(one);
    return [backgroundColor, backgroundImage, opacity, filter].join();
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || looks.has(text)) continue;
    const {color, fontSize, fontWeight, textShadow} = style(text), said = [color, fontSize, fontWeight, textShadow];
    for (let one = text; one; one = one.parentElement) {
      if (behind(one) !== "rgba(0, 0, 0, 0),none,1,none") said.push(behind(one));
    }
    looks.set(text, said.join(";"));
  }
  return looks;
};
