// Small line charts over the keyframes, in step with the frame that is shown. Text is set as text nodes only.
(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, attributes, parent, text) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    if (parent) parent.append(node);
    return node;
  };
  const shortly = (v) => (Math.abs(v) >= 100 ? v.toFixed(0) : String(Number(v.toPrecision(2))));

  // series: [{name, colour, dash, values}]; frames: [{index}]; log: base-2 axis; reference: a dashed line
  function lines(place, { title, series, frames, now, log, reference, choose }) {
    // As wide as its place, so that the text keeps its size on a phone.
    const width = Math.max(240, Math.min(760, place.clientWidth || 520)), height = 170, left = 44, right = 12, top = 26, bottom = 26;
    const known = series.flatMap((s) => s.values).filter((v) => v !== null && Number.isFinite(v) && (!log || v > 0));
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, place);
    make("text", { x: 0, y: 12, class: "title" }, svg, title);
    if (!known.length) {
      make("text", { x: left, y: height / 2 }, svg, "No number is defined in this episode.");
      return;
    }
    const f = log ? Math.log2 : (v) => v;
    let low = Math.min(...known.map(f), reference === undefined ? Infinity : f(reference));
    let high = Math.max(...known.map(f), reference === undefined ? -Infinity : f(reference));
    if (high - low < 1e-9) { low -= 0.5; high += 0.5; }
    const x = (i) => (frames.length < 2 ? (left + width - right) / 2 : left + (i * (width - left - right)) / (frames.length - 1));
    const y = (v) => height - bottom - ((f(v) - low) / (high - low)) * (height - top - bottom);
    for (let k = 0; k <= 3; k++) {
      const level = low + (k * (high - low)) / 3, value = log ? 2 ** level : level;
      make("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid-line" }, svg);
      make("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, svg, shortly(value));
    }
    if (reference !== undefined) make("line", { x1: left, x2: width - right, y1: y(reference), y2: y(reference), class: "ref" }, svg);
    const every = Math.ceil((frames.length * 34) / (width - left - right));
    frames.forEach((frame, i) => {
      if (i % every === 0) make("text", { x: x(i), y: height - 8, "text-anchor": "middle" }, svg, frame.index);
    });
    make("line", { x1: x(now), x2: x(now), y1: top, y2: height - bottom, class: "now" }, svg);
    for (const s of series) {
      const points = s.values.map((v, i) => (v === null || (log && v <= 0) ? null : [x(i), y(v)]));
      let run = [];
      const flush = () => {
        if (run.length > 1) make("polyline", { points: run.map((p) => p.join(",")).join(" "), stroke: s.colour, "stroke-dasharray": s.dash || "none" }, svg);
        run = [];
      };
      points.forEach((point, i) => {
        if (!point) return flush();
        run.push(point);
        make("circle", { cx: point[0], cy: point[1], r: i === now ? 5 : 3, fill: s.colour }, svg);
      });
      flush();
    }
    frames.forEach((frame, i) => {
      const half = frames.length < 2 ? 40 : (x(1) - x(0)) / 2;
      const hit = make("rect", { x: x(i) - half, width: 2 * half, y: top, height: height - top - bottom, class: "hit" }, svg);
      hit.addEventListener("click", () => choose(i));
    });
  }

  function keys(place, series) {
    const list = document.createElement("div");
    list.className = "keys";
    for (const s of series) {
      const item = document.createElement("span"), svg = make("svg", { viewBox: "0 0 20 8" }, item);
      make("line", { x1: 0, x2: 20, y1: 4, y2: 4, stroke: s.colour, "stroke-width": 2.5, "stroke-dasharray": s.dash || "none" }, svg);
      item.append(s.name);
      list.append(item);
    }
    place.append(list);
  }

  window.GazehouseTrace = { lines, keys, make };
})();
