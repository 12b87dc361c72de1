// Keys and focus. Every page works without this file; nothing is asked of any other host.
"use strict";

const KEPT = "moderation-single-keys";
const ACTIONS = { c: "confirm", r: "reject", h: "hide", u: "restore" };
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector, within = document) => within.querySelector(selector);

const switchOfKeys = one("#single-keys input");
const keysAct = () => switchOfKeys !== null && switchOfKeys.checked;

function remember() {
  one("#single-keys").hidden = false;
  try {
    switchOfKeys.checked = localStorage.getItem(KEPT) !== "off";
    switchOfKeys.addEventListener("change", () => localStorage.setItem(KEPT, keysAct() ? "on" : "off"));
  } catch {
    // A browser that keeps nothing: the switch holds for this page.
  }
}

function move(selector, step) {
  const places = all(selector);
  if (!places.length) return false;
  const inside = places.findIndex((place) => place.contains(document.activeElement));
  const to = inside < 0 ? (step > 0 ? 0 : places.length - 1) : Math.min(Math.max(inside + step, 0), places.length - 1);
  const target = places[to].matches("a, button") ? places[to] : one("button", places[to]);
  target.focus();
  places[to].scrollIntoView({ block: "nearest" });
  return true;
}

function press(element) {
  if (element) element.click();
  return Boolean(element);
}

function act(action) {
  const comment = document.activeElement?.closest("[data-comment]");
  return press(one(`button[name=action][value=${action}]`, comment ?? one("#on-image") ?? document));
}

function toggleList() {
  const list = one("#keys");
  if (list.toggleAttribute("open")) one("summary", list).focus();
  return true;
}

function leaveComments() {
  if (!document.activeElement?.closest("[data-comment]")) return false;
  one("#on-image button").focus();
  return true;
}

function meant(key) {
  if (key === "Escape") return leaveComments();
  if (!keysAct()) return false;
  if (Object.hasOwn(ACTIONS, key)) return act(ACTIONS[key]);
  if (key === "j" || key === "k") return move(".queue .item", key === "j" ? 1 : -1);
  if (key === "m") return move("[data-comment]", 1);
  if (key === "n") return press(one("#next"));
  if (key === "q") return press(one("#back"));
  return key === "?" && toggleList();
}

if (switchOfKeys) {
  remember();
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (meant(event.key)) event.preventDefault();
  });
}

// A form is sent once, however often its button is pressed.
for (const form of all("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "true";
  });
}
// A page that comes back from the browser's memory can be sent again.
addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => delete form.dataset.sent));
