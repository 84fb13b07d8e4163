// What to tell the user about an error of the service: what happened, and what to do.
import { has, t } from "./i18n.js";

export function errorText(error) {
  const said = error.message ? ` ${t("error.said", { message: error.message })}` : "";
  if (error.status === 404) return t("error.not_found") + said;
  if (error.status === 403) return t("error.forbidden") + said;
  if (has(`error.${error.code}`)) return t(`error.${error.code}`);
  if (error.status === 429) return t("error.too_many");
  if (error.message && error.status < 500) return t("error.said", { message: error.message });
  return t("error.internal");
}
