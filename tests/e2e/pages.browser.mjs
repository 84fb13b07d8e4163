// The pages of managers and auditors, and every page on small and large screens. Against the mock.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitPlayed, waitUntil } from "./browser.mjs";
import { startMock } from "./mock.mjs";
import { password } from "./mock-data.mjs";

let service;
let browser;
let page;

before(async () => { service = await startMock(process.env.OKNO_DIST); });
after(async () => {
  await closeBrowser();
  service?.close();
});
afterEach(() => browser?.close());
beforeEach(() => service.mock.reset());

async function open(user, hash, options) {
  browser = await openBrowser(options);
  page = browser.page;
  await logIn(page, { url: service.url, user, password });
  await page.goto(`${service.url}/${hash}`);
}

const rows = () => page.locator("okno-surveys tbody tr");

test("each index stands raw, without invalid and estimated side by side", async () => {
  await open("admin", "#/indicators");
  const first = page.getByRole("img", { name: "INK@Personnel: raw 0.168, without invalid 0.172, estimated 0.214" });
  await first.waitFor();
  await page.getByText("95 % interval 0.183 … 0.245").waitFor();
  await shoot(page, "indicators");
  assert.deepEqual(browser.faults, []);
});

test("a count of excluded surveys leads to those surveys", async () => {
  await open("admin", "#/indicators");
  await page.getByRole("link", { name: /Staff pressed the panel 4/ }).first().click();
  await rows().first().waitFor();
  const { hash } = new URL(page.url());
  for (const part of ["validity=invalid", "reason=STAFF_PRESSED", "site=S1", "from=2026-03-01", "to=2026-03-31"]) assert.ok(hash.includes(part), hash);
  const count = await rows().count();
  assert.ok(count > 0);
  assert.equal(await page.locator("tbody td.wide", { hasText: "Staff pressed the panel" }).count(), count);
});

test("voided surveys are named in the page's language and lead to the voided", async () => {
  service.mock.users.admin.language = "ru";
  await open("admin", "#/indicators");
  service.mock.users.admin.language = "en";
  await page.getByRole("link", { name: /аннулирован 3/ }).first().click();
  await page.locator("okno-surveys").waitFor();
  const { hash } = new URL(page.url());
  assert.ok(hash.includes("validity=voided") && !hash.includes("reason="), hash);
});

test("a row's name opens its points", async () => {
  await open("admin", "#/indicators");
  await page.getByRole("link", { name: "Riverside Mall ›" }).click();
  await page.getByRole("heading", { name: "Riverside Mall, Till 2" }).waitFor();
});

test("one site's points are asked for without fields the service does not know", async () => {
  await open("admin", "#/indicators?site=S1&by=employee&from=2026-03-01&to=2026-03-31&audit=none");
  await page.getByRole("heading", { name: "Anna Sokolova" }).waitFor();
  await page.getByText("no estimate: no audit chosen").first().waitFor();
  assert.deepEqual(browser.faults, []);
});

test("below stands the trend, broken where a window changed", async () => {
  await open("admin", "#/indicators?site=S1&from=2026-03-01&to=2026-03-31&audit=none");
  await page.locator("okno-trend canvas").first().waitFor();
  assert.equal(await page.locator("okno-trend canvas").count(), 3);
  await page.getByText("Till 1: window, s 15 → 20").waitFor();
  await page.locator("okno-trend").first().scrollIntoViewIfNeeded();
  await shoot(page, "indicators-trend");
  assert.deepEqual(browser.faults, []);
});

test("a date that is none is said, and what was written stays", async () => {
  for (const [page_, name] of [["indicators", "okno-indicators"], ["surveys", "okno-surveys"]]) {
    await open("admin", `#/${page_}?from=2026-02-30&to=2026-03-31&view=table`);
    await page.locator(name).getByText("“2026-02-30” is no date").waitFor();
    assert.ok(page.url().includes("from=2026-02-30"));
    assert.equal(await page.locator("input[name=to]").inputValue(), "2026-03-31");
    await page.goto(`${service.url}/#/${page_}?from=2026-03-31&to=2026-03-01&view=table`);
    await page.getByText("The period ends (2026-03-01) before it begins (2026-03-31).").waitFor();
    assert.equal(await page.locator("input[name=from]").inputValue(), "2026-03-31");
    await page.locator("input[name=to]").fill("2026-04-01");
    await waitUntil(page, () => location.hash.includes("from=2026-03-31") && location.hash.includes("to=2026-04-01"));
    assert.deepEqual(browser.faults, []);
    await browser.close();
  }
  browser = null;
});

