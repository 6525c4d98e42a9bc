/** What this tab remembers until it is closed: the API key and the recent questions. */

const MOST_RECENT = 8;

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

  /** Newest first: [{text, outcome}]. */
  get recent() {
    return this.#read("recent") ?? [];
  }

  /** Puts a question first; the same text is listed once. */
  remember(text, outcome) {
    const others = this.recent.filter((each) => each.text !== text);
    this.#write("recent", [{ text, outcome }, ...others].slice(0, MOST_RECENT));
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
