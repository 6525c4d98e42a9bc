/** Shorthands for the document. Texts become text nodes, never markup. */

/** The element with this id. */
export const at = (id) => document.getElementById(id);

/** A new element with these properties and children (elements or texts). */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** An intent's name, which a narrow screen may break after each underscore. */
export function named(intent) {
  const words = intent.split("_");
  return words.flatMap((word, index) => (index === 0 ? [word] : ["_", make("wbr"), word]));
}

/** Fills a <dl> with [term, value] pairs, leaving out those without a value. */
export function fillFacts(list, facts) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null);
  list.replaceChildren(...known.map(([term, value]) => make("div", {}, make("dt", {}, term), make("dd", {}, value))));
}

/** Says it to a screen reader, without moving the focus. */
export function announce(text) {
  at("announcement").textContent = text;
}
