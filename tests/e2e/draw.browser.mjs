// A public draw: frozen, pinned, the seed typed by those present, drawn and computed once more in the
// browser, by the keyboard alone. On a service of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitUntil } from "./browser.mjs";
import { Service } from "./service.mjs";

const password = "a long password";
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const day = "2026-03-10";
let service;

/** 90 answered surveys on one day. */
function events() {
  const lines = ["device,seq,time,kind"];
  for (let i = 0; i < 90; i++) {
    const at = Date.parse(`${day}T07:00:00Z`) + i * 240000;
    lines.push(`B1,${2 * i + 1},${new Date(at).toISOString()},press`, `B1,${2 * i + 2},${new Date(at + 4000).toISOString()},${i % 6 ? "yes" : "no"}`);
  }
  return `${lines.join("\n")}\n`;
}

before(async () => {
  service = await Service.start();
  for (const [kind, text] of Object.entries({ devices: "device,point,from\nB1,P1,2026-01-01T00:00:00Z\n", events: events() })) {
    const file = join(service.dir, `${kind}.csv`);
    await writeFile(file, text);
    await service.okno("import", kind, file);
  }
  const child = promisify(execFile)(program, ["--data", service.data, "user", "add", "eva", "--role", "auditor", "--all-sites", "--password-stdin"]);
  child.child.stdin.end(`${password}\n`);
  await child;
  await service.okno("refresh").catch(() => {});
  for (const [audit, more] of [["march", []], ["strata", ["--strata", "answer", "--title", "By answer"]]])
    await service.okno("audit", "plan", audit, "--from", `${day}T00:00:00Z`, "--to", `${day}T20:00:00Z`, "--size", "45", "--by", "eva", ...more);
});

after(async () => {
  await closeBrowser();
  await service?.close();
});

/** Nothing of the page lies outside the screen. */
const fits = (page) => page.evaluate(() => {
  const root = document.querySelector("okno-app").shadowRoot.querySelector("okno-draw");
  const parts = [...root.shadowRoot.querySelectorAll("h1, .hash, .digit, .turn, footer button, li, .check")];
  return parts.length > 0 && parts.every((one) => {
    const { top, bottom, left, right } = one.getBoundingClientRect();
    return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
  });
});

