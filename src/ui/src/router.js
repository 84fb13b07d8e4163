// Addresses of the page: #/name/rest?filters. Filters live in the address so that a view can be sent.

/** "#/surveys/D1.0.7?site=S1" -> {name: "surveys", id: "D1.0.7", query: {site: "S1"}} */
export function parseRoute(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const cut = path.indexOf("/");
  return {
    name: cut < 0 ? path : path.slice(0, cut),
    id: cut < 0 ? "" : decode(path.slice(cut + 1)),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function link(name, { id = "", query = {} } = {}) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(fields).toString();
  return `#/${name}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}

/** Open another page. */
export function go(name, parts) {
  location.hash = link(name, parts);
}

/** Change filters without a new entry in the history. */
export function replaceRoute(name, parts) {
  history.replaceState(null, "", link(name, parts));
  dispatchEvent(new HashChangeEvent("hashchange"));
}
