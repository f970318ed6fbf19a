// Rows that a page holds as columns (reports/html/packing.py), as rows again.
"use strict";
window.gazehouseUnpacked = ({ columns }) => {
  const list = (values) => {
    if (Array.isArray(values)) return values;
    return "all" in values ? Array(values.n).fill(values.all) : values.at.map((i) => (i === null ? null : values.of[i]));
  };
  const lists = Object.entries(columns).map(([name, values]) => [name, list(values)]);
  const n = Math.max(0, ...lists.map(([, values]) => values.length));
  return Array.from({ length: n }, (_, i) => Object.fromEntries(lists.map(([name, values]) => [name, values[i]])));
};
