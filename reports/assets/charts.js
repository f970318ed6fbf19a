// Draws every chart of the page with the one shared bundle. Expressions are interpreted (ast), never compiled: the page's
// policy forbids eval. Charts follow the light or dark scheme, and tooltips are text nodes.
(() => {
  "use strict";
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function config() {
    const ink = css("--ink"), muted = css("--muted"), line = css("--line");
    const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
    return {
      background: null, font, padding: 4, autosize: { type: "fit", contains: "padding" },
      view: { stroke: null },
      axis: {
        labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line, labelFontSize: 11.5,
        titleFontSize: 11.5, titleFontWeight: 500, labelPadding: 5, titlePadding: 8, tickSize: 4, gridOpacity: 0.8,
      },
      axisY: { domain: false, ticks: false },
      legend: { labelColor: ink, titleColor: muted, labelFontSize: 12, titleFontSize: 11.5, titleFontWeight: 500, padding: 0, offset: 8 },
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

  const views = new Map();
  async function draw(place) {
    const spec = JSON.parse(document.getElementById(place.dataset.spec).textContent);
    const old = views.get(place);
    if (old) old.finalize();
    place.replaceChildren();
    const result = await window.vegaEmbed(place, spec, {
      mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "svg", config: config(), tooltip,
    });
    views.set(place, result);
    place.dataset.drawn = "yes";
  }

  async function drawAll() {
    const places = [...document.querySelectorAll(".vega")];
    for (const place of places) {
      try {
        await draw(place);
      } catch (error) {
        place.textContent = "The chart could not be drawn: " + error.message;
        console.error(error);
      }
      await new Promise((next) => setTimeout(next));
    }
    document.documentElement.dataset.charts = "drawn";
  }
  drawAll();
  scheme.addEventListener("change", drawAll);
})();
