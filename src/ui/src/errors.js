// What to tell the user about an error of the service: what happened, and what to do.
import { has, language, t } from "./i18n.js";
import { isKnown, translated } from "./service-words.js";

/** What the service said, in the page's language: by sentence where it is known, else by code with the original. */
function saidText({ message, code, field }) {
  const words = translated(message);
  if (language() === "en" || words !== message || !has(`code.${code}`)) return t("error.said", { message: words });
  const text = field ? t("error.field", { text: t(`code.${code}`), field }) : t(`code.${code}`);
  return t("error.in_english", { text: text[0].toUpperCase() + text.slice(1), message });
}

export function errorText(error) {
  const said = error.message ? ` ${saidText(error)}` : "";
  if (error.status >= 400 && isKnown(error.message)) return saidText(error);
  if (error.status === 404) return t("error.not_found") + said;
  if (error.status === 403) return t("error.forbidden") + said;
  if (has(`error.${error.code}`)) return t(`error.${error.code}`);
  if (error.status === 429) return t("error.too_many");
  if (error.message && error.status < 500) return saidText(error);
  return t("error.internal");
}
