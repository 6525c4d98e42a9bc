/** Wires the page: what a person does, what the gateway is asked, what is shown. */

import { Answer, score } from "./answer.js";
import { Gateway, Overtaken, Refusal } from "./api.js";
import { Around, described } from "./around.js";
import { announce, at, make } from "./dom.js";
import { Memory } from "./memory.js";
import { ModelCard } from "./model.js";
import { RefusalCard } from "./refusal.js";

// Bars that fit on a screen; a model with more intents shows the likeliest.
const MOST_INTENTS = 12;
// Those that one types into.
const FIELDS = ["text", "previous"];
const LONGEST = Number(document.documentElement.dataset.maxTextCharacters);

const memory = new Memory();
const gateway = new Gateway(() => memory.key);
const model = new ModelCard(gateway, onModelRefusal);
const around = new Around();
const answer = new Answer();
const refusalCard = new RefusalCard();
let lastAsked = null;

window.addEventListener("error", (event) => showFailure(event.message));
window.addEventListener("unhandledrejection", (event) => showFailure(String(event.reason)));

const threshold = () => at("threshold").valueAsNumber;

// `question`: text, and what is known around it.
async function ask(question) {
  const body = { ...question, top_k: MOST_INTENTS, threshold: threshold() };
  if (model.version !== null) body.version = model.version;
  lastAsked = question;
  // The same words twice would not be read out again.
  announce("");
  setBusy(true);
  try {
    const { content, milliseconds } = await gateway.predict(body);
    answer.show(body, content, milliseconds);
    refusalCard.hide();
    reveal(at("answer"), at("verdict-note"));
    showRaw(body, content);
    const { abstained, intent, score: value } = content.result;
    memory.remember(question, abstained ? "abstained" : `${intent} ${score(value)}`);
    model.met(content.model.version);
  } catch (error) {
    if (error instanceof Overtaken) return;
    if (!(error instanceof Refusal)) throw error;
    answer.hide();
    refusalCard.show(error, true);
    reveal(at("refusal"), at("refusal-rest"));
    showRaw(body, error.problem);
    memory.remember(question, error.problem.code);
    if (error.problem.status === 401) wantKey();
    if (error.problem.code === "unknown_version") model.load();
  }
  setBusy(false);
  showRecent();
}

// On a small screen the answer is far below the question: goes to the card if its essential part is out of sight.
function reveal(card, essential) {
  if (essential.getBoundingClientRect().bottom <= window.innerHeight) return;
  // Else its keyboard would cover the answer.
  if (window.matchMedia("(pointer: coarse)").matches) at("text").blur();
  card.scrollIntoView({ block: "start" });
}

function onModelRefusal(error) {
  if (error.problem.status === 401) wantKey();
}

function showFailure(message) {
  setBusy(false);
  const detail = `Load the page again; if it comes back, please report it. The error was: ${message}`;
  refusalCard.show(new Refusal({ title: "This page has an error", detail, code: "page_error" }), false);
}

function setBusy(busy) {
  at("ask").setAttribute("aria-busy", busy);
}

function showRaw(body, content) {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  const key = memory.key === null ? "" : ` -H "Authorization: Bearer $KEY"`;
  at("raw-request").textContent =
    `curl -H 'Content-Type: application/json'${key} -d '${quoted}' ${new URL("v1/predict", location.href)}`;
  at("raw-answer").textContent = JSON.stringify(content, null, 2);
  at("raw").hidden = false;
}

function showRecent() {
  const items = memory.recent.map(({ outcome, ...question }) => {
    const notes = [described(question), outcome].filter(Boolean).map((each) => make("span", { className: "note" }, each));
    const button = make("button", { type: "button" }, question.text, ...notes);
    button.addEventListener("click", () => askThis(question));
    return make("li", {}, button);
  });
  const focused = at("recent").contains(document.activeElement);
  at("recent").replaceChildren(...items);
  // The question that was clicked is the first now.
  if (focused) at("recent").querySelector("button").focus();
  at("recent-empty").hidden = items.length > 0;
  at("recent-forget").hidden = items.length === 0;
}

function askThis(question) {
  at("text").value = question.text;
  around.show(question);
  countCharacters();
  ask(question);
}

function countCharacters() {
  for (const field of FIELDS) {
    // Code points, as the gateway counts them.
    const count = [...at(field).value].length;
    at(`${field}-count`).textContent = `${count} of ${LONGEST}`;
    at(`${field}-count`).classList.toggle("too-many", count > LONGEST);
  }
}

function showThreshold() {
  at("threshold-value").textContent = threshold().toFixed(2);
}

function wantKey() {
  showKey(false);
  at("key-value").focus();
}

function showKey(used) {
  at("key").hidden = false;
  at("key-form").hidden = used;
  at("key-used").hidden = !used;
}

at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  ask({ text: at("text").value, ...around.value });
});

for (const field of FIELDS) {
  at(field).addEventListener("keydown", (event) => {
    // While an input method composes, Enter takes its proposal.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    at("ask").requestSubmit();
  });
  at(field).addEventListener("input", countCharacters);
}

at("threshold").addEventListener("input", () => {
  showThreshold();
  answer.rethink(threshold());
});

for (const button of at("examples").querySelectorAll("button")) {
  button.addEventListener("click", () => askThis({ text: button.textContent }));
}

at("again").addEventListener("click", () => {
  if (at("again").ariaDisabled !== "true") askThis(lastAsked);
});

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  memory.key = at("key-value").value.trim();
  at("key-value").value = "";
  showKey(true);
  // A key may allow few requests a second, so the question goes first; the lists follow its answer.
  if (lastAsked === null) model.load();
  else ask(lastAsked);
  at("text").focus();
});

at("key-forget").addEventListener("click", () => {
  memory.key = null;
  wantKey();
});

at("recent-forget").addEventListener("click", () => {
  memory.forgetRecent();
  showRecent();
  at("text").focus();
});

at("no-script").remove();
at("threshold").value = document.documentElement.dataset.threshold;
showThreshold();
countCharacters();
showRecent();
if (memory.key !== null) showKey(true);
model.load();
