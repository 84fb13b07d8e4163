// What a step of an audit did, as words. Its detail is text, or a small object of facts.
import { formatPlain } from "./format.js";
import { has, t } from "./i18n.js";
import { translated } from "./service-words.js";
import { formatWhen } from "./time.js";

const word = (name) => (has(`fact.${name}`) ? t(`fact.${name}`) : String(name).replaceAll("_", " "));
const isThere = ([, value]) => value !== null && value !== "" && value !== false && !(typeof value === "object" && Object.keys(value).length === 0);

// Numbers that come as text, and words of the service's own; the rest is people's and stays as it is.
const decimals = ["k", "level", "double", "escalate_more", "escalate_census", "fm_threshold", "undeterminable_limit", "max_half_width", "width"];
const words = ["invalid", "silent", "scope", "allocation", "frame", "bundle"];

function valueText(name, value, zone) {
  if (name === "files" || name === "sidecars") return formatPlain(Object.keys(value).length);
  if (name === "strata") return value.split(",").map((one) => t(`plan.by_${one}`)).join(", ");
  if (name.endsWith("_us")) return formatWhen(value / 1000, zone);
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value === "number" || decimals.includes(name)) return formatPlain(Number(value));
  return words.includes(name) ? word(value) : translated(value);
}

/** What a plan says of invalid ratings is a rule, what a close says their number. */
const nameText = (name, value) => word(name === "invalid" && typeof value === "number" ? "invalid_count" : name);


/** The plan's own facts stand among the step's. */
const factsOf = ({ plan = {}, ...rest }) => [...Object.entries(rest), ...Object.entries(plan ?? {})];

/** Facts as pairs of a name and what it is; "" where the name says it all. None of a text. */
export const stepFacts = (detail, zone) => (detail && typeof detail === "object"
  ? factsOf(detail).filter(isThere).map(([name, value]) => (value === true ? [word(name), ""] : [nameText(name, value), valueText(name, value, zone)]))
  : []);

export const stepText = (detail, zone) => (detail && typeof detail === "object"
  ? stepFacts(detail, zone).map((fact) => fact.join(" ").trim()).join(" · ")
  : detail);

/** What is due once an audit is closed: a report, the signature under its newest edition, the bundle of these; null when
 * that was handed out, too. */
export function afterClose({ steps = [], plan }) {
  const last = (name) => steps.findLastIndex(({ step }) => step === name);
  if (last("report") < 0) return "report";
  if (plan?.auditor_key && last("sign") < last("report")) return "sign";
  return last("export") < Math.max(last("report"), last("sign")) ? "export" : null;
}
