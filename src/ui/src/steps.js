// What a step of an audit did, as words. Its detail is text, or a small object of facts.
import { formatPlain } from "./format.js";
import { has, t } from "./i18n.js";

const word = (name) => (has(`fact.${name}`) ? t(`fact.${name}`) : String(name).replaceAll("_", " "));

/** The service's numbers come as numbers or as text; only its own words are translated, not people's. */
function valueText(name, value) {
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value === "number" || ["k", "level"].includes(name)) return formatPlain(Number(value));
  return ["invalid", "silent", "scope"].includes(name) ? word(value) : value;
}

const factText = ([name, value]) => (value === true ? word(name) : `${word(name)} ${valueText(name, value)}`);

export const stepText = (detail) => (detail && typeof detail === "object"
  ? Object.entries(detail).filter(([, value]) => value !== null && value !== "" && value !== false).map(factText).join(" · ")
  : detail);
