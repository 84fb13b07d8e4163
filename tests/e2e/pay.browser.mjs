// A manager closes a pay period, moves a survey and sees what that changed; an employee sees the own
// statement. On a service of its own, with real data made here.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitUntil } from "./browser.mjs";

const okno = join(process.env.OKNO_BUILD ?? "build", "okno");
const password = "a long password";
let dir;
let service;
let url;

function run(input, ...args) {
  const { status, stderr } = spawnSync(okno, ["--data", join(dir, "data"), ...args], { input, encoding: "utf8" });
  assert.equal(status, 0, `${args.join(" ")}: ${stderr}`);
}

const tables = {
  sites: "site,name,time_zone\nmall,Mall,Europe/Moscow\n",
  points: "point,site,name\ntill-1,mall,Till 1\n",
  devices: "device,point,from\nd1,till-1,2026-01-01T00:00:00Z\n",
  questions: "question,point,from,kind,text\nq1,till-1,2026-01-01T00:00:00Z,personnel,Well served?\n",
  employees: "employee,name\nann,Anna Petrova\nbob,Boris Ivanov\n",
  shifts: "employee,point,from,to\nann,till-1,2026-03-10T06:00:00Z,2026-03-10T12:00:00Z\nbob,till-1,2026-03-10T12:00:00Z,2026-03-10T18:00:00Z\n" +
    "bob,till-1,2026-03-11T06:00:00Z,2026-03-11T12:00:00Z\n",
};

/** 30 surveys of Anna in the morning, 4 of Boris after noon, the last under force majeure; every fifth answer is no. */
function events() {
  const lines = ["device,seq,time,kind"];
  let seq = 0;
  const press = (minute, kind) => lines.push(`d1,${++seq},${new Date(Date.parse("2026-03-10T07:00:00Z") + minute * 60000 + (kind === "press" ? 0 : 4000)).toISOString()},${kind}`);
  for (let i = 0; i < 34; i++) {
    const minute = i < 30 ? i * 5 : 320 + i;
    press(minute, "press");
    press(minute, i % 5 === 0 ? "no" : "yes");
  }
  press(352.5, "hold");
  press(1440, "press"); // Boris, a day later
  press(1440, "yes");
  return `${lines.join("\n")}\n`;
}

/** A photo of the survey under force majeure, as the store keeps one: without a picture nobody is asked about it. */
async function keepPhoto() {
  const made = spawnSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=c=gray:s=64x36", "-frames:v", "1", "-f", "mjpeg", "-"]);
  assert.equal(made.status, 0, String(made.stderr));
  const sha256 = createHash("sha256").update(made.stdout).digest("hex");
  await mkdir(join(dir, "data/evidence", sha256.slice(0, 2)), { recursive: true });
  await writeFile(join(dir, "data/evidence", sha256.slice(0, 2), sha256), made.stdout);
  const at = "1773147184000000";
  const put = `INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from, asked_to, got_from, got_to, frame_at,
    index_offset_us, uncertainty_us, source, requests, bytes_read, software, made_at) VALUES ('d1.0.67', 'still', '${sha256}', ${made.stdout.length},
    'image/jpeg', 'mjpeg', 'cam', ${at}, ${at}, ${at}, ${at}, ${at}, 0, 0, '[]', 0, 0, 'test', 0);`;
  assert.equal(spawnSync("sqlite3", [join(dir, "data/okno.db"), put]).status, 0);
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "okno-pay-"));
  run(password, "init", "--password-stdin");
  for (const [kind, text] of Object.entries({ ...tables, events: events() })) {
    await writeFile(join(dir, `${kind}.csv`), text);
    run("", "import", kind, join(dir, `${kind}.csv`));
  }
  run(password, "user", "add", "boss", "--role", "manager", "--all-sites", "--password-stdin");
  run(password, "user", "add", "mia", "--role", "manager", "--site", "mall", "--password-stdin");
  run(password, "user", "add", "vera", "--role", "expert", "--password-stdin");
  run(password, "user", "add", "anna", "--role", "staff", "--all-sites", "--employee", "ann", "--password-stdin");
  await keepPhoto();
  const file = join(dir, "port");
  service = spawn(okno, ["--data", join(dir, "data"), "serve", "--listen", "127.0.0.1:0", "--port-file", file], { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: service.stderr })) if (line.includes("listening on")) break;
  service.stderr.resume();
  url = `http://127.0.0.1:${(await readFile(file, "utf8")).trim()}`;
});

after(async () => {
  await closeBrowser();
  service?.kill("SIGTERM");
  if (service && service.exitCode === null) await once(service, "exit");
  await rm(dir, { recursive: true, force: true });
});

test("a period is closed with a second look, and what is corrected later shows as an adjustment", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url, user: "boss", password });
  await page.goto(`${url}/#/periods`);
  await page.getByText("No pay period was closed yet").waitFor();
  await page.locator("okno-period-close input[name=from]").fill("2026-03-10");
  await page.locator("okno-period-close input[name=to]").fill("2026-03-10");
  await page.getByRole("button", { name: "Close…" }).click();
  await page.getByText("every employee gets a signed statement").waitFor();
  await page.getByRole("button", { name: "Close for good" }).click();
  await page.getByRole("link", { name: "Anna Petrova" }).waitFor();
  await page.getByText("The figures are what they were when it was closed.").waitFor();

  await page.goto(`${url}/#/surveys/d1.0.1`);
  await page.getByRole("button", { name: "Move to another employee" }).click();
  await page.locator("okno-attribution select").selectOption("bob");
  await page.locator("okno-attribution input[name=reason]").fill("Boris stood in");
  await page.getByRole("button", { name: "Move", exact: true }).click();
  await page.getByText("on shift: Anna Petrova").waitFor();
  await page.locator("okno-attribution span[title=bob]", { hasText: "Boris Ivanov" }).first().waitFor();

  await page.goto(`${url}/#/periods/1`);
  await page.locator(".changed", { hasText: "Anna Petrova" }).getByText("surveys −1").waitFor();
  await page.locator(".changed", { hasText: "Boris Ivanov" }).getByText("moved to another employee").waitFor();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("the same byte for byte").waitFor();
  await shoot(page, "pay-period");
  assert.deepEqual(faults, []);
  await close();
});

