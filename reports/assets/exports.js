// Each chart as PNG, SVG and CSV, made in the page: no request, so that it works from a folder. Charts are drawn anew on white,
// in the colours of the light scheme, as `python -m reports figure` draws them (reports/figures/print_figures.py).
(() => {
  "use strict";
  const WIDTH = 720, SCALE = 3;
  const PAPER = { ink: "#17212b", muted: "#59646f", line: "#dfe1dc", background: "#ffffff" };
  const { specOf, config } = window.GazehouseCharts;

  // The rows of the dataset that has most of the columns of the table behind the chart, of several such ones the longest; all
  // columns of one that has none of them. reports/figures/chart_data.py is the same rule, and says why.
  function csv(spec, columns) {
    const known = (rows) => columns.filter(([key]) => rows.length && key in rows[0]);
    let best = [];
    for (const rows of Object.values(spec.datasets)) {
      const more = known(rows).length - known(best).length;
      if (more > 0 || (more === 0 && rows.length > best.length)) best = rows;
    }
    const found = known(best).length || !best.length ? known(best) : Object.keys(best[0]).map((key) => [key, key]);
    const cell = (value) => {
      const text = value === null || value === undefined ? "" : String(value);
      return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
    };
    return [found.map(([, label]) => label), ...best.map((row) => found.map(([key]) => row[key]))].map((line) => line.map(cell).join(",") + "\n").join("");
  }

  async function onPaper(spec, use) {
    const stage = document.createElement("div");
    stage.className = "export-stage";
    stage.setAttribute("aria-hidden", "true");
    document.body.append(stage);
    try {
      const options = { mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "svg", tooltip: false, config: config(spec, WIDTH, PAPER) };
      const result = await window.vegaEmbed(stage, { ...spec, width: WIDTH }, options);
      try {
        return await use(result.view);
      } finally {
        result.finalize();
      }
    } finally {
      stage.remove();
    }
  }

  const FORMS = {
    PNG: (spec) => onPaper(spec, async (view) => {
      const canvas = await view.toCanvas(SCALE);
      return new Promise((done) => canvas.toBlob(done, "image/png"));
    }),
    SVG: (spec) => onPaper(spec, async (view) => new Blob([await view.toSVG()], { type: "image/svg+xml" })),
    CSV: async (spec, columns) => new Blob([csv(spec, columns)], { type: "text/csv" }),
  };

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // The page's file and the chart's anchor, which are ours: no name in the data enters a file name.
  const page = location.pathname.split("/").pop().replace(/\.html$/, "").replace(/[^a-z0-9-]/gi, "") || "page";

  document.querySelectorAll("figure.chart").forEach((figure) => {
    const line = document.createElement("p"), place = figure.querySelector(".vega");
    line.className = "exports";
    for (const [name, make] of Object.entries(FORMS)) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.setAttribute("aria-label", "Save as " + name + ": " + figure.querySelector("h3").textContent);
      button.addEventListener("click", async () => {
        button.disabled = true;
        try {
          const chosen = place.dataset.spec.match(/-spec-([0-9]+)$/), heads = [...figure.querySelectorAll("th[data-key]")];
          const several = figure.querySelector("[data-switch]") !== null;
          const stem = page + "-" + figure.id + (several && chosen ? "-" + (Number(chosen[1]) + 1) : "");
          save(await make(specOf(place), heads.map((head) => [head.dataset.key, head.textContent.trim()])), stem + "." + name.toLowerCase());
        } catch (error) {
          button.textContent = name + " failed";
          console.error(error);
        } finally {
          button.disabled = false;
          button.focus();
        }
      });
      line.append(button);
    }
    figure.querySelector(".more").prepend(line);
  });
})();
