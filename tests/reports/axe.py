"""The rules of axe-core, on a page that is open."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

IS_THERE = find_spec("axe_playwright_python") is not None
NOT_THERE = "axe-playwright-python is not installed"

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
# What comes from one template again and again is looked at a few times: the rules take as long as the page is large.
# Of `details` one of each kind is opened; of those that stay closed no rule looks at the content. Inside a chart there
# is nothing to read: its place has the role of a picture, a text alternative and a table.
TRIM = """() => {
  const seen = new Set(), figures = {};
  for (const figure of document.querySelectorAll("figure.chart")) {
    figures[figure.className] = (figures[figure.className] || 0) + 1;
    if (figures[figure.className] > 6) figure.remove();
  }
  for (const box of document.querySelectorAll("details")) {
    const summary = box.querySelector("summary"), kind = summary.textContent.trim().split(/\\s/)[0];
    if (!seen.has(kind)) box.open = true;
    else if (!box.open) box.replaceChildren(summary);
    seen.add(kind);
  }
  for (const row of document.querySelectorAll("tbody tr:nth-child(n+4)")) row.remove();
  for (const place of document.querySelectorAll(".vega")) {
    place.replaceChildren();
    place.classList.remove("vega");
  }
}"""
# Contrast takes most of the time, and elements that look alike on alike grounds all have the same: it is looked at for two
# of each. The others are made see-through, by which axe-core leaves out contrast and nothing else; they keep their places,
# names and roles. A link stays, because another rule compares it with the text around it.
LIKE_EACH_OTHER = """() => {
  const grounds = new Map([[null, ""]]), seen = {}, kept = new Set(document.querySelectorAll("a, input, select, textarea"));
  for (const element of document.querySelectorAll("[data-alike]")) {
    element.style.opacity = "";
    delete element.dataset.alike;
  }
  const groundOf = (element) => {
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, position } = getComputedStyle(element);
      const own = [element.tagName, element.className.baseVal ?? element.className, backgroundColor, backgroundImage, opacity, filter, position];
      grounds.set(element, own.join("|") + ">" + groundOf(element.parentElement));
    }
    return grounds.get(element);
  };
  const texts = [...document.body.querySelectorAll("*")].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  for (const element of texts) {
    const { color, fill, fontSize, fontWeight, textShadow } = getComputedStyle(element);
    const look = [color, fill, fontSize, fontWeight, textShadow, element.checkVisibility(), groundOf(element)].join("|");
    seen[look] = (seen[look] || 0) + 1;
    if (seen[look] <= 2) kept.add(element);
  }
  const needed = new Set();
  for (let element of kept) for (; element && !needed.has(element); element = element.parentElement) needed.add(element);
  for (const element of texts) if (!needed.has(element)) {
    element.dataset.alike = "";
    element.style.opacity = "0";
  }
}"""
# Nothing is preloaded: the page's policy forbids a script to ask for a style sheet again.
CHECK = """async (options) => (await axe.run({resultTypes: ["violations"], preload: false, ...options})).violations.map((rule) => ({
  rule: rule.id + " (" + rule.impact + ")", target: String(rule.nodes[0].target), summary: rule.nodes[0].failureSummary,
}))"""


def trim(page: Page) -> None:
    """Leave of a page what the rules have to look at, and make them known to it."""
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(TRIM)
    page.evaluate(AXE_SCRIPT)


def broken_rules(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """Rules that a trimmed page breaks, with the first place of each."""
    page.evaluate(LIKE_EACH_OTHER)
    return [
        f"{found['rule']} at {found['target']}: {found['summary']}"
        for found in page.evaluate(CHECK, options or {})
    ]
