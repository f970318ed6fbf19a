// Attention maps on canvases. Between patch centres values are joined in straight lines (bilinear, as OpenCV's INTER_LINEAR,
// edges repeated): nothing is drawn brighter than the brightest patch, and no rings appear that the policy never made.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const table = bytes(window.GAZEHOUSE_COLOURS), diverging = bytes(window.GAZEHOUSE_DIVERGING);

  const known = new Map();
  function taps(from, to) {
    const key = from + ">" + to;
    if (!known.has(key)) {
      const rows = [];
      for (let i = 0; i < to; i++) {
        const at = ((i + 0.5) * from) / to - 0.5, first = Math.floor(at), near = (k) => Math.min(from - 1, Math.max(0, k));
        rows.push([[near(first), first + 1 - at], [near(first + 1), at - first]]);
      }
      known.set(key, rows);
    }
    return known.get(key);
  }

  // values [rows * columns] -> size * size
  function upsample(values, rows, columns, size) {
    const across = taps(columns, size), down = taps(rows, size);
    const wide = new Float32Array(rows * size), out = new Float32Array(size * size);
    for (let r = 0; r < rows; r++) {
      for (let x = 0; x < size; x++) {
        let sum = 0;
        for (const [c, weight] of across[x]) sum += weight * values[r * columns + c];
        wide[r * size + x] = sum;
      }
    }
    for (let y = 0; y < size; y++) {
      const rowTaps = down[y];
      for (let x = 0; x < size; x++) {
        let sum = 0;
        for (const [r, weight] of rowTaps) sum += weight * wide[r * size + x];
        out[y * size + x] = sum;
      }
    }
    return out;
  }

  // Draws values / top in colour, signed ones on a two-sided scale whose middle is 0; bars = letterbox [top, bottom, left, right] in pixels of a 224-px picture, dimmed.
  function paint(canvas, values, rows, columns, top, bars, size, signed) {
    canvas.width = canvas.height = size;
    const context = canvas.getContext("2d"), image = context.createImageData(size, size), data = image.data;
    const fine = upsample(values, rows, columns, size), scale = size / 224, colours = signed ? diverging : table;
    const inside = [bars[0] * scale, size - bars[1] * scale, bars[2] * scale, size - bars[3] * scale];
    for (let y = 0, i = 0; y < size; y++) {
      for (let x = 0; x < size; x++, i++) {
        const share = top > 0 ? fine[i] / top : 0, level = Math.round(255 * Math.min(1, Math.max(0, signed ? (share + 1) / 2 : share)));
        const dim = y < inside[0] || y >= inside[1] || x < inside[2] || x >= inside[3] ? 0.35 : 1;
        for (let c = 0; c < 3; c++) data[4 * i + c] = colours[3 * level + c] * dim;
        data[4 * i + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  function ramp(canvas, signed) {
    const colours = signed ? diverging : table;
    canvas.width = 256;
    canvas.height = 1;
    const context = canvas.getContext("2d"), image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([colours[3 * i], colours[3 * i + 1], colours[3 * i + 2], 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  // {b: base64 of layers * patches, max: [layer]} -> values of one layer, in shares of the camera's attention
  function layerOf(block, position) {
    block.bytes = block.bytes || bytes(block.b);
    const n = block.bytes.length / block.max.length, values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = (block.bytes[position * n + i] * block.max[position]) / 255;
    return values;
  }

  // The maps of every layer as they are, or what they differ by from another block's; the largest of each layer, up or down.
  function layersOf(block, base) {
    const at = (l) => (base ? base.layers.indexOf(l) : 0), layers = block.layers.filter((l) => at(l) >= 0);
    const values = layers.map((l) => {
      const own = layerOf(block, block.layers.indexOf(l));
      if (!base) return own;
      const other = layerOf(base, at(l));
      return own.map((v, i) => v - other[i]);
    });
    const max = base ? values.map((list) => list.reduce((most, v) => Math.max(most, Math.abs(v)), 0)) : layers.map((l) => block.max[block.layers.indexOf(l)]);
    return { layers, values, max, mass: layers.map((l) => block.mass[block.layers.indexOf(l)]), signed: Boolean(base) };
  }

  window.GazehouseMaps = { paint, ramp, layersOf, upsample };
})();