async function drawIn(audit, { width, height, language, dark }) {
  const { page, faults, close } = await openBrowser({ width, height, language, dark });
  const see = async (text) => { await page.locator("okno-draw", { hasText: text }).waitFor(); };
  const ru = language.startsWith("ru");
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits/${audit}?draw=1`);
  await see(ru ? "Зафиксировать совокупность" : "Freeze the frame");
  await page.keyboard.press("Enter");
  await see(ru ? "Подписать контрольную точку" : "Sign the checkpoint");
  assert.ok(await fits(page));
  await page.keyboard.press("Enter");
  await page.locator("okno-draw input[name=people]").fill("Anna, Boris, Vera");
  await page.keyboard.press("Enter");
  await see(ru ? "Anna: ваша цифра" : "Anna: your digit");
  await page.keyboard.type("1836452093x");
  await see(ru ? "Boris: ваша цифра" : "Boris: your digit"); // ten digits given; letters are none
  await page.keyboard.press("Enter"); // too few: nothing happens
  await page.keyboard.type("7745610299");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("8");
  await see(ru ? "Это зерно" : "This is the seed");
  assert.ok(await fits(page), "the seed fits the screen");
  await shoot(page, `draw-${audit}-seed`);
  await page.keyboard.press("Enter");
  await see(ru ? "Провести жеребьёвку" : "Draw Enter");
  await page.keyboard.press("Enter");
  await see(ru ? "все 45 совпали" : "all 45 are the same");
  assert.ok(await fits(page), "the sample fits the screen");
  await shoot(page, `draw-${audit}-sample`);
  const shown = await page.locator("okno-draw li span:last-child").allTextContents();
  const rows = await service.rows(`SELECT survey FROM audit_sample WHERE audit = '${audit}' ORDER BY place LIMIT ${shown.length}`);
  assert.ok(shown.length >= 20);
  assert.deepEqual(shown, rows.map(({ survey }) => survey));
  await page.setViewportSize({ width: 390, height: 844 }); // an onlooker's phone: each name stands there whole
  const cut = await page.locator("okno-draw li").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 2 || one.getBoundingClientRect().height < 16).length);
  const list = await page.locator("okno-draw ol").evaluate((one) => one.scrollHeight - one.clientHeight);
  assert.deepEqual([cut, list > 2], [0, false], "nothing of the sample is cut off on a phone");
  const [last, foot] = await Promise.all(["li >> nth=-1", "footer"].map((one) => page.locator(`okno-draw ${one}`).boundingBox()));
  assert.ok(foot.y >= last.y + last.height, "the footer stands below the sample");
  await shoot(page, `draw-${audit}-phone`);
  await page.setViewportSize({ width, height });
  await page.keyboard.press("PageDown");
  await see(ru ? "страница 2 из 2" : "page 2 of 2");
  await page.keyboard.press("Escape");
  await waitUntil(page, () => document.querySelector("okno-app").shadowRoot.querySelector("okno-audits") !== null);
  assert.deepEqual(faults, []);
  await close();
}

test("a draw at 1280x720, in English: what is typed is the seed, and the browser draws the same", async () => {
  await drawIn("march", { width: 1280, height: 720, language: "en-GB", dark: false });
  const [{ detail }] = await service.rows("SELECT detail FROM audit_steps WHERE audit = 'march' AND step = 'seed'");
  assert.deepEqual(JSON.parse(detail), { how: "20 digits typed in public, one by one", seed: "18364520937745610298", witnesses: "Anna, Boris, Vera" });
});

test("a draw by strata at 1920x1080, in Russian and dark", async () => {
  await drawIn("strata", { width: 1920, height: 1080, language: "ru-RU", dark: true });
});

test("a programme pins yesterday by itself, and the page says what its days came to and whether experts are enough", async () => {
  const yesterday = new Date(Date.now() - 86400000).toISOString().slice(0, 10);
  const at = Date.parse(`${yesterday}T09:00:00Z`);
  const file = join(service.dir, "yesterday.csv");
  await writeFile(file, `device,seq,time,kind\n${Array.from({ length: 12 }, (_, i) => `B1,${501 + 2 * i},${new Date(at + i * 60000).toISOString()},press\nB1,${502 + 2 * i},${new Date(at + i * 60000 + 3000).toISOString()},yes\n`).join("")}`);
  await service.okno("import", "events", file);
  const beacon = join(service.dir, "beacon-{day}");
  await service.okno("programme", "put", "daily", "--from", yesterday, "--size", "5", "--after", "0", "--beacon", beacon, "--expert-hours", "0.05",
    "--accept-unheard", "numbers of this test's devices", "--report-dir", service.dir, "--by", "eva");
  await service.wait("SELECT state FROM audits WHERE audit LIKE 'daily-%'", [{ state: "checkpointed" }]);
  await writeFile(beacon.replace("{day}", yesterday), "00112233445566778899aabbccddeeff\n");
  await service.okno("programme", "pause", "daily"); // what stopped a day is tried again later: at once by hand
  await service.okno("programme", "resume", "daily");
  await promisify(execFile)("sqlite3", ["-cmd", ".timeout 15000", join(service.data, "okno.db"), "UPDATE programme_days SET tried_at = 0"]);
  await service.okno("programme", "run");
  await service.wait("SELECT state FROM audits WHERE audit LIKE 'daily-%'", [{ state: "drawn" }]);
  const { page, faults, close } = await openBrowser({ width: 1280, height: 720 });
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits`);
  await page.locator("okno-programmes", { hasText: "5 reviews a day at 60 s each: 0.08 expert-hours a day" }).waitFor();
  await page.locator("okno-programmes .few", { hasText: "too few" }).waitFor();
  const days = page.locator("a", { hasText: `daily ${yesterday}` });
  await page.locator("okno-audits a", { hasText: "march" }).first().waitFor();
  assert.equal(await days.count(), 0, "days stand in the programme's table, not among the audits");
  await shoot(page, "programme");
  await page.locator("okno-programmes button", { hasText: "Pause" }).click();
  await page.locator("okno-programmes", { hasText: "Resume" }).waitFor();
  assert.deepEqual(faults, []);
  await close();
});

test("a sample that was changed afterwards is told on the screen", async () => {
  await promisify(execFile)("sqlite3", ["-cmd", ".timeout 15000", join(service.data, "okno.db"), "UPDATE audit_sample SET ticket = '0.5' WHERE audit = 'march' AND place = 3"]);
  const { page, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits/march?draw=1`);
  await page.locator("okno-draw .other", { hasText: "only 44 of 45" }).waitFor();
  await close();
});
