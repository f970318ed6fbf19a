// Draws every chart of the page with the one shared bundle. Expressions are interpreted (ast), never compiled: the page's
// policy forbids eval. Charts take the page's colours by name, so that they follow the light or dark scheme, and paper,
// without being drawn again. Tooltips are text nodes.
(() => {
  "use strict";

  // Legend labels side by side as far as they fit.
  function columns(spec, width) {
    const names = new Set();
    const walk = (node) => {
      if (!node || typeof node !== "object") return;
      if (node.legend && node.scale && Array.isArray(node.scale.domain)) node.scale.domain.forEach((name) => names.add(String(name)));
      for (const [key, value] of Object.entries(node)) if (key !== "datasets") walk(value);
    };
    walk(spec);
    const widths = [...names].map((name) => 32 + 6.7 * Math.min(34, name.length)), room = width - 60;
    const total = widths.reduce((sum, n) => sum + n, 0);
    return total <= room ? Math.max(1, names.size) : Math.max(1, Math.floor(room / Math.max(60, ...widths)));
  }

  // An axis' title that is longer than its axis stands on two lines: Vega would cut it off at the chart's edge.
  function withWrappedTitles(spec, width) {
    const room = { x: width - 20, y: spec.height || Infinity };
    const halved = (title) => {
      const gaps = [...title.matchAll(/ /g)].map((gap) => gap.index);
      const middle = gaps.reduce((best, at) => (Math.abs(at - title.length / 2) < Math.abs(best - title.length / 2) ? at : best), 0);
      return middle ? [title.slice(0, middle), title.slice(middle + 1)] : title;
    };
    const walk = (node, channel) => {
      if (Array.isArray(node)) return node.map((item) => walk(item, channel));
      if (!node || typeof node !== "object") return node;
      const found = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, key === "datasets" ? value : walk(value, key in room ? key : channel)]));
      const title = found.axis && found.axis.title;
      if (channel in room && typeof title === "string" && 6.3 * title.length > room[channel]) found.axis = { ...found.axis, title: halved(title) };
      return found;
    };
    return walk(spec);
  }

  const ofThePage = { ink: "var(--ink)", muted: "var(--muted)", line: "var(--line)", background: null };

  function config(spec, width, { ink, muted, line, background }) {
    const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
    return {
      background, font, padding: 4, autosize: { type: "fit-x", contains: "padding" },
      view: { stroke: null },
      axis: {
        labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 11.5,
        titleFontSize: 11.5, titleFontWeight: 500, labelPadding: 5, titlePadding: 8, tickSize: 4, gridOpacity: 0.8,
      },
      // Names beside a chart may take two fifths of it, on a phone more; the numbers of an axis never need as much.
      axisY: { domain: false, ticks: false, labelLimit: Math.max(165, Math.min(280, 0.4 * width)) },
      // On a phone a title may be wider than the plot: it then ends with it, and begins below the names beside it.
      axisX: width < 480 ? { titleAnchor: "end" } : {},
      legend: { labelColor: ink, titleColor: muted, labelFontSize: 12, titleFontSize: 11.5, titleFontWeight: 500, padding: 0, offset: 8, columns: columns(spec, width) },
    };
  }

  let tip = null;
  function tooltip(_handler, event, _item, value) {
    if (tip) tip.remove();
    tip = null;
    if (value === null || value === undefined || value === "") return;
    tip = document.createElement("div");
    tip.className = "tip";
    for (const [key, text] of Object.entries(value)) {
      const label = document.createElement("b"), cell = document.createElement("span");
      label.textContent = key;
      cell.textContent = String(text);
      tip.append(label, cell);
    }
    document.body.append(tip);
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
  }

  const unpacked = window.gazehouseUnpacked;

  // A chart that differs from an earlier one of its place in its data alone names that one.
  function packedSpec(id) {
    const spec = JSON.parse(document.getElementById(id).textContent);
    return "as" in spec ? { ...packedSpec(id.replace(/[0-9]+$/, spec.as)), datasets: spec.datasets } : spec;
  }

  // The chart that a place shows, with its rows.
  function specOf(place) {
    const spec = packedSpec(place.dataset.spec);
    for (const [name, rows] of Object.entries(spec.datasets)) spec.datasets[name] = unpacked(rows);
    if (place.dataset.rows) spec.datasets.shared = unpacked(JSON.parse(document.getElementById(place.dataset.rows).textContent));
    return spec;
  }

  const views = new Map();
  async function draw(place) {
    const spec = specOf(place);
    const old = views.get(place);
    if (old) old.finalize();
    place.replaceChildren();
    const result = await window.vegaEmbed(place, withWrappedTitles(spec, place.clientWidth), {
      mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "svg", config: config(spec, place.clientWidth, ofThePage), tooltip,
    });
    views.set(place, result);
    place.dataset.drawn = "yes";
  }

  // A choice of charts in one place: the words and the text alternative go with the chart.
  function switched(select) {
    const figure = select.closest("figure"), place = figure.querySelector(".vega");
    select.closest(".filters").hidden = false;
    select.addEventListener("change", async () => {
      const chosen = document.getElementById(select.value);
      place.dataset.spec = select.value;
      place.parentElement.setAttribute("aria-label", chosen.dataset.alt);
      for (const words of figure.querySelectorAll("[data-of]")) words.hidden = words.dataset.of !== select.value;
      await tryToDraw(place);
    });
  }

  async function tryToDraw(place) {
    try {
      await draw(place);
    } catch (error) {
      place.textContent = "The chart could not be drawn: " + error.message;
      console.error(error);
    }
  }

  // The page is shown and listens to its reader between charts, four times a second: each time it is laid out anew.
  async function drawAll() {
    const places = [...document.querySelectorAll(".vega")];
    let shown = 0;
    for (const place of places) {
      await tryToDraw(place);
      if (performance.now() - shown < 250) continue;
      await new Promise((next) => setTimeout(next));
      shown = performance.now();
    }
    document.documentElement.dataset.charts = "drawn";
  }
  window.GazehouseCharts = { specOf, config };
  document.querySelectorAll("[data-switch]").forEach(switched);
  drawAll();
  let width = innerWidth, timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    if (Math.abs(innerWidth - width) > 60) timer = setTimeout(() => { width = innerWidth; drawAll(); }, 300);
  });
})();
