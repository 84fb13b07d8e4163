// A whole audit over HTTP, signature and further round included, while the service is killed inside its steps: at
// random moments of each, again and again, until the step is done. Whatever was under way, an audit stands before a
// step or after it, the database and the log agree, and nothing half made is left; then the next request goes on.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { has } from "../../src/ui/src/i18n.js";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const password = "a long password";
const surveys = 4000;
const killsMax = 4; // of one step; then it is left alone
const day = "2026-03-10";
const plan = (audit, auditor) => ({ audit, title: "Killed", from: `${day}T00:00:00Z`, to: "2026-03-12T00:00:00Z", size: 60, looks: 2, k: 0.5, strata: "answer", undeterminable_limit: 0.9, auditor });
const plain = ["k"]; // facts named in every language as they are
const cookies = {};
let service;
let chance = Number(process.env.OKNO_CHANCE ?? Date.now() % 2147483647); // told with every failure

/** 0 to 1; the same again from the same chance. Park and Miller's generator. */
function random() {
  chance = (chance * 48271) % 2147483647;
  return chance / 2147483647;
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

async function ask(user, path, body, method = "POST") {
  const headers = { "content-type": "application/json", cookie: cookies[user] ?? "" };
  return fetch(`${service.url}/api/v1/${path}`, { method, headers, body: method === "POST" ? JSON.stringify(body ?? {}) : undefined });
}

async function done(user, path, body, method) {
  const answer = await ask(user, path, body, method);
  assert.ok(answer.ok, `${path}: ${answer.status} ${answer.ok || await answer.text()}`);
  return answer;
}

const read = async (path) => (await done("olga", path, null, "GET")).json();

/** Half a minute's presses at four points. */
function events() {
  const lines = ["device,seq,time,kind"];
  const begin = Date.parse(`${day}T06:00:00Z`);
  for (let i = 0; i < surveys; i++) {
    const at = begin + Math.floor(i / 4) * 60000;
    const seq = 2 * Math.floor(i / 4);
    lines.push(`B${i % 4},${seq + 1},${new Date(at).toISOString()},press`, `B${i % 4},${seq + 2},${new Date(at + 4000).toISOString()},${i % 3 ? "yes" : "no"}`);
  }
  return `${lines.join("\n")}\n`;
}

before(async () => {
  service = await Service.start();
  const points = [0, 1, 2, 3].map((n) => `T${n},S1,Till ${n}`);
  const tables = { points: `point,site,name\n${points.join("\n")}\n`,
    questions: `question,point,from,kind,text,window_s\n${[0, 1, 2, 3].map((n) => `K${n},T${n},2026-01-01T00:00:00Z,office,Pleased?,15`).join("\n")}\n`,
    devices: `device,point,from\n${[0, 1, 2, 3].map((n) => `B${n},T${n},2026-01-01T00:00:00Z`).join("\n")}\n`, events: events() };
  for (const [kind, text] of Object.entries(tables)) {
    await writeFile(join(service.dir, `${kind}.csv`), text);
    await service.okno("import", kind, join(service.dir, `${kind}.csv`));
  }
  await service.okno("refresh").catch(() => {});
  for (const [user, role] of [["olga", "auditor"], ["vera", "expert"]]) {
    const child = run(program, ["--data", service.data, "user", "add", user, "--role", role, "--all-sites", "--password-stdin"]);
    child.child.stdin.end(`${password}\n`);
    await child;
    cookies[user] = (await done(user, "login", { user, password })).headers.get("set-cookie").split(";")[0];
  }
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "olga", "-f", join(service.dir, "olga")]);
  await done("olga", "audit-keys", { key: await readFile(join(service.dir, "olga.pub"), "utf8") });
});

after(() => service?.close());

async function decideAll(audit) {
  for (let n = 0; ; n++) {
    const next = await ask("vera", "queue/next", { audit });
    if (next.status !== 200) return n;
    const { item, lease } = await next.json();
    await done("vera", `queue/${item}/submit`, { lease, watched: [], ...(n % 9 ? { verdict: "valid" } : { verdict: "invalid", reason: "STAFF_PRESSED" }) });
  }
}

/** Signed as on the auditor's own computer. */
async function signature(audit) {
  const { manifest } = await (await done("olga", `audits/${audit}/manifest`)).json();
  const file = join(service.dir, `${audit}.manifest`);
  await writeFile(file, manifest);
  await run("sh", ["-c", `rm -f ${file}.sig && ssh-keygen -q -Y sign -f ${join(service.dir, "olga")} -n okno-audit ${file}`]);
  return { signature: await readFile(`${file}.sig`, "utf8") };
}