test("an unknown site, grouping or comparison is said and not replaced", async () => {
  await open("admin", "#/indicators?site=nix");
  await page.getByText("There is no site “nix” that you may see.").waitFor();
  await page.goto(`${service.url}/#/surveys?point=nix&view=table`);
  await page.getByText("There is no point “nix” that you may see.").waitFor();
  await page.goto(`${service.url}/#/indicators?by=planet`);
  await page.getByText("Figures cannot be grouped by “planet”.").waitFor();
  await page.goto(`${service.url}/#/indicators?compare=moon`);
  await page.getByText("Figures cannot be compared with “moon”.").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).first().click();
  await page.locator("okno-dumbbell").first().waitFor();
});

test("a page that is not there, or not open to you, is said and not replaced", async () => {
  await open("manager", "#/audits");
  await page.getByRole("heading", { name: "The page “Audits” is not open to you." }).waitFor();
  await page.goto(`${service.url}/#/figures`);
  await page.getByRole("heading", { name: "There is no page “figures”." }).waitFor();
  await page.getByRole("link", { name: "To the start page" }).click();
  await page.locator("okno-indicators").waitFor();
  await page.goto(`${service.url}/#/surveys/D9.0.9`);
  await page.locator("okno-dossier").getByText("There is nothing at this address.").waitFor();
  assert.deepEqual(browser.faults, []);
});

test("a question's row leads to its days and to its surveys", async () => {
  await open("admin", "#/indicators?by=question&from=2026-03-01&to=2026-03-31&audit=none");
  await page.getByRole("link", { name: "How did {employee} serve you? ›" }).waitFor();
  assert.match(await page.getByRole("link", { name: "How did {employee} serve you? ›" }).getAttribute("href"), /by=day.*question=Q1|question=Q1.*by=day/);
  await page.locator("okno-indicators .group").first().getByRole("link", { name: /surveys ›/i }).click();
  await rows().first().waitFor();
  assert.ok(page.url().includes("question=Q1"));
  assert.equal(await page.locator("select[name=question]").inputValue(), "Q1");
});

test("employees are compared with the others at their site", async () => {
  await open("admin", "#/indicators?from=2026-03-01&to=2026-03-31&audit=none");
  await page.locator("okno-dumbbell").first().waitFor();
  const asked = page.waitForRequest((request) => request.url().includes("compare=site"));
  await page.locator("select[name=compare]").selectOption("site");
  assert.match(decodeURIComponent((await asked).url()), /by=site,employee/);
  await waitUntil(page, () => location.hash.includes("compare=site") && location.hash.includes("by=employee"));
  await page.locator("select[name=by]").selectOption("day");
  await waitUntil(page, () => !location.hash.includes("compare=site"));
});

test("a band is told from its lesser end, and k breaks the trend everywhere", async () => {
  await open("admin", "#/indicators?from=2026-03-01&to=2026-03-31&audit=none");
  await page.getByText("everywhere: weight k of silent surveys 0.5 → 0.4").waitFor();
  const bands = await page.locator("okno-indicators .index .small", { hasText: "band" }).allInnerTexts();
  assert.ok(bands.length >= 3);
  for (const text of bands) {
    const [low, high] = text.replaceAll("−", "-").match(/(-?[\d.]+) … (-?[\d.]+)\s*$/).slice(1).map(Number);
    assert.ok(low <= high, text);
  }
});

test("what is shown can be taken along as a table", async () => {
  await open("admin", "#/indicators?by=employee&site=S1&from=2026-03-01&to=2026-03-31&audit=none");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as CSV" }).click()]);
  assert.equal(download.suggestedFilename(), "indicators_2026-03-01_2026-03-31.csv");
  const lines = (await readFile(await download.path(), "utf8")).replace("\ufeff", "").trimEnd().split("\r\n");
  assert.match(lines[0], /^group,site,employee,from,to,indicator,raw,excluded,/);
  assert.match(lines[1], /^Anna Sokolova,S1,E-104,.*,ink_personnel,0\.15,/);
  assert.equal(lines.length, 1 + 3 * 12);
});

test("an employee's row leads to the days, and the filters stay in the address", async () => {
  await open("admin", "#/indicators?by=employee&site=S1&from=2026-03-01&to=2026-03-31&audit=none");
  await page.getByRole("link", { name: "Anna Sokolova ›" }).click();
  await waitUntil(page, () => location.hash.includes("by=day") && location.hash.includes("employee=E-104") && location.hash.includes("site=S1"));
});

