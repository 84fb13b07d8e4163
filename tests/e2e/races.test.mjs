// The same thing asked for many times at once, as impatient people and two browsers do: it happens once, whoever comes
// second is told so, and nothing is lost or doubled.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const password = "a long password";
const experts = ["vera", "ivan", "nina", "oleg"];
const cookies = {};
let service;
let dir;

async function ask(user, path, body) {
  const answer = await fetch(`${service.url}/api/v1/${path}`, { method: "POST", headers: { "content-type": "application/json", cookie: cookies[user] ?? "" }, body: JSON.stringify(body ?? {}) });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const json = /json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(bytes) : null;
  assert.ok(answer.status < 500 || json?.error.code === "busy", `${path}: ${answer.status} ${bytes.subarray(0, 300)}`);
  return { status: answer.status, json, bytes, cookie: answer.headers.get("set-cookie") };
}

const atOnce = (count, one) => Promise.all(Array.from({ length: count }, (_, i) => one(i)));
const good = (answers) => answers.filter(({ status }) => status < 300);
const stepsOf = async (audit) => (await service.rows(`SELECT step FROM audit_steps WHERE audit = '${audit}' ORDER BY rowid`)).map(({ step }) => step);

function events() {
  const lines = ["device,seq,time,kind"];
  for (let i = 0; i < 200; i++) {
    const at = Date.parse("2026-03-10T06:00:00Z") + i * 60000;
    lines.push(`D1,${2 * i + 1},${new Date(at).toISOString()},press`, `D1,${2 * i + 2},${new Date(at + 4000).toISOString()},${i % 3 ? "yes" : "no"}`);
  }
  return `${lines.join("\n")}\n`;
}

before(async () => {
  service = await Service.start();
  dir = await mkdtemp(join(tmpdir(), "okno-races-"));
  await writeFile(join(dir, "devices.csv"), "device,point,from\nD1,P1,2026-01-01T00:00:00Z\n");
  await service.okno("import", "devices", join(dir, "devices.csv"));
  for (const [user, role] of [["olga", "auditor"], ["boss", "manager"], ["chef", "manager"], ...experts.map((user) => [user, "expert"])]) {
    const child = run(program, ["--data", service.data, "user", "add", user, "--role", role, "--all-sites", "--password-stdin"]);
    child.child.stdin.end(`${password}\n`);
    await child;
    cookies[user] = (await ask(user, "login", { user, password })).cookie.split(";")[0];
  }
});
after(async () => {
  await service?.close();
  await rm(dir, { recursive: true });
});

test("one file imported many times at once is there once", async () => {
  const file = join(dir, "events.csv");
  await writeFile(file, events());
  const told = await atOnce(4, () => service.okno("import", "events", file, "--json").then(JSON.parse));
  assert.equal(told.reduce((sum, { added }) => sum + added, 0), 400);
  for (const one of told) assert.equal(one.added + one.duplicate, 400);
  assert.deepEqual(await service.rows("SELECT count(*) AS n FROM events"), [{ n: 400 }]);
  await service.wait("SELECT count(*) AS n FROM surveys WHERE state <> 'open'", [{ n: 200 }], 30000);
});

test("each step of an audit happens once", async () => {
  assert.equal(good(await atOnce(5, () => ask("olga", "audits", { audit: "A1", from: "2026-03-10T00:00:00Z", to: "2026-03-11T00:00:00Z", size: 60, looks: 2, undeterminable_limit: 0.9 }))).length, 1);
  for (const [step, body] of [["freeze", { accept_unheard: "a test" }], ["checkpoint"], ["seed", { seed: "27182818284590452353" }], ["draw"]])
    assert.equal(good(await atOnce(5, () => ask("olga", `audits/A1/${step}`, body))).length, 1, step);
  assert.deepEqual(await stepsOf("A1"), ["plan", "freeze", "checkpoint", "seed", "draw"]);
  assert.deepEqual(await service.rows("SELECT count(*) AS n, count(DISTINCT survey) AS d FROM review_items WHERE audit = 'A1'"), [{ n: 60, d: 60 }]);
});

