// Every route of /openapi.json as every role, on a real service: who is let in, who is not, and that what is refused
// changes nothing. What lies at the other site is marked, and nobody who sees one site only is told of it by anything.
// A route without a row here fails the test: who adds one says whom it is for.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const password = "a long password";
const mark = "FOREIGN"; // in every name of the other site, and in ids of it
const day = "from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z";
const dates = "from=2026-03-10&to=2026-03-10";

/** Roles: e expert, a auditor, m manager, s staff, r administrator, d device; all: every person; open: everybody.
 * Then how it is limited for who sees some sites: own (about the person), list, named, closed; then what stands in a
 * GET's query, several with a list. Names in a path are filled in from `own` or `foreign`. */
const table = {
  "GET /healthz": ["open"],
  "GET /readyz": ["open"],
  "GET /metrics": ["open"], // this machine and administrators; its test is in tests/service
  "GET /openapi.json": ["open"],
  "POST /api/v1/login": ["open"],
  "POST /api/v1/logout": ["all", "own"],
  "GET /api/v1/me": ["all", "own"],
  "POST /api/v1/me": ["all", "own"],
  "GET /api/v1/reasons": ["all", "own"],
  "POST /api/v1/queue/next": ["er"],
  "POST /api/v1/queue/undo": ["er"],
  "POST /api/v1/queue/{item}/heartbeat": ["er"],
  "POST /api/v1/queue/{item}/submit": ["er"],
  "POST /api/v1/queue/{item}/skip": ["er"],
  "POST /api/v1/surveys/{survey}/appeals": ["sm", "named"],
  "GET /api/v1/appeals": ["eamrs", "list", ["", "state=open"]],
  "GET /api/v1/appeals/rulings": ["sm", "list"],
  "POST /api/v1/appeals/{appeal}/take": ["er"],
  "POST /api/v1/appeals/{appeal}/decide": ["er"],
  "POST /api/v1/appeals/{appeal}/withdraw": ["sm", "own"],
  "GET /api/v1/escalations": ["amr", "closed"],
  "POST /api/v1/escalations/{escalation}": ["amr", "closed"],
  "GET /api/v1/reviewers": ["era"],
  "GET /api/v1/gold": ["er"],
  "POST /api/v1/gold": ["er"],
  "GET /api/v1/calibrations": ["era"],
  "POST /api/v1/calibrations": ["er"],
  "POST /api/v1/calibrations/{calibration}/close": ["er"],
  "GET /api/v1/audits": ["eamr", "closed"],
  "GET /api/v1/audits/{audit}": ["eamr", "closed"],
  "POST /api/v1/audits": ["a"],
  "GET /api/v1/audits/{audit}/waiting": ["ar"],
  "GET /api/v1/sample-size": ["ar", "", `${day}&width=0.1`],
  "GET /api/v1/audit-keys": ["ar"],
  "POST /api/v1/audit-keys": ["a"],
  "POST /api/v1/audit-keys/{fingerprint}/revoke": ["a"],
  "POST /api/v1/audits/{audit}/freeze": ["a"],
  "POST /api/v1/audits/{audit}/checkpoint": ["a"],
  "POST /api/v1/audits/{audit}/seed": ["a"],
  "POST /api/v1/audits/{audit}/draw": ["a"],
  "POST /api/v1/audits/{audit}/extend": ["a"],
  "POST /api/v1/audits/{audit}/close": ["a"],
  "POST /api/v1/audits/{audit}/abandon": ["a"],
  "POST /api/v1/audits/{audit}/export": ["a"],
  "GET /api/v1/audits/{audit}/proof": ["amr", "closed"],
  "POST /api/v1/audits/{audit}/manifest": ["a"],
  "POST /api/v1/audits/{audit}/signature": ["a"],
  "GET /api/v1/log/consistency": ["amr", "closed", "from=1"],
  "GET /api/v1/retention": ["amr", "closed"],
  "GET /api/v1/holds": ["ar"],
  "POST /api/v1/holds": ["ar"],
  "POST /api/v1/holds/{hold}/release": ["ar"],
  "GET /api/v1/audits/{audit}/report": ["amr", "closed"],
  "POST /api/v1/audits/{audit}/report": ["a"],
  "GET /api/v1/audits/{audit}/checkpoint": ["ar"],
  "GET /api/v1/audits/{audit}/sample": ["ar"],
  "GET /api/v1/audits/{audit}/frame": ["ar"],
  "GET /api/v1/programmes": ["amr", "closed"],
  "POST /api/v1/programmes": ["a"],
  "GET /api/v1/programmes/{programme}": ["amr", "closed"],
  "POST /api/v1/programmes/{programme}/pause": ["a"],
  "POST /api/v1/programmes/{programme}/secrets": ["a"],
  "GET /api/v1/programmes/{programme}/figures": ["amr", "closed", dates],
  "GET /api/v1/programmes/{programme}/report": ["amr", "closed", dates],
  "GET /api/v1/indicators": ["amr", "list", ["site", "employee", "point", "group", "question", "day", "site,employee"].map((by) => `${day}&by=${by}`).concat(`${day}&by=employee&compare=before`, `${day}&by=site,point&compare=site`, `${day}&by=employee&audit=A1`, `${day}&by=site&group=G`)],
  "GET /api/v1/indicators/report": ["amr", "list", ["html", "csv", "json"].flatMap((format) => [`${day}&by=employee&format=${format}`, `${day}&by=site&format=${format}`])],
  "GET /api/v1/surveys": ["amr", "list", [day, `${day}&spontaneous=true`, `${day}&state=answered`, `${day}&limit=1`]],
  "GET /api/v1/lanes": ["amr", "list", ["from=2026-03-10T06:00:00Z&to=2026-03-10T18:00:00Z"]],
  "GET /api/v1/changes": ["amr", "list"],
  "GET /api/v1/surveys/{survey}": ["amr", "named"],
  "POST /api/v1/surveys/{survey}/attribution": ["mr", "named"],
  "POST /api/v1/surveys/{survey}/commission": ["r"],
  "POST /api/v1/surveys/{survey}/overlay": ["r"],
  "POST /api/v1/surveys/{survey}/target": ["amr", "named"],
  "POST /api/v1/surveys/{survey}/void": ["emr", "named"],
  "POST /api/v1/surveys/{survey}/void/answer": ["emr", "named"],
  "GET /api/v1/voids": ["amr", "list"],
  "GET /api/v1/employees": ["amr", "list"],
  "GET /api/v1/evidence/{file}": ["eamrs", "named"],
  "GET /api/v1/periods": ["amr", "list"],
  "POST /api/v1/periods": ["mr", "list"],
  "GET /api/v1/periods/{period}": ["amr", "named"],
  "GET /api/v1/periods/{period}/adjustments": ["amr", "named"],
  "GET /api/v1/periods/{period}/verify": ["amr", "named"],
  "GET /api/v1/periods/{period}/statements.csv": ["amr", "named"],
  "GET /api/v1/statements": ["all", "own"],
  "GET /api/v1/published": ["amr", "closed"],
  "POST /api/v1/published": ["mr", "closed"],
  "GET /api/v1/published/{name}": ["amr", "closed"],
  "GET /api/v1/published/{name}/verify": ["amr", "closed"],
  "GET /api/v1/sites": ["amrs", "list"],
  "GET /api/v1/status": ["amr", "closed"],
  "GET /api/v1/archives": ["r"],
  "POST /api/v1/archives": ["r"],
  "POST /api/v1/archives/test": ["r"],
  "POST /api/v1/cameras": ["r"],
  "GET /api/v1/archives/{archive}/losses.csv": ["r"],
  "GET /api/v1/archives/{archive}/clock": ["r"],
  "POST /api/v1/archives/{archive}/probe": ["r"],
  "GET /api/v1/cameras/{camera}/clock": ["r"],
  "POST /api/v1/cameras/{camera}/sync": ["r"],
  "POST /api/v1/syncs/{sync}/accept": ["r"],
  "GET /api/v1/devices": ["mr", "list"],
  "GET /q/{code}": ["open"],
  "POST /q/{code}": ["open"],
  "GET /q/{code}/print": ["open"],
  "GET /q/{code}/code.svg": ["open"],
  "GET /api/v1/qr": ["mr", "list"],
  "POST /api/v1/qr": ["mr", "list"],
  "POST /api/v1/qr/{code}/revoke": ["mr", "named"],
  "GET /api/v1/panels": ["mr", "list"],
  "POST /api/v1/panels": ["mr", "list"],
  "POST /api/v1/panels/{device}/revoke": ["mr", "named"],
  "POST /api/v1/panel/pair": ["open"],
  "GET /api/v1/panel": ["d"],
  "GET /api/v1/panel/prompts/{sha256}": ["d"],
  "POST /api/v1/panel/state": ["d"],
  "POST /api/v1/panel/boot": ["d"],
  "GET /api/v1/ratings/{rating}/photo": ["d"],
  "GET /api/v1/panel/presses": ["d"],
  "GET /api/v1/alerts": ["amr", "list", ["", "open=false", "kind=negative"]],
  "POST /api/v1/alerts/{alert}/ack": ["mr", "named"],
  "GET /api/v1/alert-rules": ["amr", "closed"],
  "POST /api/v1/alert-rules": ["r"],
  "GET /api/v1/destinations": ["r"],
  "POST /api/v1/destinations": ["r"],
  "POST /api/v1/destinations/{destination}/test": ["r"],
  "GET /api/v1/deliveries": ["r"],
  "POST /api/v1/deliveries/{delivery}/retry": ["r"],
  "GET /api/v1/negatives": ["amrs", "list", [day, `${day}&commented=true`, `${day}&commented=false`]],
  "POST /api/v1/negatives/{rating}/comments": ["smr", "named"],
  "GET /api/v1/reaction": ["amr", "list", [day]],
  "GET /api/v1/tags": ["all", "own"],
  "GET /api/v1/users": ["r"],
  "POST /api/v1/users/{user}/grants": ["r"],
  "POST /api/v1/users/{user}/destination": ["r"],
  "POST /api/v1/events": ["d"],
};

