// A stand-in for the service while only the page is tested: same contract, same headers, no rules.
// node mock.mjs DIST [PORT] serves the built page for work on it by hand.
import { createServer } from "node:http";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import * as data from "./mock-data.mjs";
import { alertState, answerAlerts } from "./mock-alerts.mjs";
import { makeScene } from "./scene.mjs";

const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";
const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml" };

class Refusal extends Error {
  constructor(status, code, message, field = null) {
    super(message);
    Object.assign(this, { status, code, field });
  }
}

class Mock {
  constructor(dist, scene) {
    this.dist = dist;
    this.scene = scene;
    this.users = structuredClone(data.users);
    this.surveys = data.surveys(scene);
    this.reset();
  }

  /** State that tests look at and change. */
  reset() {
    this.alerting = alertState(this.scene);
    Object.assign(this, { position: 0, last: 6, reviewed: 36, submitted: [], skipped: [], beats: 0, loseLease: false, undoable: false, held: null });
  }

  progress() { return { reviewed: this.reviewed, total: 120 }; }

  next() {
    if (this.position >= this.last) throw new Refusal(404, "queue_empty", "the queue is empty");
    this.held ??= data.item(this.position, this.scene, this.progress(), this.undoable);
    return this.held;
  }

  checkLease(lease) {
    if (this.loseLease || lease !== this.held?.lease) throw new Refusal(409, "lease_lost", "the lease has ended");
  }

  submit(body) {
    this.checkLease(body.lease);
    if (body.verdict !== "valid" && !body.reason) throw new Refusal(400, "invalid", "reason is missing", "reason");
    if (body.reason === "OTHER" && !body.comment) throw new Refusal(400, "missing", "OTHER needs a comment", "comment");
    this.submitted.push(body);
    this.move(1);
    return { verdict: this.submitted.length, counted: true, progress: this.progress() };
  }

  move(by) {
    this.position += by;
    this.reviewed += by;
    this.undoable = by > 0;
    this.held = null;
  }

  undo() {
    if (!this.undoable) throw new Refusal(404, "not_found", "nothing to undo");
    this.move(-1);
    return { item: this.position, survey: this.next().survey.id };
  }

  listSurveys(query) {
    const same = (field, name = field) => (one) => !query.get(name) || String(one[field]) === query.get(name);
    const found = this.surveys.filter((one) => ["site", "point", "validity", "reason", "video"].every((field) => same(field)(one)))
      .filter((one) => !query.get("answer") || (query.get("answer") === "silent" ? one.state === "silent" : one.answer === query.get("answer")))
      .filter((one) => one.opened_at >= query.get("from") && one.opened_at < query.get("to"));
    const start = Number(query.get("cursor") ?? 0);
    const limit = Number(query.get("limit") ?? 200);
    return { surveys: found.slice(start, start + limit), next: start + limit < found.length ? String(start + limit) : null };
  }

  lanes(query) {
    const { surveys } = this.listSurveys(new URLSearchParams([...query, ["limit", "100000"]]));
    return data.lanes(surveys, query);
  }

  indicators(query) {
    for (const name of query.keys())
      if (!["from", "to", "by", "audit", "k", "compare"].includes(name)) throw new Refusal(400, "unknown_field", `unknown query field ${name}`, name);
    return data.indicators(query);
  }

  dossier(id) {
    const survey = this.surveys.find((one) => one.id === id);
    if (!survey) throw new Refusal(404, "not_found", `no survey ${id}`);
    return data.dossier(survey, this.scene);
  }

  answer(method, path, query, body, user) {
    const [noun, id, verb] = path.split("/").map(decodeURIComponent);
    if (method === "GET" && noun === "me") return user;
    if (method === "POST" && noun === "me") return Object.assign(user, { language: body.language });
    if (noun === "reasons") return data.reasons;
    if (noun === "sites") return data.sites;
    const alerting = answerAlerts(this.alerting, method, path, query, body, user);
    if (alerting !== undefined) return alerting;
    if (noun === "devices") return data.devices;
    if (noun === "panels") return method === "POST" ? data.invited : data.panels;
    if (noun === "qr") return data.codes;
    if (noun === "lanes") return this.lanes(query);
    if (noun === "voids") return { proposals: [] };
    if (noun === "periods") return { periods: [] };
    if (noun === "audits" && verb === "proof") return data.proof;
    if (noun === "audits") return id ? data.audits(this.reviewed)[0] : { audits: data.audits(this.reviewed) };
    if (noun === "indicators") return this.indicators(query);
    if (noun === "surveys") return id ? this.dossier(id) : this.listSurveys(query);
    if (noun === "queue") return this.queue(id, verb, body);
    throw new Refusal(404, "not_found", `nothing at ${path}`);
  }

