/** What this tab remembers until it is closed: the API key and the recent questions. */

const MOST_RECENT = 8;
const PARTS = ["text", "role", "previous"];

/** The tab's sessionStorage, or plain memory where the browser forbids storage. */
export class Memory {
  #values = new Map();

  /** The API key, or null. */
  get key() {
    return this.#read("key");
  }

  set key(value) {
    this.#write("key", value);
  }

  /** Newest first: [{text, role, previous, outcome}]; what was not known is left out. */
  get recent() {
    return this.#read("recent") ?? [];
  }

  /** Puts a question first; the same one is listed once. */
  remember(question, outcome) {
    const isOther = (each) => PARTS.some((part) => each[part] !== question[part]);
    this.#write("recent", [{ ...question, outcome }, ...this.recent.filter(isOther)].slice(0, MOST_RECENT));
  }

  forgetRecent() {
    this.#write("recent", []);
  }

  #read(name) {
    try {
      return JSON.parse(sessionStorage.getItem(name));
    } catch {
      return this.#values.get(name) ?? null;
    }
  }

  #write(name, value) {
    this.#values.set(name, value);
    try {
      sessionStorage.setItem(name, JSON.stringify(value));
    } catch {
      // Kept in plain memory, until the page is loaded again.
    }
  }
}
