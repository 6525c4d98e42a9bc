/** The card that says what went wrong, and when another try may succeed. */

import { announce, at, fillFacts, make } from "./dom.js";

/** Shows one refusal at a time. */
export class RefusalCard {
  #timer = null;

  hide() {
    clearInterval(this.#timer);
    // Else the focus of who asked again would be lost with the button.
    if (document.activeElement === at("again")) at("verdict").focus();
    at("refusal").classList.remove("card");
    at("refusal-text").replaceChildren();
    at("refusal-rest").hidden = true;
  }

  /** `canAskAgain`: whether there is a question to repeat. */
  show({ problem, retryAfter }, canAskAgain) {
    clearInterval(this.#timer);
    at("refusal").classList.add("card");
    at("refusal-text").replaceChildren(make("h2", {}, problem.title), make("p", {}, problem.detail));
    const code = make("code", {}, problem.code);
    fillFacts(at("refusal-facts"), [
      // Only the gateway's own answers have a status and a place in its docs.
      ["code", problem.type ? make("a", { href: `docs#${encodeURIComponent(problem.code)}` }, code) : code],
      ["status", problem.status],
      ["field", problem.pointer && make("code", {}, problem.pointer)],
      ["request id", problem.request_id && make("code", {}, problem.request_id)],
    ]);
    at("again").hidden = !canAskAgain;
    at("countdown").textContent = "";
    at("again").ariaDisabled = false;
    if (canAskAgain && retryAfter !== null) this.#countDown(retryAfter);
    at("refusal-rest").hidden = false;
  }

  #countDown(seconds) {
    const end = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      // It keeps the focus, unlike with `disabled`.
      at("again").ariaDisabled = left > 0;
      at("countdown").textContent = left > 0 ? `in ${left} s, as the gateway asks` : "";
      if (left > 0) return;
      clearInterval(this.#timer);
      announce("You can ask again now.");
    };
    this.#timer = setInterval(tick, 200);
    tick();
  }
}