  queue(id, verb, body) {
    if (id === "next") return this.next();
    if (id === "undo") return this.undo();
    if (verb === "submit") return this.submit(body);
    this.checkLease(body.lease);
    if (verb === "heartbeat") {
      this.beats++;
      return { lease_until: new Date(Date.now() + 300000).toISOString() };
    }
    this.skipped.push(body.reason);
    this.position++;
    this.held = null;
    return null;
  }

  async handle(request, response) {
    const url = new URL(request.url, "http://mock");
    if (url.pathname.startsWith("/api/v1/evidence/")) return this.sendEvidence(request, response, url.pathname.slice(17));
    if (url.pathname.startsWith("/api/v1/")) return this.sendApi(request, response, url);
    return this.sendAsset(response, url.pathname);
  }

  async sendApi(request, response, url) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    const path = url.pathname.slice(8);
    const user = this.users[/okno_session=(\w+)/.exec(request.headers.cookie ?? "")?.[1]];
    if (path === "login") return this.login(response, body);
    if (!user) throw new Refusal(401, "unauthenticated", "log in first");
    if (path === "logout") response.setHeader("Set-Cookie", "okno_session=; Max-Age=0; Path=/");
    const answer = path === "logout" ? null : this.answer(request.method, path, url.searchParams, body, user);
    return send(response, answer === null ? 204 : 200, answer);
  }

  login(response, { user, password }) {
    if (!this.users[user] || password !== data.password) throw new Refusal(401, "unauthenticated", "user or password is wrong");
    response.setHeader("Set-Cookie", `okno_session=${user}; HttpOnly; SameSite=Strict; Path=/`);
    return send(response, 200, this.users[user]);
  }

  sendEvidence(request, response, name) {
    const file = [this.scene.clip, ...this.scene.stills].find((one) => name.startsWith(one.sha256));
    if (!file) throw new Refusal(404, "not_found", "no such evidence");
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const from = range ? Number(range[1]) : 0;
    const to = range?.[2] ? Math.min(Number(range[2]), file.data.length - 1) : file.data.length - 1;
    response.writeHead(range ? 206 : 200, {
      "Content-Type": file.type, "Content-Length": to - from + 1, "Accept-Ranges": "bytes", ETag: `"${file.sha256}"`,
      "Cache-Control": "private, immutable, max-age=31536000", ...(range ? { "Content-Range": `bytes ${from}-${to}/${file.data.length}` } : {}),
    });
    response.end(file.data.subarray(from, to + 1));
  }

  async sendAsset(response, path) {
    const name = normalize(path === "/" ? "/index.html" : path);
    try {
      const content = await readFile(join(this.dist, name));
      response.writeHead(200, { "Content-Type": types[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": csp, "X-Content-Type-Options": "nosniff" });
      response.end(content);
    } catch {
      throw new Refusal(404, "not_found", `nothing at ${path}`);
    }
  }
}

function send(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(body === null ? undefined : JSON.stringify(body));
}

/** Serve the page in dist; returns {url, mock, close}. */
export async function startMock(dist, port = 0) {
  const dir = await mkdtemp(join(tmpdir(), "okno-mock-"));
  const mock = new Mock(dist, await makeScene(dir, [8, 27, 36]).finally(() => rm(dir, { recursive: true })));
  const server = createServer((request, response) => mock.handle(request, response).catch((error) => {
    if (error instanceof Refusal) send(response, error.status, { error: { code: error.code, message: error.message, field: error.field } });
    else send(response, 500, { error: { code: "internal", message: String(error), field: null } });
  }));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`, mock,
    close: () => { server.close(); server.closeAllConnections(); },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.log((await startMock(process.argv[2], Number(process.argv[3] ?? 0))).url);
