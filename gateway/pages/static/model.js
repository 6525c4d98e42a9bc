/** The model card and the choice of a version. */

import { Refusal } from "./api.js";
import { at, make, named } from "./dom.js";

/** What the gateway serves, as it last said. */
export class ModelCard {
  #gateway;
  #onRefusal;
  #known = new Set();

  /** `onRefusal`: told why the lists could not be had; the page goes on without them. */
  constructor(gateway, onRefusal) {
    this.#gateway = gateway;
    this.#onRefusal = onRefusal;
    at("version").addEventListener("change", () => this.#quietly(() => this.#loadNames()));
  }

  /** The version that the person chose, or null for the gateway's default. */
  get version() {
    return at("version").value === "" ? null : Number(at("version").value);
  }

  /** Reads versions and names again. */
  load() {
    return this.#quietly(async () => {
      this.#showVersions(await this.#gateway.models());
      await this.#loadNames();
    });
  }

  /** An answer came from this version; if it is new here, the lists are old. */
  async met(version) {
    at("served-version").textContent = `, version ${version} answered`;
    if (!this.#known.has(version)) await this.load();
  }

  async #quietly(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#known.clear();
      at("model-note").textContent = error.message;
      at("model-note").hidden = false;
      this.#onRefusal(error);
    }
  }

  #showVersions({ versions, default_label: defaultLabel }) {
    const available = versions.filter((each) => each.state === "AVAILABLE");
    this.#known = new Set(available.map((each) => each.version));
    const chosen = at("version").value;
    const usual = defaultLabel === null ? "newest" : `default (${defaultLabel})`;
    const options = available.map((each) => make("option", { value: each.version }, numbered(each)));
    at("version").replaceChildren(make("option", { value: "" }, usual), ...options);
    at("version").value = this.#known.has(Number(chosen)) ? chosen : "";
    at("versions").replaceChildren(
      ...versions.map((each) => {
        const state = each.error ? `${each.state}, ${each.error}` : each.state;
        return make("li", { className: each.state.toLowerCase() }, `version ${numbered(each)} `, make("span", {}, state));
      }),
    );
    at("model-note").textContent = "No version of the model is known.";
    at("model-note").hidden = versions.length > 0;
  }

  async #loadNames() {
    const { intents, model } = await this.#gateway.intents(this.version);
    at("names-title").textContent = `${intents.length} intents of version ${model.version}`;
    at("names-list").replaceChildren(...intents.map((each) => make("li", {}, make("code", {}, ...named(each)))));
    at("names").hidden = false;
  }
}

function numbered({ version, labels }) {
  return labels.length === 0 ? `${version}` : `${version} (${labels.join(", ")})`;
}
