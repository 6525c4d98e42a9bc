/** What the page asks of the gateway. Every failure is a Refusal, whoever caused it. */

// Above the longest time that a gateway gives a request, so that its own refusal comes first.
const PATIENCE_MS = 60_000;

/** Why there is no answer, in the words of a problem document (RFC 9457). */
export class Refusal extends Error {
  /** `problem`: title, detail, code, and where known status, pointer, request_id; `retryAfter`: seconds or null. */
  constructor(problem, retryAfter = null) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The question was overtaken by the next one: nothing to tell anybody. */
export class Overtaken extends Error {}

/** The gateway at this page's address. */
export class Gateway {
  #key;
  #running = null;

  /** `key`: () => the API key or null. */
  constructor(key) {
    this.#key = key;
  }

  /** Asks for the intents of a text; ends the question that still runs, if any. Returns {content, milliseconds}. */
  async predict(body) {
    this.#running?.abort(new Overtaken());
    const running = new AbortController();
    this.#running = running;
    const start = performance.now();
    try {
      const content = await this.#call("v1/predict", running, body);
      return { content, milliseconds: performance.now() - start };
    } finally {
      if (this.#running === running) this.#running = null;
    }
  }

  /** The versions of the model, their states and labels. */
  models() {
    return this.#call("v1/models", new AbortController());
  }

  /** The intents that a version can answer; null = the gateway's default version. */
  intents(version) {
    const query = version === null ? "" : `?version=${encodeURIComponent(version)}`;
    return this.#call(`v1/intents${query}`, new AbortController());
  }

  async #call(path, controller, body = null) {
    const headers = new Headers({ Accept: "application/json, application/problem+json" });
    if (this.#key() !== null) headers.set("Authorization", `Bearer ${this.#key()}`);
    if (body !== null) headers.set("Content-Type", "application/json");
    const options = { headers, cache: "no-store", signal: controller.signal };
    if (body !== null) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    const timer = setTimeout(() => controller.abort(silence()), PATIENCE_MS);
    let response, text;
    try {
      response = await fetch(path, options);
      text = await response.text();
    } catch {
      throw controller.signal.aborted ? controller.signal.reason : noConnection();
    } finally {
      clearTimeout(timer);
    }
    return read(response, text);
  }
}

function read(response, text) {
  let content = null;
  try {
    content = JSON.parse(text);
  } catch {
    // Not JSON, so not the gateway's; said below.
  }
  if (response.ok && content !== null) return content;
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const problem = typeof content?.code === "string" ? content : foreign(response.status);
  throw new Refusal(problem, Number.isNaN(seconds) ? null : seconds);
}

function foreign(status) {
  return {
    title: "An answer that is not the gateway's",
    status,
    detail: "Something between this page and the gateway answered, such as a proxy. Ask again in a moment.",
    code: "unknown_answer",
  };
}

function noConnection() {
  return new Refusal({
    title: "The gateway does not answer",
    detail: "The connection failed or broke. Check that the gateway runs and that you are online, then ask again.",
    code: "no_connection",
  });
}

function silence() {
  return new Refusal({
    title: "The gateway does not answer",
    detail: `Nothing came within ${PATIENCE_MS / 1000} seconds. Ask again in a moment.`,
    code: "no_answer",
  });
}