/** Staff and experts are let in here for what is theirs alone: what they get for the things of `own`. */
const narrower = { "POST /api/v1/calibrations/{calibration}/close e": 403, "GET /api/v1/evidence/{file} e": 403, "GET /api/v1/gold e": 403, "POST /api/v1/gold e": 400, "GET /api/v1/reviewers e": 200 };

const letters = { vera: "e", olga: "a", boss: "m", one: "m", anna: "s", root2: "r" };
const people = Object.keys(letters);
const roleNames = { e: "expert", a: "auditor", m: "manager", s: "staff", r: "administrator", d: "device" };
const own = { survey: "D1.0.1", rating: "D1.0.1", device: "D1", audit: "A1", user: "vera", file: "", alert: "", period: "1", code: "" };
const foreign = { ...own, survey: "DFOREIGN.0.1", rating: "DFOREIGN.0.1", device: "DFOREIGN", period: "2" };
const cookies = {};
let service;
let token;
let revoked;

const rolesOf = (row) => (row[0] === "all" ? "eamsr" : row[0] === "open" ? "" : row[0]);
const fill = (path, things) => path.replaceAll(/\{(\w+)\}/g, (_, name) => things[name] || "x");

const tell = (input, ...args) => {
  const child = run(program, ["--data", service.data, ...args]);
  child.child.stdin.end(input);
  return child;
};

