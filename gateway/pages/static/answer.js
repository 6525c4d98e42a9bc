/** The answer card: verdict, ranked intents as bars, timing. */

import { described } from "./around.js";
import { announce, at, fillFacts, make, named } from "./dom.js";

const PHASES = ["queue", "model", "gateway"];
const milliseconds = (value) => `${value.toFixed(1)} ms`;

/** A score as it is shown everywhere. */
export const score = (value) => value.toFixed(3);

/** Shows one answer at a time. */
export class Answer {
  #result = null;
  #version = null;
  #abstained = false;

  hide() {
    this.#result = null;
    at("answer").hidden = true;
  }

  /** `asked`: the request's body; `content`: the gateway's answer; `roundTrip`: milliseconds as this browser saw them. */
  show(asked, content, roundTrip) {
    this.#result = content.result;
    this.#version = content.model.version;
    at("question").textContent = asked.text;
    at("question-around").textContent = described(asked) && `: ${described(asked)}`;
    const { intents } = content.result;
    at("intents").replaceChildren(...intents.map((each) => bar(each)));
    this.#judge(asked.threshold, content.result.abstained);
    this.#announce();
    this.#showTiming(content, roundTrip);
    at("answer").hidden = false;
  }

  /** Another threshold for the answer that is shown: the gateway's rule (abstains below it), without asking again. */
  rethink(threshold) {
    if (this.#result === null) return;
    const before = this.#abstained;
    this.#judge(threshold, this.#result.score < threshold);
    // Not at every step of the slider.
    if (this.#abstained !== before) this.#announce();
  }

  #announce() {
    announce(`${at("verdict").textContent}, ${at("verdict-note").textContent}. Answered by version ${this.#version}.`);
  }

  #judge(threshold, abstained) {
    this.#abstained = abstained;
    const best = this.#result.intents[0];
    const limit = threshold.toFixed(2);
    at("answer").classList.toggle("abstained", abstained);
    at("verdict").replaceChildren(...(abstained ? ["Abstained"] : named(best.intent)));
    const sure = threshold > 0 ? `score ${score(best.score)}, not below ${limit}` : `score ${score(best.score)}`;
    const unsure = `the best score, ${score(best.score)} for ${best.intent}, is below ${limit}`;
    at("verdict-note").textContent = abstained ? unsure : sure;
    const list = at("intents");
    list.style.setProperty("--threshold", threshold);
    list.classList.toggle("marked", threshold > 0);
    this.#result.intents.forEach((each, index) => {
      list.children[index].classList.toggle("below", each.score < threshold);
    });
  }

  #showTiming({ timing_ms: timing, model, request_id: requestId }, roundTrip) {
    const parts = PHASES.map((phase) => {
      const part = make("span", { className: phase });
      part.style.flexGrow = timing[phase];
      return part;
    });
    at("timing-bar").replaceChildren(...parts);
    fillFacts(at("timing"), [
      ...PHASES.map((phase) => [make("span", { className: phase }, phase), milliseconds(timing[phase])]),
      ["total", milliseconds(timing.total)],
      ["in this browser", milliseconds(roundTrip)],
    ]);
    fillFacts(at("answer-facts"), [
      ["model", `${model.name}, version ${model.version}`],
      ["request id", make("code", {}, requestId)],
    ]);
  }
}

function bar({ intent, score: value }) {
  const track = make("span", { className: "track" }, make("span", { className: "fill" }));
  const item = make("li", {}, make("code", {}, ...named(intent)), make("span", { className: "score" }, score(value)), track);
  item.style.setProperty("--score", value);
  return item;
}
