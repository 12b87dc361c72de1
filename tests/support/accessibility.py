"""What axe-core finds in the page that a browser shows."""

import json
from pathlib import Path

from tests.support.chromium import Chromium

AXE = Path(__file__).parents[1] / "vendor/axe/axe.min.js"
GRAVE = {"serious", "critical"}

# Code and signatures have thousands of words of a few kinds, and the contrast of each is measured. One whose classes
# and style, and those of all around it, have been seen before in the page looks the same, and becomes part of the text
# around it.
_RUN = """
window.found = null;
{
  const kinds = new Set();
  for (const word of document.querySelectorAll("pre span, dt.sig span")) {
    const classes = [];
    for (let around = word; around; around = around.parentElement) classes.push(around.className, around.style.cssText);
    const kind = classes.join(">");
    if (kinds.has(kind)) word.replaceWith(...word.childNodes);
    kinds.add(kind);
  }
}
axe.run(document, {resultTypes: ["violations"]}).then((result) => {
  const told = (rule) => rule.nodes.map((node) => `${rule.impact} ${rule.id}: ${node.html} ${node.failureSummary}`);
  window.found = JSON.stringify({rules: result.passes.length, violations: result.violations.flatMap(told)});
});
1
"""


def violations(browser: Chromium) -> list[str]:
    """What hinders people in this page seriously, one sentence each; what is moderate or minor is left out."""
    browser.ask(AXE.read_text() + "; 1")
    browser.ask(_RUN)
    browser.wait_until("window.found !== null")
    found = json.loads(browser.ask("window.found"))
    assert found["rules"] >= 10, "axe has looked at nearly nothing"
    return [one for one in found["violations"] if one.split(" ", 1)[0] in GRAVE]
