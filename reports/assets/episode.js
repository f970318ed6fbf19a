// The viewer of an episode: which frame, what looks, which layer, camera and prompt. What a frame needs lies beside the page
// in a small script that is loaded when the frame is shown (a fetch would fail on file://).
(() => {
  "use strict";
  const { paint, ramp, layersOf } = window.GazehouseMaps;
  const { lines, keys, make } = window.GazehouseTrace;
  const data = JSON.parse(document.getElementById("episode-data").textContent);
  const at = (id) => document.getElementById(id);
  const element = (name, className, text) => {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const percent = (v, digits = 2) => (v === null || v === undefined ? "n/a" : Number((100 * v).toPrecision(digits)) + " %");
  const short = (v) => (v === null || v === undefined ? "n/a" : String(Number(v.toPrecision(3))));
  const state = { frame: 0, view: data.start.view, layer: data.start.layer, camera: "all", condition: data.conditions[0].id, scale: "shared", show: "map", contours: true };
  const frames = data.frames, loaded = new Map(), waiting = new Map();

  window.gazehouseFrame = (index, content) => {
    loaded.set(index, content);
    for (const done of waiting.get(index) || []) done(content);
    waiting.delete(index);
  };
  function load(frame) {
    if (loaded.has(frame.index)) return Promise.resolve(loaded.get(frame.index));
    return new Promise((done, fail) => {
      if (waiting.has(frame.index)) return waiting.get(frame.index).push(done);
      waiting.set(frame.index, [done]);
      const script = document.createElement("script");
      script.src = frame.script;
      script.onerror = () => { waiting.delete(frame.index); fail(new Error("The data of frame " + frame.index + " is not beside the page.")); };
      document.head.append(script);
    });
  }

  const view = () => data.views.find((v) => v.id === state.view) || data.views[0];
  const cameras = () => (state.camera === "all" ? data.cameras : data.cameras.filter((c) => c.id === state.camera));
  const asked = () => data.conditions.find((c) => c.id === state.condition);
  const BASELINE = "baseline:baseline";
  const isDifference = () => state.show === "difference" && state.condition !== BASELINE;
  function block(content, camera) {
    const of = (condition) => content.maps[condition + "|" + state.view + "|" + camera], own = of(state.condition), base = of(BASELINE);
    return own && (base || !isDifference()) ? layersOf(own, isDifference() ? base : null) : undefined;
  }

  function segments(name, title, options, hint) {
    const set = element("fieldset"), row = element("div", "segments");
    set.append(element("legend", "", title), row);
    for (const option of options) {
      const label = element("label", option.counted === false ? "uncounted" : ""), input = element("input"), text = element("span", "", option.label);
      input.type = "radio";
      input.name = name;
      input.value = option.id;
      input.checked = String(state[name]) === String(option.id);
      text.title = option.counted === false ? hint : option.name || option.label;
      label.append(input, text);
      row.append(label);
    }
    return set;
  }

  function controls() {
    const form = at("controls");
    form.replaceChildren(segments("view", "what looks", data.views));
    const last = "the last prefix layer: nothing reads its output, so it does not count";
    form.append(segments("layer", "layer", view().layers.map((l) => ({ id: l, label: String(l), counted: !(view().uncounted || []).includes(l) })), last));
    if (data.cameras.length > 1) form.append(segments("camera", "camera", [{ id: "all", label: "all" }, ...data.cameras.map((c) => ({ id: c.id, label: c.id }))]));
    if (data.conditions.length > 1) {
      const set = element("fieldset"), select = element("select");
      select.name = "condition";
      select.setAttribute("aria-label", "prompt");
      for (const c of data.conditions) {
        const option = element("option", "", c.label);
        option.value = c.id;
        option.selected = c.id === state.condition;
        select.append(option);
      }
      set.append(element("legend", "", "prompt"), select);
      form.append(set);
    }
    if (state.condition !== BASELINE) form.append(segments("show", "what is drawn", [{ id: "map", label: "map" }, { id: "difference", label: "difference to baseline" }]));
    form.append(segments("scale", "colour scale", [{ id: "shared", label: "shared" }, { id: "own", label: "each its own" }]));
    const label = element("label", "check"), box = element("input");
    box.type = "checkbox";
    box.name = "contours";
    box.checked = state.contours;
    label.append(box, "contours");
    form.append(label);
  }

  function picture(frame, camera) {
    if (!frame.pictures[camera]) return element("span", "blank", "no picture");
    const image = element("img");
    image.src = frame.pictures[camera];
    image.alt = "Frame " + frame.index + ", camera " + camera + ", as the policy saw it";
    image.loading = "lazy";
    return image;
  }

  function outlines(objects) {
    const svg = make("svg", { viewBox: "0 0 224 224", "aria-hidden": "true" });
    for (const object of objects) {
      const d = object.paths.map((p) => { let s = ""; for (let i = 0; i < p.length; i += 2) s += (i ? "L" : "M") + (p[i] + 0.5) + " " + (p[i + 1] + 0.5); return s + "Z"; }).join("");
      if (!d) continue;
      make("path", { d, class: "halo" }, svg);
      make("path", { d, class: ["target", "distractor"].includes(object.role) ? object.role : "other" }, svg);
    }
    for (const object of objects.filter((o) => o.paths.length)) {
      const xs = object.paths.flatMap((p) => p.filter((_, i) => i % 2 === 0)), ys = object.paths.flatMap((p) => p.filter((_, i) => i % 2));
      const name = object.category.length > 18 ? object.category.slice(0, 17) + "…" : object.category;
      const x = Math.min(Math.max((Math.min(...xs) + Math.max(...xs)) / 2, 5 + 3 * name.length), 219 - 3 * name.length), y = Math.max(10, Math.min(...ys) - 3);
      make("text", { x, y, "data-y": y, "text-anchor": "middle" }, svg, name);
    }
    return svg;
  }

  function panel(caption, ...layers) {
    const figure = element("figure"), frame = element("div", "frame");
    frame.append(...layers);
    figure.append(frame, element("figcaption", "", caption));
    return figure;
  }

  // One reason, the one that applies.
  function whyNoMap(frame) {
    if (state.condition === BASELINE) return "No map is stored for this choice.";
    if (!asked().frames.includes(frame.index)) return "This prompt was not asked at this keyframe; those where it was are not dimmed above.";
    return "Under a changed prompt the page keeps the words' maps only: choose 'words' to see one.";
  }

  function panels(frame, content) {
    const rows = cameras().map((camera) => {
      const row = element("section", "card panel-row"), maps = block(content, camera.id);
      row.append(element("h2", "", camera.id + ", frame " + frame.index + (frame.time === null ? "" : " (" + frame.time.toFixed(1) + " s)")));
      const three = element("div", "three"), objects = (content.objects[camera.id] || []);
      three.append(panel("picture", picture(frame, camera.id)));
      const position = maps ? maps.layers.indexOf(state.layer) : -1;
      if (position < 0) {
        row.append(three, element("p", "reading", whyNoMap(frame)));
        return row;
      }
      const top = Math.max(1e-12, state.scale === "shared" ? Math.max(...maps.max) : maps.max[position]), signed = maps.signed;
      const values = maps.values[position], solid = element("canvas"), veil = element("canvas", "veil"), name = signed ? "difference" : "map";
      paint(solid, values, camera.rows, camera.columns, top, camera.bars, 224, signed);
      paint(veil, values, camera.rows, camera.columns, top, camera.bars, 224, signed);
      solid.setAttribute("role", "img");
      solid.setAttribute("aria-label", (signed ? "Difference to the baseline's attention map, layer " : "Attention map of layer ") + state.layer);
      three.append(panel(name + ", layer " + state.layer, solid));
      three.append(panel("60 % picture, 40 % " + name + (state.contours && objects.length ? ", objects" : ""), picture(frame, camera.id), veil, ...(state.contours ? [outlines(objects)] : [])));
      const scale = element("div", "scale"), bar = element("canvas");
      ramp(bar, signed);
      scale.append(element("span", "", signed ? "\u2212" + percent(top) : "0"), bar, element("span", "", (signed ? "+" : "") + percent(top)));
      const drawn = " Drawn from " + camera.rows + " × " + camera.columns + " patches, bilinear between their centres.";
      const note = signed
        ? "Scale: this prompt's share of the camera's attention per patch minus the baseline's at the same keyframe; orange is more, blue less, the middle no change." + drawn
        : "Scale: share of this camera's attention per patch, bars of the letterbox included (the table of objects leaves them out)." + drawn + " A flat map would give " + percent(1 / values.length) + " a patch. " + percent(maps.mass[position]) + " of all attention of this view falls on this camera in this layer.";
      row.append(three, scale, element("p", "reading", note));
      return row;
    });
    at("panels").replaceChildren(...rows);
    label();
  }

  // Names of objects are 11 pixels high, however large the picture is, and make way for those that stand already.
  function label() {
    for (const svg of at("panels").querySelectorAll(".frame svg")) {
      const size = (11 * 224) / (svg.clientWidth || 224), texts = [...svg.querySelectorAll("text")], placed = [];
      for (const text of texts) { text.setAttribute("font-size", size.toFixed(2)); text.setAttribute("y", text.dataset.y); }
      const boxes = texts.map((text) => text.getBBox());
      texts.forEach((text, i) => {
        const { x, y, width, height } = boxes[i], line = height * 0.8;
        const isFree = (dy) => y + dy >= 0 && y + dy + height <= 224 && !placed.some((p) => Math.abs(p.y - y - dy) < line && x < p.x + p.width && p.x < x + width);
        const dy = [0, -line, line, -2 * line, 2 * line, -3 * line, 3 * line].find(isFree) || 0;
        text.setAttribute("y", Number(text.dataset.y) + dy);
        placed.push({ x, y: y + dy, width });
      });
    }
  }

  function multiples(frame, content) {
    const rows = cameras().map((camera) => {
      const box = element("div"), row = element("div", "row"), maps = block(content, camera.id);
      box.append(element("h3", "", camera.id), row);
      if (!maps) row.append(element("p", "reading", "No map."));
      row.style.setProperty("--n", maps ? maps.layers.length : 1);
      const top = maps ? Math.max(...maps.max) : 0;
      (maps ? maps.layers : []).forEach((layer, position) => {
        const button = element("button"), place = element("div", "frame"), canvas = element("canvas");
        button.type = "button";
        button.setAttribute("aria-label", "layer " + layer);
        if (layer === state.layer) button.setAttribute("aria-current", "true");
        paint(canvas, maps.values[position], camera.rows, camera.columns, state.scale === "shared" ? top : maps.max[position], camera.bars, 96, maps.signed);
        place.append(canvas);
        const lift = ((((data.lift[state.view] || {})[camera.id] || [])[view().layers.indexOf(layer)]) || [])[state.frame];
        button.append(place, element("span", "", "layer " + layer));
        if (lift !== undefined && lift !== null) button.append(element("span", "", "lift " + short(lift)));
        button.addEventListener("click", () => choose({ layer }));
        row.append(button);
      });
      return box;
    });
    const scale = state.scale === "shared" ? "One colour scale for all layers of a camera" : "Each layer has its own colour scale";
    at("multiples-note").textContent = scale + "; under each stands the lift on the target with the baseline prompt, where there is one.";
    at("multiples").replaceChildren(...rows);
  }

  function trace() {
    const place = at("trace"), position = view().layers.indexOf(state.layer);
    place.replaceChildren();
    const of = (table) => cameras().map((camera) => ({ name: camera.id, colour: camera.colour, dash: camera.dash, values: ((table[state.view] || {})[camera.id] || [])[position] || frames.map(() => null) }));
    const common = { frames, now: state.frame, choose: (frame) => choose({ frame }) };
    const measured = Object.values(data.lift).some((byCamera) => Object.values(byCamera).flat(2).some((v) => v !== null));
    if (measured) keys(place, of(data.lift));
    if (measured) lines(place, { ...common, title: "Lift on the target, layer " + state.layer, series: of(data.lift), log: true, reference: 1 });
    if (measured) lines(place, { ...common, title: "Share of attention on the target, layer " + state.layer, series: of(data.share) });
    const step = view().step in data.ratio ? view().step : data.ratioSteps[data.ratioSteps.length - 1];
    if (step !== undefined) {
      const series = [{ name: "all layers", colour: "#3d9bd1", values: data.ratio[step]["-1"] || frames.map(() => null) }];
      if (view().pass === "suffix" && data.ratio[step][state.layer]) series.push({ name: "layer " + state.layer, colour: "#7d6bb3", dash: "5 3", values: data.ratio[step][state.layer] });
      keys(place, series);
      lines(place, { ...common, title: "Visual / linguistic ratio of the actions, step " + step, series, log: true, reference: 1 });
    }
    at("trace-note").textContent = "By keyframe (frame number below), baseline prompt. Choose a point to go to its frame.";
  }

  function objects(content) {
    const position = view().layers.indexOf(state.layer), rows = [];
    for (const camera of cameras()) {
      for (const o of content.objects[camera.id] || []) {
        const m = (((content.metrics[state.view] || {})[camera.id]) || {})[o.index] || {}, row = element("tr");
        const texts = [o.category, o.role || "", camera.id, percent((m.share || [])[position]), percent(o.area), short((m.lift || [])[position])];
        texts.forEach((text, i) => {
          const cell = element("td", i > 2 ? "num" : "text"), isolate = element("bdi", "", text);
          cell.append(isolate);
          row.append(cell);
        });
        rows.push(row);
      }
    }
    at("objects").replaceChildren(...rows);
    at("objects-note").textContent = rows.length ? "Baseline prompt, " + view().name.toLowerCase() + ", layer " + state.layer + ". In the overlay: solid outline target, dashed distractor, dotted other." : "No object masks for this frame. To fill it: masks beside the episode, then python -m ingest measure and dbt build.";
  }

  function strip() {
    const place = at("strip"), camera = cameras()[0].id;
    place.replaceChildren(...frames.map((frame, i) => {
      const button = element("button");
      button.type = "button";
      if (i === state.frame) button.setAttribute("aria-current", "true");
      if (!asked().frames.includes(frame.index)) button.classList.add("without");
      button.append(picture(frame, camera), String(frame.index));
      button.addEventListener("click", () => choose({ frame: i }));
      return button;
    }));
    const now = place.children[state.frame];
    place.scrollLeft = Math.max(0, now.offsetLeft - place.clientWidth / 2);
  }

  async function show() {
    const frame = frames[state.frame];
    let content;
    try {
      content = await load(frame);
      at("trouble").hidden = true;
    } catch (error) {
      at("trouble").textContent = error.message;
      at("trouble").hidden = false;
      return;
    }
    if (frames[state.frame] !== frame) return;
    panels(frame, content);
    multiples(frame, content);
    objects(content);
    trace();
    document.documentElement.dataset.shown = [frame.index, state.view, state.layer, state.camera, state.condition].join("|");
  }

  function choose(change) {
    const focus = document.activeElement, focused = focus && focus.name ? [focus.name, focus.value] : null;
    Object.assign(state, change);
    if (!view().layers.includes(state.layer)) state.layer = view().layers[0];
    if ("condition" in change && !asked().frames.includes(frames[state.frame].index)) {
      // Prompts may be asked at fewer keyframes: go to the nearest one that has this prompt, the later of two.
      const away = (i) => Math.abs(i - state.frame) - (i > state.frame ? 0.5 : 0);
      const having = frames.map((frame, i) => i).filter((i) => asked().frames.includes(frames[i].index));
      if (having.length) state.frame = having.sort((a, b) => away(a) - away(b))[0];
    }
    controls();
    if (focused) {
      const again = [...at("controls").elements].find((e) => e.name === focused[0] && (e.type !== "radio" || e.value === focused[1]));
      if (again) again.focus();
    }
    strip();
    const place = "#" + ["frame=" + frames[state.frame].index, "view=" + state.view, "layer=" + state.layer].join("&");
    if (location.hash !== place) location.replace(place);
    return show();
  }

  function fromAddress() {
    const wanted = new URLSearchParams(location.hash.slice(1)), change = {};
    const i = frames.findIndex((f) => String(f.index) === wanted.get("frame"));
    if (i >= 0) change.frame = i;
    if (data.views.some((v) => v.id === wanted.get("view"))) change.view = wanted.get("view");
    if (wanted.get("layer") !== null && wanted.get("layer") !== "" && Number.isInteger(Number(wanted.get("layer")))) change.layer = Number(wanted.get("layer"));
    return change;
  }

  at("controls").addEventListener("change", (event) => {
    const input = event.target;
    choose({ [input.name]: input.type === "checkbox" ? input.checked : input.name === "layer" ? Number(input.value) : input.value });
  });
  at("controls").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea, .scroll")) return;
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    choose({ frame: Math.min(frames.length - 1, Math.max(0, state.frame + move)) });
  });
  let width = innerWidth, timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    if (Math.abs(innerWidth - width) > 40) timer = setTimeout(() => { width = innerWidth; label(); trace(); }, 200);
  });
  at("viewer").hidden = false;
  choose(fromAddress());
})();
