// Follows the stream of snapshots and shows each. No library, and nothing is asked of any other host.
"use strict";

const QUIET_MS = 5000; // a snapshot comes every second: after this long without one, the stream is lost
const AGAIN_MS = 3000;
const HISTORY = 60; // snapshots in a topic's line
const byId = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const clock = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);
const known = (value) => value !== null && value !== undefined;

function amount(value, digits = 0) {
  return known(value) ? value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }) : "–";
}

function cell(value, classes = "", digits = 0) {
  const zero = value === 0 || !known(value) ? " zero" : "";
  return element("td", { class: `number ${classes}${zero}` }, amount(value, digits));
}

// --- services -----------------------------------------------------------------------------------------------------

const STATES = { up: "● up", down: "▲ down", off: "○ off", unknown: "… not yet known" };
const before = new Map(); // name -> state, to tell changes to those who hear the page

function since(service) {
  if (service.state === "off") return "not part of this stack";
  if (service.state !== "down") return "";
  return `since ${clock(service.since)}${service.since_first_look ? " or earlier" : ""}`;
}

function tell(services) {
  const changed = services.filter((one) => before.has(one.name) && before.get(one.name) !== one.state && one.state !== "unknown");
  for (const one of services) before.set(one.name, one.state);
  if (changed.length) byId("changes").textContent = changed.map((one) => `${one.name} is ${one.state} ${since(one)}`).join(". ");
}

const breakable = (name) => name.split("_").flatMap((part, at) => (at ? ["_", element("wbr"), part] : [part]));

function showServices(services) {
  tell(services);
  byId("services").replaceChildren(
    ...services.map((one) =>
      element("li", { "data-state": one.state, "data-service": one.name },
        element("span", { class: "name" }, ...breakable(one.name)),
        element("span", { class: "state" }, STATES[one.state], " ", element("span", { class: "since" }, since(one))))));
}

// --- figures ------------------------------------------------------------------------------------------------------

function showLags(lags) {
  for (const place of document.querySelectorAll("[data-lag]")) {
    const value = lags[place.dataset.lag];
    const unit = place.dataset.unit;
    place.textContent = unit && known(value) ? `${amount(value, 1)} ${unit}` : amount(value);
  }
}

const lines = new Map(); // topic -> its last values

function line(name, value) {
  const values = [...(lines.get(name) ?? []), known(value) ? value : 0].slice(-HISTORY);
  lines.set(name, values);
  const highest = Math.max(1, ...values);
  const points = values.map((one, at) => `${HISTORY - values.length + at},${19 - (18 * one) / highest}`).join(" ");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${HISTORY - 1} 20`);
  svg.setAttribute("preserveAspectRatio", "none");
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  drawn.setAttribute("points", points);
  svg.append(drawn);
  return element("td", { class: "line", "aria-hidden": "true" }, svg);
}

const topicName = (name) => element("th", { scope: "row", title: name }, name.split(".").slice(1).join("."));

function showTopics(topics) {
  document.querySelector("#topics tbody").replaceChildren(
    ...topics.map((one) =>
      element("tr", { "data-topic": one.name }, topicName(one.name), cell(one.published_per_second, "", 1),
        cell(one.applied_per_second, "", 1), line(one.name, one.applied_per_second),
        cell(one.lag, one.lag > 0 ? "behind" : ""), cell(one.applied, "total"))));
}

function showTriggers(triggers) {
  document.querySelector("#triggers tbody").replaceChildren(
    ...triggers.map((one) =>
      element("tr", { "data-trigger": one.trigger }, element("th", { scope: "row" }, one.trigger), cell(one.requests),
        ...["SAFE", "REVIEW", "FLAG"].map((what) => cell(one.decisions ? one.decisions[what] ?? 0 : null)))));
}

// --- decisions ----------------------------------------------------------------------------------------------------

function reasons(decision) {
  const points = (ground) => (known(ground.points) ? `${ground.points < 0 ? "−" : "+"}${Math.abs(ground.points).toFixed(2)} ` : "");
  const list = element("ul", { class: "grounds" },
    ...decision.grounds.map((ground) => element("li", {}, element("span", { class: "points" }, points(ground), ground.name),
      element("span", { class: "why" }, ground.reason && `: ${ground.reason}`))));
  const none = element("span", { class: "none" }, "no rule fired");
  return element("div", {}, decision.grounds.length ? list : none, element("span", { class: "by" }, `by ${decision.by}`));
}

function decisionRow(one) {
  const cells = [
    element("time", { datetime: new Date(one.at * 1000).toISOString() }, clock(one.at)),
    element("a", { href: `/images/${one.image_id}` }, `image ${one.image_id}`),
    one.trigger,
    one.score.toFixed(2),
    element("span", { class: "badge", "data-is": one.recommendation }, one.recommendation),
    reasons(one),
  ];
  const row = element("tr", { role: "row", "data-decision": one.id });
  row.append(...cells.map((content, at) => element("td", { role: "cell", class: at === 3 ? "number" : "" }, content)));
  return row;
}

let shownDecisions = null;

function showDecisions(decisions) {
  const ids = decisions.map((one) => one.id).join();
  if (ids === shownDecisions) return;
  const first = shownDecisions === null;
  shownDecisions = ids;
  const body = document.querySelector("#decisions tbody");
  const rows = new Map([...body.children].map((row) => [row.dataset.decision, row])); // kept, so that focus stays
  body.replaceChildren(...decisions.map((one) => {
    const kept = rows.get(String(one.id));
    const row = kept ?? decisionRow(one);
    row.classList.toggle("new", !first && !kept);
    return row;
  }));
  byId("no-decisions").hidden = decisions.length > 0;
  byId("decisions").hidden = decisions.length === 0;
}

// --- the stream ---------------------------------------------------------------------------------------------------

let stream, quiet, lostAt = null, services = [];

function connection(state, text) {
  if (byId("connection").dataset.state === state && state !== "connecting") return;
  byId("connection").dataset.state = state;
  byId("connection-text").textContent = text;
}

function lost() {
  lostAt ??= Date.now() / 1000;
  connection("lost", `No stream since ${clock(lostAt)}. The API does not answer, or has too many viewers. Trying again every 3 s.`);
  byId("main").dataset.stale = "true";
  const unknown = (one) => ({ ...one, state: "unknown", since: null });
  showServices(services.map((one) => (one.name === "API" ? { ...one, state: "down", since: lostAt, since_first_look: false } : unknown(one))));
  clearTimeout(quiet);
  stream.close();
  quiet = setTimeout(connect, AGAIN_MS);
}

function show(snapshot) {
  lostAt = null;
  connection("live", "Live, one update a second");
  byId("main").dataset.stale = "false";
  services = snapshot.services;
  showServices(services);
  showLags(snapshot.lags);
  showTopics(snapshot.topics);
  showTriggers(snapshot.triggers);
  showDecisions(snapshot.decisions);
}

function connect() {
  stream = new EventSource("/live/events");
  stream.onmessage = (message) => {
    clearTimeout(quiet);
    quiet = setTimeout(lost, QUIET_MS);
    show(JSON.parse(message.data));
  };
  stream.onerror = lost; // whatever the reason: we say so, and connect again ourselves
  clearTimeout(quiet);
  quiet = setTimeout(lost, QUIET_MS);
}

connect();
