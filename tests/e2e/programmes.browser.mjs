// A programme declared, changed and kept going by the page alone: the form by the keyboard, a secret promised and
// revealed, and what the service made of it. On a service of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot } from "./browser.mjs";
import { Service } from "./service.mjs";

const password = "a long password";
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const yesterday = new Date(Date.now() - 86400000).toISOString().slice(0, 10);
let service;

before(async () => {
  service = await Service.start();
  const at = Date.parse(`${yesterday}T09:00:00Z`);
  const rows = Array.from({ length: 12 }, (_, i) => `B1,${1 + 2 * i},${new Date(at + i * 60000).toISOString()},press\nB1,${2 + 2 * i},${new Date(at + i * 60000 + 3000).toISOString()},yes\n`);
  for (const [kind, text] of Object.entries({ devices: "device,point,from\nB1,P1,2026-01-01T00:00:00Z\n", events: `device,seq,time,kind\n${rows.join("")}` })) {
    const file = join(service.dir, `${kind}.csv`);
    await writeFile(file, text);
    await service.okno("import", kind, file);
  }
  const child = promisify(execFile)(program, ["--data", service.data, "user", "add", "eva", "--role", "auditor", "--all-sites", "--password-stdin"]);
  child.child.stdin.end(`${password}\n`);
  await child;
});

after(async () => {
  await closeBrowser();
  await service?.close();
});

const shown = async (id) => JSON.parse(await service.okno("programme", "show", id, "--json"));

async function enter(options) {
  const { page, faults, close } = await openBrowser(options);
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits`);
  const form = page.locator("okno-programme-form");
  return { page, faults, close, form, field: (name) => form.locator(`[name=${name}]`) };
}

test("a programme is declared by the keyboard, and what it asks of the experts is seen before", async () => {
  const { page, faults, close, form, field } = await enter({ width: 1280, height: 900 });
  await page.locator("okno-programmes button", { hasText: "Declare a programme" }).press("Enter");
  await form.locator("input:focus").waitFor();
  await page.keyboard.type("daily");
  await field("from").fill(yesterday);
  await field("size").fill("5");
  await field("source").focus();
  await page.keyboard.type("sec"); // secrets of named people
  await field("people").fill("eva");
  await field("expert_hours").fill("0.05");
  await form.locator(".few", { hasText: "5 reviews a day at 60 s each: 0.08 expert-hours a day; 0.05 are there: too few" }).waitFor();
  await field("expert_hours").fill("2");
  await form.locator("p", { hasText: "2 are there: enough" }).waitFor();
  await shoot(page, "programme-form");
  await field("report_to").fill("nobody");
  await page.keyboard.press("Enter");
  await form.locator("[role=alert]", { hasText: "nobody" }).waitFor();
  assert.equal(await field("people").inputValue(), "eva", "what was typed is still there");
  await field("report_to").fill("");
  await form.locator("summary").press("Enter");
  await field("accept_unheard").fill("this test has no panels");
  await field("after_min").fill("0");
  await field("zone").fill("UTC"); // where yesterday is over
  await page.keyboard.press("Enter");
  await page.locator("okno-programmes h2", { hasText: "daily" }).waitFor();
  assert.equal(await form.count(), 0);
  const { settings } = await shown("daily");
  const { people, size, from_day: from, expert_hours: hours, accepted, beacon, fm_threshold: fm } = settings;
  assert.deepEqual({ people, size, from, hours, accepted, beacon, fm }, { people: "eva", size: 5, from: yesterday, hours: "2", accepted: "this test has no panels", beacon: "", fm: "0.1" });
  assert.deepEqual(faults.filter((one) => !one.includes("400") && !one.includes("404") && !one.includes("422")), []);
  await close();
});

test("who is named promises a secret for the day, reveals it when it is pinned, and the sample is drawn", async () => {
  const { page, faults, close } = await enter({ width: 1280, height: 900 });
  const secrets = page.locator("okno-programme-secret");
  await service.wait("SELECT state FROM audits WHERE audit LIKE 'daily-%'", [{ state: "frozen" }]);
  await page.reload();
  await page.locator("okno-programmes .problem", { hasText: "waits for everybody named to commit" }).waitFor();
  assert.equal(await secrets.locator("[name=day]").inputValue(), yesterday, "the day that waits is chosen");
  await secrets.locator("button", { hasText: "Promise a secret" }).press("Enter");
  await secrets.locator("[role=status]", { hasText: `promised for ${yesterday}` }).waitFor();
  const secret = await secrets.locator("code").innerText();
  assert.match(secret, /^[0-9a-f]{32}$/);
  await service.wait("SELECT state FROM audits WHERE audit LIKE 'daily-%'", [{ state: "checkpointed" }]);
  await page.reload();
  assert.equal(await secrets.locator("[name=secret]").inputValue(), secret, "the browser kept it");
  await shoot(page, "programme-secret");
  await secrets.locator("[name=secret]").press("Enter");
  await secrets.locator("[role=status]", { hasText: `revealed for ${yesterday}` }).waitFor();
  await service.wait("SELECT state FROM audits WHERE audit LIKE 'daily-%'", [{ state: "drawn" }]);
  const [{ detail }] = await service.rows("SELECT detail FROM audit_steps WHERE audit LIKE 'daily-%' AND step = 'seed'");
  assert.match(detail, /eva/);
  assert.deepEqual(faults, []);
  await close();
});

test("a change is its next version, in Russian and on a phone; what is paused stays so, a folder of reports too", async () => {
  await service.okno("programme", "put", "weekly", "--from", yesterday, "--size", "7", "--looks", "2", "--beacon", join(service.dir, "beacon-{day}"), "--report-dir", service.dir, "--by", "eva");
  await service.okno("programme", "pause", "weekly", "--by", "eva");
  await service.okno("programme", "put", "between", "--from", "2099-01-01", "--size", "1", "--people", "eva,max", "--by", "eva");
  const { page, faults, close, form, field } = await enter({ width: 390, height: 844, language: "ru-RU" });
  await page.locator("okno-programmes .few", { hasText: "Нет логина аудитора: max." }).waitFor();
  await page.locator("okno-programmes article", { hasText: "weekly" }).locator("button", { hasText: "Изменить" }).press("Enter");
  await field("size").fill("9");
  await shoot(page, "programme-form-phone");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing lies outside the phone");
  await form.locator("summary").press("Enter");
  await shoot(page, "programme-form-phone-more");
  await field("size").press("Enter");
  await form.waitFor({ state: "detached" });
  const { settings, paused } = await shown("weekly");
  const { size, looks, beacon, report_dir: dir } = settings;
  assert.deepEqual({ size, looks, beacon, dir, paused }, { size: 9, looks: 2, beacon: join(service.dir, "beacon-{day}"), dir: service.dir, paused: true });
  assert.deepEqual(faults, []);
  await close();
});