/** Every step with what it takes; what comes before it, done once, by people. */
const steps = (audit) => [
  { step: "freeze" }, { step: "checkpoint" }, { step: "seed", body: () => ({ seed: "27182818284590452353" }) }, { step: "draw" },
  { step: "extend", first: () => decideAll(audit), body: () => ({ size: 20 }) },
  { step: "close", first: () => decideAll(audit), body: () => ({ note: "all seen" }) },
  { step: "report", body: () => ({ opinion: "qualified", statement: "Killed often." }) },
  { step: "sign", path: "signature", body: () => signature(audit) },
  { step: "export", body: () => ({ with_evidence: true }) }];

const stepsOf = async (audit) => (await read(`audits/${audit}`)).steps.map(({ step }) => step);

/** The step's request, until its answer is there as a whole. */
async function take(audit, { step, path = step, body = () => ({}) }) {
  const answer = await done("olga", `audits/${audit}/${path}`, await body());
  return Buffer.from(await answer.arrayBuffer());
}

/** Ask for it and kill the service at a moment of it. Whether the step was cut off. */
async function cut(audit, one, ms) {
  const body = await (one.body ?? (() => ({})))();
  const asked = done("olga", `audits/${audit}/${one.path ?? one.step}`, body).then((answer) => answer.arrayBuffer()).then(() => false, () => true);
  await pause(random() * ms);
  await service.down("SIGKILL");
  const wasCut = await asked;
  await service.up();
  return wasCut;
}

test("steps killed inside leave an audit before or after them, and the next request goes on", async () => {
  const lasted = {};
  await done("olga", "audits", plan("calm", "olga"));
  for (const one of steps("calm")) { // how long each takes here
    await one.first?.();
    const begin = performance.now();
    await take("calm", one);
    lasted[one.step] = performance.now() - begin;
  }
  await done("olga", "audits", plan("march", "olga"));
  const told = ["plan"];
  let cuts = 0;
  let reach = 1.2; // of the time that a step took left alone; less after a kill that came too late
  let tar;
  for (const one of steps("march")) {
    await one.first?.();
    for (let kills = 0; kills < killsMax && told.at(-1) !== one.step; kills++) {
      const begun = chance;
      const inside = await cut("march", one, lasted[one.step] * reach);
      cuts += inside;
      reach = Math.min(1.2, reach * (inside ? 1.3 : 0.6));
      const now = await stepsOf("march");
      const words = `${one.step}, killed (chance ${begun})`;
      assert.deepEqual(now.slice(0, told.length), told, words);
      assert.ok(now.length <= told.length + 1 && [undefined, one.step].includes(now[told.length]), `${words}: ${now.join(" ")}`);
      if (now.length > told.length) told.push(one.step);
      await service.okno("check");
      assert.deepEqual((await readdir(join(service.data, "http-exports")).catch(() => [])), [], words);
    }
    if (told.at(-1) !== one.step || one.step === "export") { // left alone it is done at once; a bundle that was cut off is asked for again
      tar = await take("march", one);
      told.push(one.step);
    }
    assert.deepEqual(await stepsOf("march"), told);
  }
  assert.ok(cuts >= 3, `${cuts} kills came inside a step`);
  const names = (await read("audits/march")).steps.flatMap(({ detail }) => [detail, detail?.plan ?? {}]).filter((facts) => facts && typeof facts === "object").flatMap(Object.keys);
  assert.deepEqual([...new Set(names)].filter((name) => name !== "plan" && !plain.includes(name) && !has(`fact.${name}`)), [], "facts of steps that the page has no words for");
  await writeFile(join(service.dir, "march.tar"), tar);
  await run("tar", ["-C", service.dir, "-xf", join(service.dir, "march.tar")]);
  const { stdout } = await run(program, ["verify", join(service.dir, "okno-march"), "--auditor-key", join(service.dir, "olga.pub")]);
  assert.match(stdout, new RegExp(`${surveys} surveys frozen, 80 drawn, 80 decisions`));
  assert.match(stdout, /auditor {2}signed, .*, the key given/);
  console.log(`${cuts} kills inside a step; ms left alone: ${JSON.stringify(lasted, (_, value) => (typeof value === "number" ? Math.round(value) : value))}`);
});