test("filters go into the address, and an address brings its filters", async () => {
  await open("admin", "#/surveys?from=2026-03-10&to=2026-03-10");
  await rows().first().waitFor();
  const all = await rows().count();
  await page.locator("select[name=answer]").selectOption("silent");
  await waitUntil(page, () => location.hash.includes("answer=silent"));
  await waitUntil(page, (before) => {
    const list = document.querySelector("okno-app").renderRoot.querySelector("okno-surveys").renderRoot.querySelectorAll("tbody tr");
    return list.length > 0 && list.length < before;
  }, all);
  const some = await rows().count();
  await page.reload();
  await rows().first().waitFor();
  assert.equal(await rows().count(), some);
  assert.equal(await page.locator("select[name=answer]").inputValue(), "silent");
  await shoot(page, "surveys");
});

test("a day stands in lanes, moves by keys and opens a survey", async () => {
  await open("admin", "#/surveys?view=lanes&from=2026-03-10&to=2026-03-10");
  await page.locator("okno-lanes rect.yes, okno-lanes rect.no").nth(2).waitFor({ state: "attached" });
  const before = await page.locator("okno-lanes .board svg").nth(1).innerHTML();
  await page.keyboard.press("ArrowRight");
  await page.locator("okno-lanes .detail").waitFor();
  await page.keyboard.press("+");
  await waitUntil(page, () => /range=\d+-\d+/.test(location.hash));
  assert.notEqual(await page.locator("okno-lanes .board svg").nth(1).innerHTML(), before);
  await shoot(page, "surveys-lanes-zoomed");
  const zoomed = new URL(page.url()).hash;
  await page.reload();
  await page.locator("okno-lanes rect").first().waitFor({ state: "attached" });
  assert.equal(new URL(page.url()).hash, zoomed, "the view can be sent");
  await page.keyboard.press("0");
  await waitUntil(page, () => !location.hash.includes("range"));
  await page.keyboard.press("[");
  await waitUntil(page, () => location.hash.includes("from=2026-03-09&to=2026-03-09"));
  await page.keyboard.press("]");
  await waitUntil(page, () => location.hash.includes("from=2026-03-10"));
  await page.locator("okno-lanes rect.yes").first().waitFor({ state: "attached" });
  await page.locator("select[name=answer]").selectOption("no");
  await page.locator("okno-lanes g.faint").first().waitFor({ state: "attached" });
  await page.locator("select[name=answer]").blur();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await waitUntil(page, () => /^#\/surveys\/D/.test(location.hash));
  assert.deepEqual(browser.faults, []);
});

test("filters that match nothing say what to do", async () => {
  await open("admin", "#/surveys?from=2025-01-01&to=2025-01-02");
  await page.getByText("No survey matches").waitFor();
});

test("a survey's dossier plays its video and shows who decided what", async () => {
  await open("admin", "#/surveys?view=wall");
  await page.locator(".wall a").nth(2).click();
  await waitPlayed(page, 0.3);
  await page.getByText("The till is closed, nobody stands there.").waitFor();
  await page.getByText("a.sokolova").waitFor();
  await page.getByText("14:17:14.400").first().waitFor(); // the press, in the site's zone
  await page.getByText("state: silent → answered").waitFor(); // what a late event changed
  await page.getByText("with everything of import 17").waitFor();
  await page.locator("dd [title=Q1]", { hasText: "How did … serve you?" }).waitFor(); // names, ids in their titles
  await page.locator("dd [title=E-117]", { hasText: "Ivan Petrov" }).waitFor();
  await page.locator("li [title=E-104]", { hasText: "Anna Sokolova" }).waitFor();
  await shoot(page, "dossier");
  assert.deepEqual(browser.faults, []);
});

test("a survey that is not there is told in words", async () => {
  await open("admin", "#/surveys/D9.0.1");
  await page.getByText("There is nothing at this address. The service said: no survey D9.0.1").waitFor();
});

test("an audit shows its progress and its steps", async () => {
  await open("expert", "#/audits");
  await page.getByRole("link", { name: "Quality audit, March" }).click();
  await page.getByRole("heading", { name: "Steps" }).waitFor();
  await page.getByText("20 dice, witnesses").waitFor();
  await shoot(page, "audit");
});

test("an audit's report is there in every format, in the reader's language; an auditor issues it", async () => {
  await open("expert", "#/audits/A-2026-03"); // blind: no report
  await page.getByRole("heading", { name: "Steps" }).waitFor();
  assert.equal(await page.getByRole("heading", { name: "Report" }).count(), 0);
  await open("admin", "#/audits/A-2026-03");
  await page.getByRole("heading", { name: "Report" }).waitFor();
  await page.getByText("Not issued: this is a draft").waitFor();
  assert.equal(await page.getByRole("link", { name: "PDF" }).getAttribute("href"), "/api/v1/audits/A-2026-03/report?format=pdf&lang=en");
  for (const name of ["HTML", "XLSX", "CSV", "JSON"]) await page.getByRole("link", { name, exact: true }).waitFor();
  assert.deepEqual(browser.faults, []);
});

test("devices in trouble stand first, each with what is wrong", async () => {
  await open("manager", "#/devices");
  const line = (n) => page.locator("okno-devices tbody tr").nth(n);
  await line(0).waitFor();
  assert.deepEqual(await page.locator("okno-devices tbody td:first-child b").allInnerTexts(), ["D3", "D4", "D2", "D5", "D1"]);
  assert.match(await line(3).innerText(), /not heard of yet/);
  for (const [n, part] of [[0, "clock cannot be right"], [0, "quiet"], [0, "never heard of, paired 1 Mar 2026, 05:00:00"], [1, "fast by 3,600.0 s, ± 2.0 s"], [1, "at no point"], [2, "since 7 Mar 2026, 21:00:00"],
    [2, "first D2.0.41"], [4, "slow by 1.8 s, ± 2.1 s"]]) await line(n).getByText(part).first().waitFor();
  await shoot(page, "devices");
  await page.getByRole("button", { name: "RU", exact: true }).click();
  await page.getByText("часы переведены").waitFor();
  await page.getByRole("button", { name: "EN", exact: true }).click(); // the account keeps it
  await page.getByText("clock was set").waitFor();
  assert.deepEqual(browser.faults, []);
});

test("a tablet is connected from the page of devices", async () => {
  await open("manager", "#/devices");
  await page.getByText("queued on it: 3").waitFor();
  await page.getByText("refused: 1").waitFor();
  await page.getByRole("button", { name: "Connect a tablet" }).click();
  await page.getByLabel("Device").fill("T1");
  await page.getByLabel("What it is").selectOption("panel");
  await page.getByRole("button", { name: "Make a code" }).click();
  await page.getByText("7KQ2-M4XA-9RTD", { exact: true }).waitFor();
  await page.getByRole("img", { name: "QR" }).waitFor();
  await shoot(page, "devices-connect");
  assert.deepEqual(browser.faults, []);
});

test("each role sees only its pages", async () => {
  await open("manager", "#/");
  await page.locator("okno-indicators").waitFor();
  assert.deepEqual(await page.locator("okno-header nav a").allInnerTexts(), ["Indicators", "Surveys", "Negatives", "Alerts", "Appeals", "Pay periods", "Devices"]);
});

test("the language is kept by the account and changes every page", async () => {
  await open("manager", "#/surveys?view=table");
  await page.getByRole("button", { name: "RU", exact: true }).click();
  await page.getByText("Вердикт").first().waitFor();
  await waitUntil(page, () => document.documentElement.lang === "ru");
  await page.reload();
  await page.getByRole("link", { name: "Показатели" }).waitFor();
  assert.equal(service.mock.users.manager.language, "ru");
});

test("an account that chose no language leaves the browser's", async () => {
  service.mock.users.manager.language = null;
  await open("manager", "#/surveys", { language: "ru-RU" });
  await page.getByRole("link", { name: "Показатели" }).waitFor();
});

test("a manager's links in Russian stand in two lines at 800 px, none wider than the screen", async () => {
  service.mock.users.manager.language = null;
  await open("manager", "#/devices", { language: "ru-RU", width: 800, height: 600 });
  await page.getByRole("link", { name: "Показатели" }).waitFor();
  const { height } = await page.locator("okno-header header").boundingBox();
  assert.ok(height < 90, `${height} px`);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
});

for (const [width, height] of [[360, 740], [1280, 720], [1920, 1080], [3840, 2160]])
  test(`nothing is cut off at ${width} × ${height}`, async () => {
    await open("admin", "#/review", { width, height, dark: width === 1920 });
    for (const [hash, sign] of [["#/review", "okno-player video"], ["#/indicators", "okno-dumbbell"], ["#/surveys?view=table", "tbody tr"], ["#/surveys?view=lanes&from=2026-03-10&to=2026-03-10", "okno-lanes rect"], ["#/surveys/D1.0.1002", "okno-player video"], ["#/audits/A-2026-03", "okno-progress"], ["#/devices", "okno-devices tbody tr"]]) {
      await page.goto(`${service.url}/${hash}`);
      await page.locator(sign).first().waitFor();
      await page.waitForLoadState("networkidle");
      const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
      await shoot(page, `${hash.slice(2).split(/[/?&]/).slice(0, 2).join("-")}-${width}`);
      assert.ok(wide <= width, `${hash} is ${wide} wide`);
    }
    assert.deepEqual(browser.faults, []);
  });
