// Tables that sort, filter and say that they go on, and copy buttons. Every page works without it; this only adds comfort.
(() => {
  "use strict";

  function sortable(table) {
    const body = table.tBodies[0];
    table.querySelectorAll("thead th").forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const numeric = head.classList.contains("num");
        const key = (row) => {
          const cell = row.cells[column];
          if (!numeric) return cell.textContent.trim();
          return "v" in cell.dataset ? Number(cell.dataset.v) : null;
        };
        const rows = [...body.rows].map((row) => [key(row), row]);
        rows.sort(([a], [b]) => {
          // Missing values stay at the end either way.
          const none = (v) => v === null || v === "";
          if (none(a) || none(b)) return none(a) - none(b);
          const order = numeric ? a - b : a.localeCompare(b, undefined, { numeric: true });
          return down ? -order : order;
        });
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  function filterable(block) {
    const form = block.querySelector(".filters");
    if (!form) return;
    form.hidden = false;
    const selects = [...form.querySelectorAll("select")], search = form.querySelector("[data-search]"), count = form.querySelector("[data-count]");
    const table = block.querySelector("table"), rows = [...table.tBodies[0].rows];
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.key);
    const apply = () => {
      // A column of one chosen value says nothing more.
      for (const select of selects) {
        const column = heads.indexOf(select.dataset.filter);
        for (const row of table.rows) row.cells[column].hidden = select.selectedIndex > 0;
      }
      const words = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const fits = selects.every((select, i) => select.selectedIndex === 0 || row.getAttribute("data-f-" + i) === select.value);
        const found = fits && (!words || row.textContent.toLowerCase().includes(words));
        row.hidden = !found;
        shown += found;
      }
      count.textContent = shown + " of " + rows.length + " rows";
    };
    form.addEventListener("input", apply);
    apply();
  }

  async function copy(button) {
    const text = button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // A page from a file may not reach the clipboard: select the text, so that Ctrl-C takes it.
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  // Says of a table that does not fit which way it goes on. All are measured before anything is written: a page is laid out
  // again whenever it is measured after a change.
  const hints = new Map();
  const resized = new ResizeObserver((entries) => {
    const boxes = new Set(entries.map((entry) => entry.target.closest(".scroll")));
    const found = [...boxes].map((box) => [hints.get(box), box.scrollWidth > box.clientWidth + 2 ? "→" : "", box.scrollHeight > box.clientHeight + 2 ? "↓" : ""]);
    for (const [hint, ...ways] of found) {
      const text = "scroll " + ways.filter(Boolean).join(" ");
      hint.hidden = !ways.some(Boolean);
      if (hint.textContent !== text) hint.textContent = text;
    }
  });
  function hinted(box) {
    const hint = document.createElement("p");
    hint.className = "scroll-hint";
    hint.hidden = true;
    hint.setAttribute("aria-hidden", "true");
    box.before(hint);
    hints.set(box, hint);
    resized.observe(box); // which tells of the first size too
    if (box.firstElementChild) resized.observe(box.firstElementChild);
  }

  document.querySelectorAll(".scroll").forEach(hinted);
  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  document.querySelectorAll(".table-block").forEach(filterable);
  document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", () => copy(button)));
})();