async function put(kind, text) {
  await writeFile(join(service.dir, `${kind}.csv`), text);
  await service.okno("import", kind, join(service.dir, `${kind}.csv`));
}

function events() {
  const lines = ["device,seq,time,kind"];
  for (const device of ["D1", "DFOREIGN"])
    for (let i = 0; i < 6; i++) {
      const at = Date.parse("2026-03-10T09:00:00Z") + i * 300000;
      lines.push(`${device},${2 * i + 1},${new Date(at).toISOString()},press`, `${device},${2 * i + 2},${new Date(at + 4000).toISOString()},${i % 2 ? "yes" : "no"}`);
    }
  for (const device of ["D1", "DFOREIGN"]) lines.push(`${device},99,${new Date(Date.parse("2026-03-10T09:00:00Z") + 2400000).toISOString()},yes`);
  return `${lines.join("\n")}\n`;
}

/** A still of a survey, as the evidence room keeps it. */
async function still(survey) {
  const bytes = Buffer.from(`${survey === foreign.survey ? mark : "own"} picture`);
  const sha = createHash("sha256").update(bytes).digest("hex");
  await mkdir(join(service.data, "evidence", sha.slice(0, 2)), { recursive: true });
  await writeFile(join(service.data, "evidence", sha.slice(0, 2), sha), bytes);
  await service.rows(`INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from, asked_to, got_from, got_to, frame_at,
    index_offset_us, uncertainty_us, source, requests, bytes_read, software, made_at) VALUES ('${survey}', 'still', '${sha}', ${bytes.length}, 'image/jpeg',
    'mjpeg', 'C1', 0, 0, 0, 0, 0, 0, 0, '[]', 0, 0, 'test', 0)`);
  return `${sha}.jpg`;
}