test("no two experts have one item, and each verdict counts once", async () => {
  const leased = await Promise.all(experts.map((user) => atOnce(4, () => ask(user, "queue/next", { audit: "A1" }))));
  const items = leased.map((answers) => new Set(answers.map(({ json }) => json.item)));
  for (const own of items) assert.equal(own.size, 1); // the item that is leased already
  assert.equal(new Set(items.flatMap((own) => [...own])).size, experts.length);
  const work = async (user) => {
    for (let done = 0; ; done++) {
      const { status, json } = await ask(user, "queue/next", { audit: "A1" });
      if (status === 404) return done;
      assert.equal(status, 200);
      const verdict = { lease: json.lease, watched: [], ...(done % 5 ? { verdict: "valid" } : { verdict: "invalid", reason: "STAFF_PRESSED" }) };
      const answers = await atOnce(3, () => ask(user, `queue/${json.item}/submit`, verdict));
      assert.ok(good(answers).length >= 1, JSON.stringify(answers.map(({ json: told }) => told)));
      if (done === 3) {
        await atOnce(3, () => ask(user, "queue/undo"));
        const again = (await ask(user, "queue/next", { audit: "A1" })).json;
        await atOnce(2, () => ask(user, `queue/${again.item}/submit`, { ...verdict, lease: again.lease }));
      }
    }
  };
  await Promise.all(experts.map(work));
  assert.deepEqual(await service.rows("SELECT count(*) AS n FROM review_items WHERE audit = 'A1' AND state = 'open'"), [{ n: 0 }]);
  // One that stands for each item: what is counted and superseded by nothing.
  assert.deepEqual(await service.rows(`SELECT item, count(*) AS n FROM verdicts v WHERE counted = 1 AND verdict <> 'undone'
    AND NOT EXISTS (SELECT 1 FROM verdicts w WHERE w.supersedes = v.id) GROUP BY item HAVING n <> 1`), []);
});

test("an audit is extended, closed, reported and exported once or the same each time", async () => {
  assert.equal(good(await atOnce(4, () => ask("olga", "audits/A1/extend", { size: 10 }))).length, 1);
  assert.deepEqual(await service.rows("SELECT count(*) AS n FROM review_items WHERE audit = 'A1'"), [{ n: 70 }]);
  for (;;) {
    const { status, json } = await ask("vera", "queue/next", { audit: "A1" });
    if (status === 404) break;
    await ask("vera", `queue/${json.item}/submit`, { lease: json.lease, watched: [], verdict: "valid" });
  }
  assert.equal(good(await atOnce(4, () => ask("olga", "audits/A1/close", {}))).length, 1);
  await atOnce(3, () => ask("olga", "audits/A1/report", { opinion: "qualified" }));
  const [purged, ...bundles] = await Promise.all([service.okno("purge", "--days", "3650").then(() => true), ...Array.from({ length: 3 }, () => ask("olga", "audits/A1/export", { unsigned: true }))]);
  assert.ok(purged);
  for (const [i, { status, bytes }] of bundles.entries()) {
    assert.equal(status, 200);
    const place = join(dir, `bundle${i}`);
    await writeFile(`${place}.tar`, bytes);
    await run("sh", ["-c", `mkdir ${place} && tar -xf ${place}.tar -C ${place}`]);
    const { stdout } = await run("sh", ["-c", `${program} verify ${place}/*`]);
    assert.match(stdout, /identity not checked/);
  }
  await service.okno("check");
});

test("two people and two wishes leave one decision", async () => {
  const closed = await atOnce(4, (i) => ask(i % 2 ? "boss" : "chef", "periods", { from: "2026-03-10", to: "2026-03-10", accept: "a test" }));
  assert.equal(good(closed).length, 1, JSON.stringify(closed.map(({ json }) => json)));
  assert.deepEqual(await service.rows("SELECT count(*) AS n FROM pay_periods"), [{ n: 1 }]);
  await atOnce(4, (i) => ask(i % 2 ? "boss" : "chef", "surveys/D1.0.1/attribution", { employee: "unassigned", reason: `wish ${i}` }));
  await service.okno("check");
});
