// The way to the service: JSON in, JSON out, one kind of error.

export class ApiError extends Error {
  constructor(status, code, message, field) {
    super(message);
    this.status = status; // 0: the service was not reached
    this.code = code;
    this.field = field;
  }
}

let clockAheadMs = 0; // service clock minus ours, to the second

/** Now by the service's clock, so that a lease counts down right on a computer whose clock is wrong. */
export const serviceNow = () => Date.now() + clockAheadMs;

function noteClock(response) {
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  const ahead = date + 500 - Date.now();
  clockAheadMs = Math.abs(ahead) < 1500 ? 0 : ahead;
}

async function errorOf(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // Not from the service itself (a proxy's page): the status alone must do.
  }
  return new ApiError(response.status, error.code ?? `http_${response.status}`, error.message ?? "", error.field ?? null);
}

async function send(method, path, body) {
  const options = { method, credentials: "same-origin", headers: { Accept: "application/json" } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, options);
  } catch {
    throw new ApiError(0, "unreachable", "", null);
  }
  noteClock(response);
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function request(method, path, body) {
  const response = await send(method, path, body);
  return response.status === 204 ? null : response.json();
}

/** Why nothing comes from an address of a picture or a film: an ApiError, or null where something does. */
export async function refusalOf(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin", headers: { Range: "bytes=0-0" } });
    if (!response.ok) return await errorOf(response);
    await response.body?.cancel();
    return null;
  } catch {
    return new ApiError(0, "unreachable", "", null);
  }
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);

/** Posts, and saves what comes as a file of the name that the service gives. */
export async function download(path, body = {}) {
  const response = await send("POST", path, body);
  const [, name = "okno"] = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "") ?? [];
  const anchor = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await response.blob()), download: name });
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}

/** "name?a=1&b=2" from the fields that have a value. */
export function withQuery(path, fields) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