test("a manager of some sites sees their periods and closes one site at a time", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url, user: "mia", password });
  await page.getByRole("link", { name: "Pay periods" }).click();
  await page.getByRole("button", { name: "Close…" }).waitFor();
  assert.deepEqual(await page.locator("okno-period-close select[name=site] option").allInnerTexts(), ["Mall"]);
  await page.locator("okno-period-close input[name=from]").fill("2026-03-11");
  await page.locator("okno-period-close input[name=to]").fill("2026-03-11");
  await page.getByRole("button", { name: "Close…" }).click();
  await page.getByRole("button", { name: "Close for good" }).click();
  await page.getByText("The figures are what they were when it was closed.").waitFor();
  assert.match(page.url(), /periods\/2$/);
  assert.deepEqual(faults, []); // audits cover all sites: not asked for
  await close();
});

test("an employee sees the own statement as it was signed, and nothing else", async () => {
  const { page, faults, close } = await openBrowser({ width: 390, language: "ru-RU" });
  await logIn(page, { url, user: "anna", password });
  await page.getByText("30 опросов").waitFor();
  await page.getByText("Мои расчётные листы").first().waitFor();
  assert.equal(await page.locator("nav a").count(), 3);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false);
  await shoot(page, "pay-staff");
  assert.deepEqual(faults, []);
  await close();
});

/** How many surveys count for INK@Personnel on that day, and the force majeure level, as the manager's page is told. */
const figures = (page) => page.evaluate(async () => {
  const answer = await fetch("/api/v1/indicators?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z");
  const { indicators } = (await answer.json()).groups[0];
  return [indicators.ink_personnel.counts.n, indicators.fm_level.excluded > 0];
});

test("force majeure that a reviewer finds false counts again, until it is taken back", async () => {
  const manager = await openBrowser();
  await logIn(manager.page, { url, user: "boss", password });
  assert.deepEqual(await figures(manager.page), [33, true]);
  await manager.page.goto(`${url}/#/surveys/d1.0.67`);
  await manager.page.getByRole("button", { name: "Have it reviewed" }).click();
  await manager.page.locator("okno-target input").fill("nothing was wrong");
  await manager.page.locator("okno-target button.primary").click();
  await manager.page.getByText("It waits in the experts' queue.").waitFor();

  const { page, faults, close } = await openBrowser();
  await logIn(page, { url, user: "vera", password });
  const box = page.getByRole("checkbox", { name: /Force majeure is false/ });
  await box.waitFor();
  await page.keyboard.press("f");
  assert.equal(await box.isChecked(), true);
  const told = (path) => page.waitForResponse((response) => response.url().endsWith(path));
  const submitted = told("/submit");
  await page.keyboard.press("v");
  assert.equal((await submitted).status(), 200);
  assert.deepEqual(await figures(manager.page), [34, false]);
  // While the page asks for the next item a key means nothing.
  await waitUntil(page, () => {
    const review = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
    return review.phase === "empty" && !review.busy;
  });
  const undone = told("/undo");
  await page.keyboard.press("z");
  assert.equal((await undone).status(), 200);
  assert.deepEqual(await figures(manager.page), [33, true]);
  assert.deepEqual([...faults, ...manager.faults], []);
  await close();
  await manager.close();
});

test("a void is asked for by one and agreed to by another, and both stay in the dossier", async () => {
  const first = await openBrowser();
  await logIn(first.page, { url, user: "boss", password });
  await first.page.goto(`${url}/#/surveys/d1.0.5`);
  await first.page.getByRole("button", { name: "Void…" }).click();
  await first.page.getByLabel("Why").fill("A drill of the panel");
  await first.page.getByRole("button", { name: "Ask a second person" }).click();
  await first.page.getByText("It waits for another person.").waitFor();
  assert.equal(await first.page.getByRole("button", { name: "Agree", exact: true }).count(), 0);
  assert.equal(await first.page.locator("okno-dossier .head okno-verdict", { hasText: "voided" }).count(), 0);
  const second = await openBrowser();
  await logIn(second.page, { url, user: "mia", password });
  await second.page.getByRole("link", { name: "Surveys" }).click();
  await second.page.getByText("1 void waits for a second person:").getByRole("link").click();
  await second.page.getByText("boss asks to void it").waitFor();
  await second.page.getByText("A drill of the panel").waitFor();
  await second.page.getByRole("button", { name: "Agree", exact: true }).click();
  await second.page.locator("okno-dossier .head okno-verdict", { hasText: "voided" }).waitFor();
  await second.page.getByText("boss + mia").waitFor();
  await shoot(second.page, "void");
  // Taking it back is not agreed to: it stays, and the dossier says so.
  await second.page.getByRole("button", { name: "Take the void back…" }).click();
  await second.page.getByLabel("Why").fill("No drill after all");
  await second.page.getByRole("button", { name: "Ask a second person" }).click();
  await second.page.getByText("mia asks to take the void back").waitFor();
  await first.page.reload();
  await first.page.getByRole("button", { name: "Do not agree" }).click();
  await first.page.getByText("stays voided: asked for, not agreed to").waitFor();
  assert.deepEqual([...first.faults, ...second.faults], []);
  await first.close();
  await second.close();
});
