// Names of reasons, asked of the service once and told in the page's language.
import { get } from "./api.js";
import { language } from "./i18n.js";

let names = new Map();

/** Without them (the role may not ask) reasons are told by their ids. */
export async function loadReasons() {
  if (names.size > 0) return;
  try {
    const { invalid, undeterminable } = await get("reasons");
    names = new Map([...invalid, ...undeterminable].map((reason) => [reason.id, reason]));
  } catch {
    names = new Map();
  }
}

export const reasonName = (id) => names.get(id)?.[language()] ?? String(id).replaceAll("_", " ").toLowerCase();

export const reasonIds = () => [...names.keys()];