async function send(method, path, headers, body) {
  const answer = await fetch(`${service.url}${path}`, { method, redirect: "manual", headers: { ...(method === "POST" ? { "content-type": "application/json" } : {}), ...headers }, body: method === "POST" ? JSON.stringify(body ?? {}) : undefined });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
const as = (user, method, path, body) => send(method, path, { cookie: cookies[user] }, body);
const bearing = (bearer, method, path, body) => send(method, path, { authorization: `Bearer ${bearer}` }, body);

async function logIn(user) {
  const answer = await send("POST", "/api/v1/login", {}, { user, password });
  assert.equal(answer.status, 200, answer.text);
  cookies[user] = answer.headers.get("set-cookie").split(";")[0];
}

const tokenOf = async (device) => (await service.okno("token", "add", "--device", device)).trim();

before(async () => {
  service = await Service.start();
  await put("sites", `site,name,time_zone,group,from\nS1,Mall,UTC,G,2026-01-01\nS2,${mark} site,UTC,G,2026-01-01\n`);
  await put("points", "point,site,name\nPFOREIGN,S1,Moved since\n"); // what stood once counts no more
  await put("points", `point,site,name\nP1,S1,Till\nPFOREIGN,S2,${mark} till\n`);
  await put("questions", `question,point,from,kind,text,window_s\nQ1,P1,2026-01-01T00:00:00Z,personnel,Pleased?,15\nQF,PFOREIGN,2026-01-01T00:00:00Z,personnel,${mark} question,15\n`);
  await put("devices", "device,point,from,role\nD1,P1,2026-01-01T00:00:00Z,both\nDFOREIGN,PFOREIGN,2026-01-01T00:00:00Z,both\n");
  await put("employees", `employee,name\nE1,Anna\nEF,${mark} Boris\nE3,Anton\n`);
  await put("shifts", "employee,point,from,to\nE1,P1,2026-03-10T06:00:00Z,2026-03-10T09:12:00Z\nE3,P1,2026-03-10T09:12:00Z,2026-03-10T18:00:00Z\nEF,PFOREIGN,2026-03-10T06:00:00Z,2026-03-10T18:00:00Z\n");
  await put("events", events());
  for (const user of people) await tell(`${password}\n`, "user", "add", user, "--role", roleNames[letters[user]], "--password-stdin", ...(user === "boss" ? ["--all-sites"] : []), ...(user === "anna" ? ["--employee", "E1"] : []));
  for (const user of ["one", "anna"]) await service.okno("user", "grant", user, "--site", "S1");
  await service.wait("SELECT count(*) AS n FROM surveys WHERE state <> 'open'", [{ n: 12 }], 30000);
  own.file = await still(own.survey);
  foreign.file = await still(foreign.survey);
  for (const [things, point, site] of [[own, "P1", "S1"], [foreign, "PFOREIGN", "S2"]]) {
    things.code = JSON.parse(await service.okno("qr", "add", "--point", point, "--json")).code;
    await service.okno("period", "close", "--from", "2026-03-10", "--to", "2026-03-10", "--site", site, "--accept", "a test");
    await service.rows(`INSERT INTO alerts (rule, kind, key, subject, site, point, at, opened_at, detail, photo, send_to) VALUES ('negative', 'negative', 'k${site}', '${things.survey}', '${site}', '${point}', 0, 0, '{}', 0, '')`);
    things.alert = String((await service.rows(`SELECT max(alert) AS n FROM alerts WHERE site = '${site}'`))[0].n);
    await service.okno("comment", "add", things.survey, "--text", site === "S2" ? `${mark} comment` : "comment");
  }
  await service.okno("audit", "plan", "A1", "--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z", "--size", "3");
  token = await tokenOf("D1");
  revoked = await tokenOf("D1");
  await service.rows("UPDATE tokens SET revoked_at = 1 WHERE rowid = (SELECT max(rowid) FROM tokens)");
  for (const user of people) await logIn(user);
  await service.okno("panel", "add", "--device", "T8", "--point", "PFOREIGN", "--role", "panel", "--label", `${mark} panel`);
  await put("reviews", `survey,expert,verdict,reason,at\nDFOREIGN.0.5,someone,invalid,STAFF_PRESSED,${new Date().toISOString()}\n`);
  for (const [path, body] of [["DFOREIGN.0.5/appeals", { asks: "valid", comment: `${mark} appeal` }], ["DFOREIGN.0.7/void", { voided: true, reason: `${mark} void` }]]) {
    const { status, text } = await as("boss", "POST", `/api/v1/surveys/${path}`, body);
    assert.equal(status, 200, `${path}: ${text}`);
  }
});
after(() => service?.close());

/** Everything that is stored, but for what looking itself and work in the background write down. */
async function stored() {
  const { stdout } = await run("sqlite3", ["-cmd", ".timeout 10000", join(service.data, "okno.db"), ".dump"], { maxBuffer: 1 << 28 });
  return new Set(stdout.split("\n").filter((line) => !/INSERT INTO (access_log|sessions|jobs|links|archive_turns|kpi_\w+|cells\w*|sqlite_\w+|device_states?|scheduler\w*|meta|alerts|alert_news) /.test(line)));
}

async function isUnchanged(before) {
  const now = await stored();
  assert.deepEqual([...now].filter((line) => !before.has(line)).concat([...before].filter((line) => !now.has(line))), []);
}

const rows = () => Object.entries(table).map(([key, row]) => ({ key, row, method: key.split(" ")[0], path: key.split(" ")[1] }));
const queries = (row) => [row[2] ?? ""].flat().map((query) => (query ? `?${query}` : ""));

test("every route has a row, and is open to the roles that it says", async () => {
  const { paths } = JSON.parse((await send("GET", "/openapi.json", {})).text);
  const said = {};
  for (const [path, methods] of Object.entries(paths)) for (const [method, one] of Object.entries(methods)) said[`${method.toUpperCase()} ${path}`] = one["x-roles"].toSorted().join(" ");
  const here = Object.fromEntries(rows().map(({ key, row }) => [key, [...rolesOf(row)].map((letter) => roleNames[letter]).toSorted().join(" ")]));
  assert.deepEqual(said, here);
});

test("who is nobody, or the wrong one, is refused everywhere, and nothing changes", async () => {
  const before = await stored();
  const nobody = { nobody: {}, "a revoked token": { authorization: `Bearer ${revoked}` }, "a made-up session": { cookie: `okno_session=${"0".repeat(64)}` }, "a made-up token": { authorization: `Bearer ${"0".repeat(64)}` } };
  for (const { key, row, method, path } of rows().filter(({ row }) => row[0] !== "open")) {
    const address = fill(path, own) + queries(row)[0];
    for (const [who, headers] of Object.entries(nobody)) assert.equal((await send(method, address, headers)).status, 401, `${key} as ${who}`);
    if (row[0] === "d")
      for (const user of people) assert.equal((await as(user, method, address)).status, 401, `${key} as ${user}`);
    else {
      assert.equal((await bearing(token, method, address)).status, 401, `${key} with a device's token`);
      for (const user of people.filter((one) => !rolesOf(row).includes(letters[one]))) assert.equal((await as(user, method, address)).status, 403, `${key} as ${user}`);
    }
  }
  await isUnchanged(before);
});

test("a device speaks for itself alone", async () => {
  const at = new Date().toISOString();
  const results = await bearing(token, "POST", "/api/v1/events", [{ device: "DFOREIGN", boot: 5, seq: 1, time: at, kind: "press" }]);
  assert.equal(results.status, 202);
  assert.notEqual(JSON.parse(results.text).results?.[0]?.result ?? JSON.parse(results.text)[0]?.result, "added", results.text);
  assert.deepEqual(await service.rows("SELECT count(*) AS n FROM events WHERE device = 'DFOREIGN' AND boot = 5"), [{ n: 0 }]);
  const photo = await bearing(token, "GET", `/api/v1/ratings/${foreign.rating}/photo`);
  assert.ok([403, 404].includes(photo.status) && !photo.text.includes(mark), photo.text);
  assert.ok(!(await bearing(token, "GET", "/api/v1/panel")).text.includes(mark));
});

const ofRole = (user) => rows().filter(({ row, path }) => rolesOf(row).includes(letters[user]) && path !== "/api/v1/logout");

test("who sees one site is kept from the things of another", async () => {
  const before = await stored();
  for (const user of ["one", "anna"])
    for (const { key, row, method, path } of ofRole(user).filter(({ row }) => ["named", "closed"].includes(row[1])))
      for (const query of queries(row)) {
        const { status, text } = await as(user, method, fill(path, foreign) + query);
        assert.equal(status, 403, `${key}${query} as ${user}: ${status} ${text}`);
        assert.ok(!text.includes(mark), text);
      }
  await isUnchanged(before);
});

test("what a body names is of the other site, too", async () => {
  const before = await stored();
  const period = { from: "2026-03-10", to: "2026-03-10", accept: "a test" };
  for (const [user, path, body] of [
    ["one", "/api/v1/panels", { device: "T9", point: "PFOREIGN", role: "panel" }],
    ["one", "/api/v1/panels", { device: "DFOREIGN", point: "P1", role: "panel" }],
    ["one", "/api/v1/qr", { point: "PFOREIGN" }],
    ["one", "/api/v1/periods", { ...period, site: "S2" }],
    ["one", "/api/v1/periods", { ...period, site: null }],
    ["one", "/api/v1/surveys/DFOREIGN.0.1/void", { voided: true, reason: "mine" }],
    ["one", "/api/v1/surveys/DFOREIGN.0.1/attribution", { employee: "E1", reason: "mine" }],
    ["anna", "/api/v1/surveys/D1.0.9/appeals", { asks: "valid", comment: "another's" }],
    ["anna", "/api/v1/negatives/D1.0.9/comments", { text: "another's" }],
    ["olga", "/api/v1/users/olga/grants", { scope: "all", granted: true }],
    ["boss", "/api/v1/users/boss/grants", { scope: "all", granted: true }],
  ]) {
    const { status, text } = await as(user, "POST", path, body);
    assert.equal(status, 403, `${path} ${JSON.stringify(body)} as ${user}: ${status} ${text}`);
    assert.ok(!text.includes(mark), text);
  }
  await isUnchanged(before);
});

test("filters name nothing of the other site", async () => {
  for (const { row, path } of rows().filter(({ row, method }) => row[1] === "list" && method === "GET")) {
    const query = queries(row)[0];
    for (const filter of ["site=S2", "point=PFOREIGN", "employee=EF", "question=QF", "group=G"]) {
      const { status, text } = await as("one", "GET", `${path}${query}${query ? "&" : "?"}${filter}`);
      assert.ok(status < 500 && (status !== 200 || !text.includes(mark)), `${path} ${filter}: ${status} ${text}`);
      if (/site|point/.test(filter)) assert.ok([400, 403].includes(status), `${path} ${filter}: ${status} ${text}`);
    }
  }
});

test("another site's page changes nothing, by whatever route", async () => {
  const before = await stored();
  for (const { key, row, path } of rows().filter(({ method, row }) => method === "POST" && row[0] !== "d")) {
    const user = people.find((one) => rolesOf(row).includes(letters[one])) ?? "boss";
    for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }, { "content-type": "text/plain" }]) {
      const answer = await send("POST", fill(path, own), { cookie: cookies[user], ...headers });
      assert.equal(answer.status, headers["content-type"] ? 400 : 403, `${key} with ${JSON.stringify(headers)}: ${answer.text}`);
    }
  }
  await isUnchanged(before);
});

