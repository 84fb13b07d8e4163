// One whole audit over HTTP with real video, signed and with a further round: each step by its role, the service killed
// after every one (inside them: killed.test.mjs); an expert who tells the scene's truth; and what is estimated from part
// of the surveys holds what is true of all of them. On a service of its own, beside the demo's, whose archive it asks.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const build = process.env.OKNO_BUILD;
const scene = join(build, "demo/scene");
const password = "a long password";
const kinds = ["sites", "points", "devices", "cameras", "placements", "questions", "employees", "shifts", "clocks", "counts", "events"];
const cookies = new Map();
const service = new Service();
let truth;
let rows;

async function addUser(user, role) {
  const child = run(join(build, "okno"), ["--data", service.data, "user", "add", user, "--role", role, "--all-sites", "--password-stdin"]);
  child.child.stdin.end(`${password}\n`);
  await child;
}

/** Ask as somebody; sessions outlive the service. */
async function ask(user, path, body, method = "POST") {
  const headers = { "content-type": "application/json", cookie: cookies.get(user) ?? "" };
  return fetch(`${service.url}/api/v1/${path}`, { method, headers, body: method === "POST" ? JSON.stringify(body ?? {}) : undefined });
}

async function done(user, path, body, method) {
  const answer = await ask(user, path, body, method);
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

const pulled = async () => {
  await service.down("SIGKILL");
  await service.up();
};

before(async () => {
  truth = JSON.parse(await readFile(join(scene, "truth.json"), "utf8"));
  const [head, ...lines] = (await readFile(join(scene, "truth.csv"), "utf8")).trim().split("\n").map((line) => line.split(","));
  rows = new Map(lines.map((line) => [line[0], Object.fromEntries(head.map((column, i) => [column, line[i]]))]));
  service.dir = await mkdtemp(join(tmpdir(), "okno-audit-"));
  service.data = join(service.dir, "data");
  await service.okno("init");
  await service.okno("import", "archives", join(build, "demo/archives.csv"));
  for (const kind of kinds) await service.okno("import", kind, join(scene, `import/${kind}.csv`));
  await addUser("olga", "auditor");
  await addUser("vera", "expert");
  await service.up();
  for (const user of ["olga", "vera"]) {
    const login = await ask(user, "login", { user, password });
    assert.equal(login.status, 200);
    cookies.set(user, login.headers.get("set-cookie").split(";")[0]);
  }
});

after(async () => {
  await service.down("SIGKILL");
  await rm(service.dir, { recursive: true, force: true });
});

/** What the scene says of a survey; nothing can be told without a picture. */
function verdictOf(item) {
  const { reason } = rows.get(item.survey.id);
  const watched = [item.clip, item.still].filter(Boolean).map(({ sha256 }) => sha256);
  if (!item.clip) return { verdict: "undeterminable", reason: "NO_RECORDING", watched };
  return reason ? { verdict: "invalid", reason, watched } : { verdict: "valid", watched };
}

/** The index of all genuine surveys of a kind, whoever looked at them. */
function indexOf(kind, sign) {
  const genuine = [...rows.values()].filter((row) => row.question_kind === kind && !row.reason && !(kind === "personnel" && row.force_majeure === "1"));
  const count = (answer) => genuine.filter((row) => row.answer === answer).length;
  return sign > 0 ? (count("no") + 0.5 * count("")) / genuine.length : (count("yes") - count("no") - 0.5 * count("")) / genuine.length;
}

/** Vera tells the truth about all that was drawn, once its footage is there; on how many of them there was some. */
async function decideAll() {
  await service.wait("SELECT count(*) AS n FROM jobs WHERE kind IN ('link', 'clip', 'still') AND state IN ('waiting', 'running') AND class = 1", [{ n: 0 }], 180000);
  let seen = 0;
  for (;;) {
    const next = await ask("vera", "queue/next", { audit: "march" });
    if (next.status === 404) return seen;
    const item = await next.json();
    assert.equal(next.status, 200, JSON.stringify(item));
    if (item.clip && seen++ === 0) await checkClip(item.clip);
    if (seen === 5) await pulled();
    const { lease } = item;
    assert.equal((await done("vera", `queue/${item.item}/submit`, { lease, ...verdictOf(item) })).counted, true);
  }
}

/** The picture is the real one. */
async function checkClip(clip) {
  const answer = await ask("vera", clip.url.slice("/api/v1/".length), null, "GET");
  const file = join(service.dir, "clip.mp4");
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  const [, , drawn] = execFileSync(join(build, "tools/strip"), ["--first", file], { encoding: "utf8" }).trim().split(/\s+/);
  assert.ok(Math.abs(Number(drawn) - Date.parse(clip.got_from)) <= truth.frame_ms, `${drawn} is not ${clip.got_from}`);
}

/** By the auditor's own tool, on what the service hands out. */
async function sign(key) {
  const file = join(service.dir, "march.manifest");
  await writeFile(file, (await done("olga", "audits/march/manifest")).manifest);
  await run("ssh-keygen", ["-q", "-Y", "sign", "-f", key, "-n", "okno-audit", file]);
  await pulled();
  const { signature } = await done("olga", "audits/march/signature", { signature: await readFile(`${file}.sig`, "utf8") });
  assert.equal(signature.current, true);
}

// How often intervals hold the truth is tested over many draws (tests/audit/test_coverage.c); this is one, with its seed.
test("an audit over HTTP, killed between any two steps, holds the truth", async () => {
  const key = join(service.dir, "olga");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "olga", "-f", key]);
  await done("olga", "audit-keys", { key: await readFile(`${key}.pub`, "utf8") });
  const plan = { audit: "march", from: truth.from, to: truth.to, size: 30, k: 0.5, undeterminable_limit: 0.5, looks: 2, title: "By the API", auditor: "olga" };
  assert.equal((await ask("vera", "audits", plan)).status, 403);
  await done("olga", "audits", plan);
  for (const [step, body] of [["freeze", {}], ["checkpoint", {}], ["seed", { seed: "27182818284590452353", witnesses: "Anna" }], ["draw", {}]]) {
    await pulled();
    assert.equal((await done("olga", "audits/march", null, "GET")).next, step);
    await done("olga", `audits/march/${step}`, body);
  }
  await pulled();
  let seen = await decideAll();
  await pulled();
  await done("olga", "audits/march/extend", { size: 10 });
  await pulled();
  seen += await decideAll();
  const { sample } = await done("olga", "audits/march", null, "GET");
  assert.ok(sample >= 30);
  assert.ok(seen > sample / 2);
  await pulled();
  await done("olga", "audits/march/close", { note: "all seen" });
  await pulled();
  await done("olga", "audits/march/report", {});
  await pulled();
  const report = await (await ask("olga", "audits/march/report?format=json&lang=en", null, "GET")).json();
  const { indicators } = report.total.groups[0];
  for (const [id, value] of [["ink_personnel", indexOf("personnel", 1)], ["iel", indexOf("loyalty", -1)]]) {
    const { estimated, estimated_null_reason: why } = indicators[id];
    assert.ok(estimated, `${id}: ${why}`);
    const { low, high } = estimated;
    assert.ok(low <= value && value <= high, `${id}: ${value} is not in [${low}, ${high}]`);
  }
  await sign(key);
  await pulled();
  const tar = await ask("olga", "audits/march/export", { with_evidence: true });
  assert.equal(tar.status, 200);
  const file = join(service.dir, "march.tar");
  await writeFile(file, Buffer.from(await tar.arrayBuffer()));
  await run("tar", ["-C", service.dir, "-xf", file]);
  const { stdout } = await run(join(build, "okno"), ["verify", join(service.dir, "okno-march"), "--auditor-key", `${key}.pub`]);
  assert.match(stdout, new RegExp(`${sample} drawn, ${sample} decisions, [1-9][0-9]* files of evidence`));
  assert.match(stdout, /auditor {2}signed, .*, the key given/);
});
