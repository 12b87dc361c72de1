"""A reader with a browser who does what a passage of the text says, and nothing else."""

import json
from typing import Any

from tests.support.chromium import Chromium
from tests.support.guide import Path

FIND = """
(name) => {
  const words = (text) => (text || "").replace(/\\s+/g, " ").trim();
  const said = (one) => [
    one.innerText, one.getAttribute("aria-label"), one.title, one.type === "submit" ? one.value : "",
  ].map(words);
  const canBeHit = (one) => {
    one.scrollIntoView({block: "nearest"});
    const box = one.getBoundingClientRect();
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return box.width > 0 && top !== null && (one.contains(top) || top.contains(one));
  };
  const clickable = "a, button, input, select, summary, label, td, [role]";
  const named = [...document.querySelectorAll(clickable)].filter((one) => said(one).includes(name) && !one.disabled);
  return named.find(canBeHit) || null;
}
"""
FOCUS = "(one) => { one.focus(); if (one.select) one.select(); }"
CHOOSE = """
(one, name) => {
  one.value = [...one.options].find((option) => option.text === name).value;
  one.dispatchEvent(new Event("change", {bubbles: true}));
}
"""
SECONDS = 45


class Reader:
    """One who reads a passage and follows it with the mouse and the keys of a browser."""

    def __init__(self, browser: Chromium, passage: str) -> None:
        self.browser = browser
        self.path = Path(passage)

    def open(self, url: str) -> None:
        """Go to an address and wait for its page."""
        self.browser.open("about:blank")
        self.browser.open(url)
        self.browser.wait_until("location.href !== 'about:blank' && document.readyState === 'complete'", SECONDS)

    def click(self, label: str) -> None:
        """Click what bears a label that the text names."""
        self.press(self.path.label(label))

    def press(self, words: str) -> None:
        """Click what bears these words, such as the name of a table, and nothing lies over."""
        element = f"({FIND})({json.dumps(words)})"
        self.browser.wait_until(f"{element} !== null", SECONDS)
        self.browser.ask(f"{element}.click()")

    def press_at(self, selector: str) -> None:
        """Click what stands there without words of its own, or with words that others bear as well."""
        self.browser.wait_until(f"document.querySelector({json.dumps(selector)}) !== null", SECONDS)
        self.browser.ask(f"document.querySelector({json.dumps(selector)}).click()")

    def put(self, selector: str, text: str) -> None:
        """Type into a field, in place of what is there."""
        self.browser.wait_until(f"document.querySelector({json.dumps(selector)}) !== null", SECONDS)
        self.browser.ask(f"({FOCUS})(document.querySelector({json.dumps(selector)}))")
        self.browser.tell("Input.insertText", text=text)

    def choose(self, selector: str, option: str) -> None:
        """Choose an option from a list."""
        self.browser.wait_until(f"document.querySelector({json.dumps(selector)}) !== null", SECONDS)
        self.browser.ask(f"({CHOOSE})(document.querySelector({json.dumps(selector)}), {json.dumps(option)})")

    def sees(self, words: str) -> None:
        """Wait until the page shows these words."""
        self.browser.wait_until(f"(document.body?.innerText ?? '').includes({json.dumps(words)})", SECONDS)

    def ask(self, expression: str) -> Any:
        """A value from the page."""
        return self.browser.ask(expression)