test("who sees one site is let in there, and told of no other", async () => {
  for (const user of ["one", "anna"])
    for (const { key, row, method, path } of ofRole(user).filter(({ row }) => row[1] !== "closed"))
      for (const query of queries(row)) {
        const { status, text } = await as(user, method, fill(path, own) + query);
        const words = `${key}${query} as ${user}: ${status} ${text.slice(0, 2000)}`;
        assert.ok(![401, 403].includes(status) && status < 500, words);
        if (method === "GET" && !/\{/.test(path)) assert.equal(status, 200, words);
        assert.ok(!text.includes(mark), words);
      }
});

/** Where there is something of the other site to be seen: what is not told is not just not there. */
const telling = ["alerts", "appeals", "devices", "employees", "indicators", "indicators/report", "lanes", "negatives", "panels", "qr", "sites", "surveys", "voids"];

test("who is let in is answered, and nothing fails", async () => {
  const told = new Set();
  for (const { key, row, method, path } of rows().filter(({ row }) => !["open", "d"].includes(row[0]) && row[1] !== "skip")) {
    if (path === "/api/v1/logout") continue;
    for (const user of people.filter((one) => rolesOf(row).includes(letters[one]) && one !== "one"))
      for (const query of queries(row)) {
        const { status, text } = await as(user, method, fill(path, own) + query);
        const words = `${key}${query} as ${user}: ${status} ${text.slice(0, 300)}`;
        const expected = narrower[`${key} ${letters[user]}`];
        if (expected) assert.equal(status, expected, words);
        else assert.ok(![401, 403].includes(status) && status < 500, words);
        if (method === "GET" && !/\{/.test(path) && !expected) assert.equal(status, 200, words);
        if (user === "boss" && row[1] === "list" && method === "GET" && text.includes(mark)) told.add(path.replace("/api/v1/", ""));
      }
  }
  assert.deepEqual([...told].toSorted(), telling);
});

test("a session ends with its logout, its password and its person, and is nobody's to choose", async () => {
  const fixed = `okno_session=${"ab".repeat(32)}`;
  const answer = await send("POST", "/api/v1/login", { cookie: fixed }, { user: "vera", password });
  const cookie = answer.headers.get("set-cookie").split(";")[0];
  assert.notEqual(cookie, fixed);
  assert.equal((await send("GET", "/api/v1/me", { cookie: fixed })).status, 401);
  const old = cookies.vera;
  assert.equal((await send("POST", "/api/v1/logout", { cookie })).status, 204);
  assert.equal((await send("GET", "/api/v1/me", { cookie })).status, 401);
  assert.equal((await send("GET", "/api/v1/me", { cookie: old })).status, 200); // another browser's
  await tell(`${password} 2\n`, "user", "password", "vera", "--password-stdin");
  assert.equal((await send("GET", "/api/v1/me", { cookie: old })).status, 401);
  await service.okno("user", "disable", "anna");
  assert.equal((await as("anna", "GET", "/api/v1/me")).status, 401);
  assert.equal((await send("POST", "/api/v1/login", {}, { user: "anna", password })).status, 401);
  await service.okno("user", "enable", "anna");
  await logIn("anna");
  await service.okno("user", "disable", "root2");
  await assert.rejects(service.okno("user", "disable", "admin"), /nobody else is an administrator/);
});
