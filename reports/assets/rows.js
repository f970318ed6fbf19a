// A long table whose rows lie beside the page (reports/html/row_files.py): sorts, filters and turns pages over all of them.
(() => {
  "use strict";
  const block = document.querySelector("[data-row-files]");
  if (!block) return;
  const { rowFiles, link } = block.dataset, nFiles = Number(block.dataset.nFiles), perPage = Number(block.dataset.perPage);
  const table = block.querySelector("table"), body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const keys = heads.map((head) => head.dataset.key), isNumber = heads.map((head) => head.classList.contains("num"));
  const form = block.querySelector(".filters"), count = form.querySelector("[data-count]"), search = form.querySelector("[data-search]");
  const selects = [...form.querySelectorAll("select")], turns = block.querySelector(".turns"), where = turns.querySelector("[data-where]");
  const collator = new Intl.Collator(undefined, { numeric: true });
  const LONGEST = 160, number = new Intl.NumberFormat("en");
  const files = [];
  let rows = [], found = [], first = 0;

  const short = (text) => (text.length <= LONGEST ? text : text.slice(0, LONGEST - 1) + "…");

  function cell(row, i) {
    const td = document.createElement("td"), text = row["t" + i];
    if (isNumber[i]) {
      td.className = "num";
      td.textContent = text;
      return td;
    }
    td.className = "text";
    if (keys[i] === "outcome" && (text === "success" || text === "failure")) {
      const mark = document.createElement("span");
      mark.className = "outcome " + text;
      mark.textContent = text;
      td.append(mark);
      return td;
    }
    const name = document.createElement("bdi");
    name.textContent = short(text);
    td.append(name);
    if (keys[i] === link) {
      td.classList.add("long");
      if (!text) name.textContent = "no instruction";
      if (row.href) {
        const anchor = document.createElement("a");
        anchor.href = row.href;
        anchor.append(name);
        td.replaceChildren(anchor);
      }
    } else if (keys[i] === "episode_id") {
      td.classList.add("id");
      td.title = text;
    } else if (text.length > 15) td.classList.add("prose-cell");
    return td;
  }

  function show(start) {
    first = Math.max(0, Math.min(start, Math.floor(Math.max(0, found.length - 1) / perPage) * perPage));
    const last = Math.min(found.length, first + perPage);
    body.replaceChildren(...found.slice(first, last).map((row) => {
      const line = document.createElement("tr");
      line.append(...heads.map((_, i) => cell(row, i)));
      return line;
    }));
    where.textContent = found.length ? "rows " + number.format(first + 1) + " to " + number.format(last) + " of " + number.format(found.length) : "no row fits";
    for (const button of turns.querySelectorAll("button")) {
      button.disabled = button.dataset.turn === "first" || button.dataset.turn === "before" ? first === 0 : last === found.length;
    }
    table.parentElement.scrollTop = 0;
  }

  function apply() {
    const words = search.value.trim().toLowerCase();
    const columns = selects.map((select) => keys.indexOf(select.dataset.filter));
    found = rows.filter((row) => {
      if (!selects.every((select, i) => select.selectedIndex === 0 || row["t" + columns[i]] === select.value)) return false;
      if (!words) return true;
      row.all ??= heads.map((_, i) => row["t" + i]).join("\n").toLowerCase();
      return row.all.includes(words);
    });
    count.textContent = number.format(found.length) + " of " + number.format(rows.length) + " rows";
    show(0);
  }

  function sortable(head, i) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    const key = (row) => (isNumber[i] ? row["v" + i] : row["t" + i].trim());
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, b) => {
        // Missing values stay at the end either way.
        const [x, y] = [key(a), key(b)], none = (v) => v === null || v === "";
        if (none(x) || none(y)) return none(x) - none(y);
        const order = isNumber[i] ? x - y : collator.compare(x, y);
        return down ? -order : order;
      });
      apply();
    });
  }

  function ready() {
    rows = files.flat();
    heads.forEach(sortable);
    form.addEventListener("input", apply);
    turns.addEventListener("click", (event) => {
      const turn = event.target.dataset.turn;
      if (turn) show({ first: 0, before: first - perPage, after: first + perPage, last: Infinity }[turn]);
    });
    form.hidden = turns.hidden = false;
    block.querySelector("[data-only-first]").hidden = true;
    apply();
    document.documentElement.dataset.rows = "ready";
  }

  window.gazehouseRows = (i, packed) => {
    files[i] = window.gazehouseUnpacked(packed);
  };
  function load(i) {
    if (i === nFiles) return ready();
    const script = document.createElement("script");
    script.src = rowFiles + "/" + String(i).padStart(4, "0") + ".js";
    script.addEventListener("load", () => load(i + 1));
    script.addEventListener("error", () => {
      block.querySelector("[data-only-first]").textContent = "The other rows could not be loaded: " + rowFiles + " is not beside this page. Only the first ones are shown.";
    });
    document.head.append(script);
  }
  load(0);
})();
