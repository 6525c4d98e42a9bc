/** What is known around the text: who said it, and what was said right before. */

import { at } from "./dom.js";

/** A question's role and previous turn in a few words; empty if it has neither. */
export function described({ role, previous }) {
  const words = [];
  if (role) words.push(`the ${role} says it`);
  if (previous) words.push(`after “${previous}”`);
  return words.join(", ");
}

/** The two fields behind the disclosure. What they hold is sent whether it is open or not, so its title tells it. */
export class Around {
  constructor() {
    at("around").addEventListener("input", () => this.#tell());
    this.#tell();
  }

  /** What is known: role and previous, as the gateway takes them; what is not known is left out. */
  get value() {
    const role = at("role").value;
    const previous = at("previous").value;
    return { ...(role && { role }), ...(previous.trim() && { previous }) };
  }

  /** Puts in what was known around another question. */
  show({ role = "", previous = "" }) {
    at("role").value = role;
    at("previous").value = previous;
    this.#tell();
  }

  #tell() {
    at("around-note").textContent = described(this.value) || "add the speaker and the previous turn";
  }
}
