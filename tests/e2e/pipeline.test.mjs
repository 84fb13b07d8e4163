// The whole job on the demo's shop, checked against the scene's truth by means of its own: the time
// strip in the pictures, the draw, and the indicators are computed here a second time. Reads what
// tools/demo left in BUILD/demo; the service of the demo is running at OKNO_URL.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";

const build = process.env.OKNO_BUILD;
const demo = join(build, "demo");
const truth = JSON.parse(readFileSync(join(demo, "scene/truth.json"), "utf8"));
const frameMs = truth.frame_ms;

const text = (name) => readFileSync(join(demo, name), "utf8");
const lines = (name) => text(name).trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
const csv = (name) => {
  const [head, ...rows] = text(name).trim().split("\n").map((line) => line.split(","));
  return rows.map((row) => Object.fromEntries(head.map((column, i) => [column, row[i]])));
};
const ms = (time) => Date.parse(time);
const okno = (...args) =>
  execFileSync(join(build, "okno"), ["--config", join(demo, "okno.conf"), "--data", join(demo, "data"), ...args], { encoding: "utf8" });
const strip = (path, which) => {
  const out = execFileSync(join(build, "tools/strip"), [which, path], { encoding: "utf8" });
  return Number(out.trim().split(/\s+/)[2]);
};

const surveyTruth = new Map(csv("scene/truth.csv").map((row) => [row.survey, row]));
const surveys = new Map();
const ratings = new Map(); // spontaneous ones: answers outside every window
const subjects = () => [...surveys.values(), ...ratings.values()];
const stills = lines("stills.jsonl");
const clips = lines("clips.jsonl").filter((item) => item.kind === "clip");
let status;
let cookie;

