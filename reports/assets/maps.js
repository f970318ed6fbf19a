// Attention maps on canvases. Between patch centres values are joined in straight lines (bilinear, as OpenCV's INTER_LINEAR,
// edges repeated): nothing is drawn brighter than the brightest patch, and no rings appear that the policy never made.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const table = bytes(window.GAZEHOUSE_COLOURS);

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

  // Draws values / top in colour; bars = letterbox [top, bottom, left, right] in pixels of a 224-px picture, dimmed.
  function paint(canvas, values, rows, columns, top, bars, size) {
    canvas.width = canvas.height = size;
    const context = canvas.getContext("2d"), image = context.createImageData(size, size), data = image.data;
    const fine = upsample(values, rows, columns, size), scale = size / 224;
    const inside = [bars[0] * scale, size - bars[1] * scale, bars[2] * scale, size - bars[3] * scale];
    for (let y = 0, i = 0; y < size; y++) {
      for (let x = 0; x < size; x++, i++) {
        const level = Math.round(255 * Math.min(1, Math.max(0, top > 0 ? fine[i] / top : 0)));
        const dim = y < inside[0] || y >= inside[1] || x < inside[2] || x >= inside[3] ? 0.35 : 1;
        for (let c = 0; c < 3; c++) data[4 * i + c] = table[3 * level + c] * dim;
        data[4 * i + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  function ramp(canvas) {
    canvas.width = 256;
    canvas.height = 1;
    const context = canvas.getContext("2d"), image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([table[3 * i], table[3 * i + 1], table[3 * i + 2], 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  // {b: base64 of layers * patches, max: [layer]} -> values of one layer, in shares of the camera's attention
  function layerOf(block, position) {
    block.bytes = block.bytes || bytes(block.b);
    const n = block.bytes.length / block.max.length, values = new Float32Array(n);
    for (let i = 0; i < n; i++) values[i] = (block.bytes[position * n + i] * block.max[position]) / 255;
    return values;
  }

  window.GazehouseMaps = { paint, ramp, layerOf, upsample };
})();
