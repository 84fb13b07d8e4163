// A manager closes a pay period, moves a survey and sees what that changed; an employee sees the own
// statement. On a service of its own, with real data made here.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot } from "./browser.mjs";

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
  shifts: "employee,point,from,to\nann,till-1,2026-03-10T06:00:00Z,2026-03-10T12:00:00Z\nbob,till-1,2026-03-10T12:00:00Z,2026-03-10T18:00:00Z\n",
};

/** 30 surveys of Anna in the morning, 4 of Boris after noon; every fifth answer is no. */
function events() {
  const lines = ["device,seq,time,kind"];
  let seq = 0;
  const press = (minute, kind) => lines.push(`d1,${++seq},${new Date(Date.parse("2026-03-10T07:00:00Z") + minute * 60000 + (kind === "press" ? 0 : 4000)).toISOString()},${kind}`);
  for (let i = 0; i < 34; i++) {
    const minute = i < 30 ? i * 5 : 320 + i;
    press(minute, "press");
    press(minute, i % 5 === 0 ? "no" : "yes");
  }
  return `${lines.join("\n")}\n`;
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "okno-pay-"));
  run(password, "init", "--password-stdin");
  for (const [kind, text] of Object.entries({ ...tables, events: events() })) {
    await writeFile(join(dir, `${kind}.csv`), text);
    run("", "import", kind, join(dir, `${kind}.csv`));
  }
  run(password, "user", "add", "boss", "--role", "manager", "--password-stdin");
  run(password, "user", "add", "anna", "--role", "staff", "--employee", "ann", "--password-stdin");
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
  await page.getByText("on shift: ann").waitFor();

  await page.goto(`${url}/#/periods/1`);
  await page.locator(".changed", { hasText: "Anna Petrova" }).getByText("surveys −1").waitFor();
  await page.locator(".changed", { hasText: "Boris Ivanov" }).getByText("moved to another employee").waitFor();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText("the same byte for byte").waitFor();
  await shoot(page, "pay-period");
  assert.deepEqual(faults, []);
  await close();
});

test("an employee sees the own statement as it was signed, and nothing else", async () => {
  const { page, faults, close } = await openBrowser({ width: 390, language: "ru-RU" });
  await logIn(page, { url, user: "anna", password });
  await page.getByText("30 опросов").waitFor();
  await page.getByText("Мои расчётные листы").first().waitFor();
  assert.equal(await page.locator("nav a").count(), 1);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(wide, false);
  await shoot(page, "pay-staff");
  assert.deepEqual(faults, []);
  await close();
});