/** The service as a program: JSON in, JSON out. */
async function api(path) {
  const answer = await fetch(`${process.env.OKNO_URL}/api/v1/${path}`, { headers: { cookie } });
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

before(async () => {
  const period = ["--from", truth.from, "--to", truth.to, "--json"];
  const list = (...args) => okno("survey", "list", ...args, ...period).trim().split("\n").map((line) => JSON.parse(line));
  for (const survey of list()) surveys.set(survey.id, survey);
  for (const rating of list("--spontaneous")) ratings.set(rating.id, rating);
  status = JSON.parse(okno("audit", "status", "demo", "--json"));
  const login = await fetch(`${process.env.OKNO_URL}/api/v1/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "manager", password: process.env.OKNO_MANAGER_PASSWORD }),
  });
  assert.equal(login.status, 200);
  cookie = login.headers.get("set-cookie").split(";")[0];
});

test("surveys are those of the truth, with their moments and answers", () => {
  assert.deepEqual([...surveys.keys()].sort(), [...surveyTruth.keys()].sort());
  for (const [id, expected] of surveyTruth) {
    const survey = surveys.get(id);
    assert.equal(ms(survey.opened_at), ms(expected.opened_at), `${id} opened`);
    assert.equal(survey.answer ?? "", expected.answer, `${id} answer`);
    assert.equal(survey.answered_at ? ms(survey.answered_at) : 0, expected.answered_at ? ms(expected.answered_at) : 0, `${id} answered`);
    assert.equal(survey.employee ?? "", expected.employee, `${id} employee`);
    assert.equal(survey.force_majeure, expected.force_majeure === "1", `${id} force majeure`);
    assert.equal(survey.late_answers > 0, expected.late_at !== "", `${id} late answer`);
  }
});

test("spontaneous ratings are those of the truth", () => {
  const told = [...ratings.values()].map(({ point, answered_at, answer }) => `${point} ${ms(answered_at)} ${answer}`);
  const expected = truth.spontaneous.map(({ point, at, answer }) => `${point} ${ms(at)} ${answer}`);
  assert.ok(expected.length > 0, "the scene has some");
  assert.deepEqual(told.sort(), expected.sort());
});

// Measurements of the demo's clocks; between two of them the offset is a line and the uncertainty grows
// by 50 ppm of the distance to the nearer one. The scene measures each clock alike every time.
const measured = csv("scene/import/clocks.csv");
function uncertainty(target, at) {
  const own = measured.filter((row) => row.target === target);
  const nearest = Math.min(...own.map((row) => Math.abs(ms(row.at) - at)));
  return Number(own[0].uncertainty_ms) + nearest * 50e-6;
}

/** What the linker has to ask for, and which part of it the scene recorded. */
function expectedLink(survey) {
  const camera = truth.cameras.find((one) => one.point === survey.point);
  const at = ms(survey.opened_at);
  const u = uncertainty(`camera:${camera.camera}`, at) + uncertainty(`device:${survey.id.split(".")[0]}`, at);
  const from = ms(survey.opened_at) - 20000 - u;
  const to = ms(survey.closes_at) + 5000 + u;
  const [holeFrom, holeTo] = camera.hole ? camera.hole.map(ms) : [0, 0];
  const recordedFrom = ms(truth.from) - camera.offset_ms;
  const recordedTo = ms(truth.to);
  const overlap = (a, b) => Math.max(0, Math.min(to, b) - Math.max(from, a));
  const covered = overlap(recordedFrom, recordedTo) - overlap(holeFrom, holeTo);
  return { from, to, fraction: covered / (to - from), camera, holeFrom, holeTo, recordedTo };
}

test("every survey says what its camera recorded, the hole included", () => {
  let inHole = 0;
  for (const survey of subjects()) {
    const { fraction } = expectedLink(survey);
    const expected = fraction >= 1 ? "linked" : fraction > 0 ? "partial" : "no_recording";
    assert.equal(survey.video, expected, `${survey.id}: ${fraction}`);
    inHole += expected !== "linked";
  }
  assert.ok(inHole >= 3, "the scene has surveys in the hole");
  const states = JSON.parse(text("links.json"));
  assert.equal(states.linked + states.partial + states.no_recording, subjects().length);
});

test("every still shows the last frame at or before the answer", () => {
  let worst = 0;
  for (const still of stills) {
    const survey = surveys.get(still.survey) ?? ratings.get(still.survey);
    const wanted = ms(survey.answered_at ?? survey.closes_at);
    const drawn = strip(still.path, "--first");
    assert.ok(drawn <= wanted && wanted - drawn < frameMs + 1, `${still.survey}: wanted ${wanted}, drawn ${drawn}`);
    worst = Math.max(worst, Math.abs(drawn - ms(still.frame_at)));
  }
  assert.ok(worst <= frameMs, `frame times differ by ${worst} ms`);
});

test("every survey whose moment was recorded has its still, and no other", () => {
  const have = new Set(stills.map((still) => still.survey));
  for (const survey of subjects()) {
    const { holeFrom, holeTo } = expectedLink(survey);
    const wanted = ms(survey.answered_at ?? survey.closes_at);
    // A frame up to a second old still shows the moment.
    const lost = wanted >= holeFrom + 1000 && wanted < holeTo;
    assert.equal(have.has(survey.id), !lost, survey.id);
  }
});

test("every clip of the sample covers its interval to the frame", () => {
  for (const clip of clips) {
    const link = expectedLink(surveys.get(clip.survey));
    assert.ok(Math.abs(ms(clip.asked_from) - link.from) <= 2, `${clip.survey} asked from ${clip.asked_from}, computed ${link.from}`);
    assert.ok(Math.abs(ms(clip.asked_to) - link.to) <= 2, `${clip.survey} asked to ${clip.asked_to}, computed ${link.to}`);
    const first = strip(clip.path, "--first");
    const last = strip(clip.path, "--last");
    assert.ok(Math.abs(first - ms(clip.got_from)) <= 1, `${clip.survey}: first frame drawn ${first}, said ${clip.got_from}`);
    assert.ok(Math.abs(last + frameMs - ms(clip.got_to)) <= 1, `${clip.survey}: last frame drawn ${last}, said to ${clip.got_to}`);
    const startsInHole = link.from >= link.holeFrom && link.from < link.holeTo;
    const endsInHole = link.to > link.holeFrom && link.to <= link.holeTo;
    if (startsInHole) assert.ok(Math.abs(first - link.holeTo) < frameMs + 1, `${clip.survey} starts after the hole`);
    else assert.ok(first <= link.from && link.from - first <= 4100, `${clip.survey} starts at a key frame before`);
    const end = endsInHole ? link.holeFrom : Math.min(link.to, link.recordedTo);
    assert.ok(last + frameMs >= end && last < end + frameMs + 1, `${clip.survey} ends at ${end}: ${last}`);
  }
  assert.ok(clips.length >= 15);
});

test("evidence is kept under the hash of its bytes", () => {
  for (const item of [...stills, ...clips]) {
    const bytes = readFileSync(item.path);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), item.sha256);
    assert.equal(bytes.length, item.bytes);
  }
});

/** CS1, written again: the ticket of an id. */
function ticket(seed, id) {
  const hash = (value) => createHash("sha256").update(value, "utf8").digest("hex");
  const digits = BigInt(`0x${hash(hash(seed) + id)}`).toString().padStart(64, "0");
  return `0.${[...digits].reverse().join("")}`;
}

const sampleOf = (seed, size) =>
  [...surveys.keys()]
    .map((id) => ({ id, ticket: ticket(seed, id) }))
    .sort((a, b) => (a.ticket < b.ticket ? -1 : 1))
    .slice(0, size)
    .map((one) => one.id);

test("the sample is the one that anybody can draw from the seed", () => {
  assert.equal(status.frame_size, surveys.size);
  const drawn = sampleOf(status.seed, status.sample);
  assert.deepEqual(clips.map((clip) => clip.survey).sort(), drawn.filter((id) => clips.some((clip) => clip.survey === id)).sort());
  const reviewed = [...surveys.values()].filter((survey) => survey.validity !== "unreviewed").map((survey) => survey.id);
  assert.equal(reviewed.length, status.reviewed);
  assert.deepEqual(reviewed.filter((id) => !drawn.includes(id)), []);
});

const weight = 0.5;
const kindOf = { ink_personnel: "personnel", iel: "loyalty" };

/** N, Y, S and n of some surveys, as the product specification defines the indices. */
function index(indicator, list) {
  const count = (answer) => list.filter((survey) => (survey.answer ?? "silent") === answer).length;
  const n = list.length;
  const unhappy = count("no") + weight * count("silent");
  return indicator === "iel" ? (count("yes") - unhappy) / n : unhappy / n;
}

const inScope = (indicator) =>
  [...surveys.values()].filter((survey) => survey.kind === kindOf[indicator] && !(indicator === "ink_personnel" && survey.force_majeure));

const near = (got, wanted, what) => assert.ok(Math.abs(got - wanted) < 1e-8, `${what}: ${got}, computed here ${wanted}`);

test("verdicts follow the truth and exclude what it says is fake", () => {
  for (const survey of surveys.values()) {
    if (survey.validity === "unreviewed") continue;
    const hasClip = clips.some((clip) => clip.survey === survey.id);
    const reason = surveyTruth.get(survey.id).reason;
    const expected = !hasClip ? ["undeterminable", "NO_RECORDING"] : reason ? ["invalid", reason] : ["valid", null];
    assert.deepEqual([survey.validity, survey.reason ?? null], expected, survey.id);
  }
});

test("raw and excluded indicators are those computed from the surveys", async () => {
  const figures = await api(`indicators?from=${truth.from}&to=${truth.to}&audit=demo`);
  const { indicators } = figures.groups[0];
  for (const indicator of Object.keys(kindOf)) {
    const all = inScope(indicator);
    near(indicators[indicator].raw, index(indicator, all), `${indicator} raw`);
    near(indicators[indicator].excluded, index(indicator, all.filter((survey) => survey.validity !== "invalid")), `${indicator} excluded`);
  }
  const counted = [...surveys.values()].filter((survey) => survey.validity !== "invalid");
  near(indicators.silent_share.excluded, counted.filter((survey) => survey.state === "silent").length / counted.length, "silent share");
  near(indicators.response_rate.raw, [...surveys.values()].filter((survey) => survey.answer).length / surveys.size, "response rate");
  near(indicators.fm_level.raw, truth.force_majeure.length / surveys.size, "force-majeure level");
});

const answers = ["yes", "unsure", "no", "silent"];
const thin = (pool) => pool.n < 2 && pool.n < pool.N;
const together = (a, b) => ({ N: a.N + b.N, n: a.n + b.n, x: a.x + b.x, answer: b.answer, members: [...a.members, ...b.members] });

/** Cells with too few results share those of the same class in the next stratum; the last, of the one before. */
function mergeStrata(pools) {
  const out = [];
  for (const pool of pools) {
    if (out.length && thin(out.at(-1))) out.push(together(out.pop(), pool));
    else out.push(pool);
  }
  if (out.length > 1 && thin(out.at(-1))) out.splice(-2, 2, together(out.at(-2), out.at(-1)));
  return out;
}

/** A class that is thin as a whole shares those of the next class; the last, of the one before. */
function mergeClasses(classes) {
  const out = [];
  for (const pools of classes) {
    const before = out.at(-1);
    if (before?.length === 1 && thin(before[0])) out.splice(-1, 1, [pools.reduce(together, before[0])]);
    else out.push(pools);
  }
  const last = out.at(-1);
  if (out.length > 1 && last.length === 1 && thin(last[0])) out.splice(-2, 2, [[...out.at(-2), last[0]].reduce(together)]);
  return out.flat();
}

/** Where force majeure stays in (loyalty), its surveys are cells of their own in the same row of strata. */
const byStratum = (a, b) => (a.stratum === b.stratum ? a.fm - b.fm : a.stratum < b.stratum ? -1 : 1);

function pools(cells) {
  const rows = answers.map((answer) => cells.filter((cell) => cell.answer === answer).sort(byStratum));
  return mergeClasses(rows.filter((row) => row.length).map((row) => mergeStrata(row.map((cell) => ({ ...cell, members: [cell] })))));
}

test("the estimate is the ratio of genuine surveys over the whole frame, inside its interval", async () => {
  const figures = await api(`indicators?from=${truth.from}&to=${truth.to}&audit=demo`);
  for (const indicator of Object.keys(kindOf)) {
    const cells = new Map();
    for (const survey of inScope(indicator)) {
      const answer = survey.answer ?? "silent";
      const fm = survey.force_majeure;
      const key = `${survey.point} ${answer} ${fm}`;
      const cell = cells.get(key) ?? { stratum: `${survey.site}/${survey.point}`, answer, fm, N: 0, n: 0, x: 0 };
      cell.N++;
      if (survey.validity === "valid" || survey.validity === "invalid") cell.n++;
      if (survey.validity === "valid") cell.x++;
      cells.set(key, cell);
    }
    const gain = indicator === "iel" ? { yes: 1, unsure: 0, no: -1, silent: -weight } : { yes: 0, unsure: 0, no: 1, silent: weight };
    let numerator = 0;
    let denominator = 0;
    for (const pool of pools([...cells.values()])) {
      const share = pool.x / pool.n;
      for (const cell of pool.members) {
        numerator += gain[cell.answer] * cell.N * share;
        denominator += cell.N * share;
      }
    }
    const { estimated } = figures.groups[0].indicators[indicator];
    near(estimated.value, numerator / denominator, `${indicator} estimated`);
    assert.ok(estimated.low <= estimated.value && estimated.value <= estimated.high);
  }
});

test("a camera's wrong clock is found from what presses light up, to within a frame", () => {
  // The same shop, whose cameras' clocks nobody has measured.
  const data = mkdtempSync(join(tmpdir(), "okno-sync-"));
  const run = (...args) => execFileSync(join(build, "okno"), ["--config", join(demo, "okno.conf"), "--data", data, ...args],
    { encoding: "utf8", stdio: ["pipe", "pipe", "pipe"], input: "a long password\n" });
  try {
    run("init", "--password-stdin");
    const clocks = text("scene/import/clocks.csv").split("\n").filter((line) => !line.startsWith("camera:"));
    writeFileSync(join(data, "clocks.csv"), clocks.join("\n"));
    run("import", "archives", join(demo, "archives.csv"));
    for (const kind of ["sites", "points", "devices", "cameras", "placements", "questions", "events"])
      run("import", kind, join(demo, `scene/import/${kind}.csv`));
    run("import", "clocks", join(data, "clocks.csv"));
    run("survey", "list");
    const around = ["--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z", "--surveys", "12"];
    const found = JSON.parse(run("clock", "sync", "--camera", "cam2", ...around, "--search", "12", "--apply", "--json"));
    const off = found.offset_ms - truth.cameras.find((camera) => camera.camera === "cam2").offset_ms;
    assert.ok(Math.abs(off) <= frameMs, `off by ${off} ms`);
    assert.ok(Math.abs(off) <= found.fit_uncertainty_ms && found.fit_uncertainty_ms <= 2 * frameMs, `said ${found.fit_uncertainty_ms} ms`);
    assert.equal(found.result, "found");
    const [stored] = run("clock", "list", "camera:cam2").trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual([stored.method, Math.round(stored.offset_ms)], ["sync", Math.round(found.offset_ms)]);
    // Looked for where it is not: refused, exit 5.
    assert.throws(() => run("clock", "sync", "--camera", "cam1", ...around, "--search", "12", "--region", "80,5,95,20"),
      (error) => error.status === 5 && /presses/.test(error.stderr));
  } finally {
    rmSync(data, { recursive: true });
  }
});

test("what was excluded can be looked at, survey by survey", async () => {
  const figures = await api(`indicators?from=${truth.from}&to=${truth.to}`);
  for (const [reason, count] of Object.entries(figures.groups[0].excluded)) {
    const { surveys: found } = await api(`surveys?from=${truth.from}&to=${truth.to}&validity=invalid&reason=${reason}`);
    assert.equal(found.length, count, reason);
    for (const survey of found) {
      const dossier = await api(`surveys/${survey.id}`);
      assert.equal(dossier.survey.id, survey.id);
      assert.ok(dossier.reviews.some((review) => review.reason === reason));
      assert.ok(dossier.evidence.some((one) => one.kind === "clip"));
    }
  }
});

test("the summary tells what was done", () => {
  const summary = JSON.parse(text("summary.json"));
  assert.equal(summary.surveys, surveys.size);
  assert.equal(summary.events, truth.events);
  assert.equal(summary.answered + summary.silent, summary.surveys);
  assert.equal(summary.spontaneous, ratings.size);
  assert.equal(summary.linked + summary.partial + summary.no_recording, summary.surveys + summary.spontaneous);
  assert.equal(summary.stills, stills.length);
  assert.equal(summary.clips, clips.length);
  assert.equal(summary.sample, status.sample);
  assert.ok(summary.max_frame_error_ms <= frameMs, `frame error ${summary.max_frame_error_ms} ms`);
  assert.equal(summary.indicators.groups.length, 1);
});
