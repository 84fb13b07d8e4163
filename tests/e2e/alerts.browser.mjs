// Alerts, negative ratings and rights, on the mock: what is shown, what a key does, what is kept.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitHere, waitUntil } from "./browser.mjs";
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

const rows = () => page.locator("okno-alerts .list > li");
const articles = () => page.locator("okno-negatives article");

test("open alerts stand newest first, each with its place and its time with the zone", async () => {
  await open("manager", "#/alerts");
  await rows().first().waitFor();
  assert.deepEqual(await page.locator("okno-alerts .list b").allInnerTexts(), ["Many negative ratings", "Negative rating", "Many silent customers", "Archive does not answer"]);
  await rows().nth(2).getByText("75.0 % of 40, limit 70.0 %, 240 min").waitFor();
  await rows().nth(0).getByText("Riverside Mall, Till 1").waitFor();
  assert.match(await rows().nth(0).innerText(), /GMT\+3/);
  await rows().nth(3).getByText("12 waiting · the first is overwritten 12 Mar 2026, 09:00:00 GMT+3").waitFor();
  await rows().nth(1).getByText("rule mall-no").waitFor(); // two rules may hit one rating
  await shoot(page, "alerts");
  assert.deepEqual(browser.faults, []);
});

test("a key says that an alert was seen, and goes on to the next", async () => {
  await open("manager", "#/alerts");
  await rows().first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("a");
  await rows().nth(1).getByText("seen by manager").waitFor();
  assert.equal(service.mock.alerting.alerts[1].acked_by, "manager");
  assert.equal(service.mock.alerting.alerts[0].acked_by, null);
  assert.match(await rows().nth(2).getAttribute("class"), /current/);
});

test("filters of alerts go into the address; closed ones say why", async () => {
  await open("manager", "#/alerts");
  await rows().first().waitFor();
  await page.locator("select[name=open]").selectOption("false");
  await page.getByText("Device is quiet").first().waitFor();
  await waitUntil(page, () => location.hash.includes("open=false"));
  assert.equal(await rows().count(), 1);
  await rows().nth(0).getByText("over").waitFor();
});

test("an administrator sees what became of messages, tests a destination and wakes a dead one", async () => {
  await open("admin", "#/alerts");
  await page.getByText("the receiver is in trouble (502)").waitFor();
  await page.getByText("chat not found").waitFor();
  await page.getByRole("button", { name: "Send a test" }).click();
  await waitHere(page, () => service.mock.alerting.tested.includes("boss"));
  await page.getByRole("button", { name: "Send again" }).click();
  await waitHere(page, () => service.mock.alerting.retried.includes(7));
  await shoot(page, "alerts-admin");
  assert.deepEqual(browser.faults, []);
});

test("an administrator changes a destination on the page, and makes one of another kind", async () => {
  await open("admin", "#/alerts");
  await page.locator("okno-alerts tr", { hasText: "telegram" }).getByRole("button", { name: "Edit" }).click();
  await page.locator("okno-destination input[name=quiet]").fill("23:00-07:00");
  await page.locator("okno-destination").getByRole("button", { name: "Save" }).click();
  await waitHere(page, () => service.mock.alerting.addressed.length === 1);
  const [changed] = service.mock.alerting.addressed;
  assert.deepEqual([changed.destination, changed.kind, changed.chat, changed.secret, changed.quiet, changed.url], ["boss", "telegram", "-1001", "bot", "23:00-07:00", undefined]);
  await page.getByRole("button", { name: "New destination" }).click();
  await page.locator("okno-destination input[name=destination]").fill("head");
  await page.locator("okno-destination select[name=kind]").selectOption("email");
  for (const [name, text] of [["url", "smtp://mail.example.org:587"], ["address", "head@example.org"], ["sender", "okno@example.org"], ["user", "okno"], ["secret", "mail"]])
    await page.locator(`okno-destination input[name=${name}]`).fill(text);
  await shoot(page, "alerts-destination");
  await page.locator("okno-destination").getByRole("button", { name: "Save" }).click();
  await waitHere(page, () => service.mock.alerting.addressed.length === 2);
  const [, made] = service.mock.alerting.addressed;
  assert.deepEqual(made, { destination: "head", kind: "email", language: "en", time_zone: "UTC", quiet: "", enabled: true, url: "smtp://mail.example.org:587", address: "head@example.org",
    sender: "okno@example.org", user: "okno", secret: "mail", photo: false, tls: "required" });
  assert.deepEqual(browser.faults, []);
});

test("an administrator changes a rule on the page, and makes a new one", async () => {
  await open("admin", "#/alerts");
  await page.getByText("Rules", { exact: true }).click();
  await page.locator("okno-alerts details tr", { hasText: "silent_share" }).getByRole("button", { name: "Edit" }).click();
  await page.locator("okno-rule input[name=share]").fill("0.8");
  await page.locator("okno-rule input[name=to]").fill("boss");
  await shoot(page, "alerts-rule");
  await page.getByRole("button", { name: "Save" }).click();
  await waitHere(page, () => service.mock.alerting.saved.length === 1);
  const { rule, kind, share, to, built_in: builtIn } = service.mock.alerting.saved[0];
  assert.deepEqual([rule, kind, share, to, builtIn], ["silent_share", "silent_share", 0.8, "boss", undefined]);
  await page.getByRole("button", { name: "New rule" }).click();
  await page.locator("okno-rule input[name=rule]").fill("busy-hour");
  await page.locator("okno-rule input[name=count]").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await waitHere(page, () => service.mock.alerting.saved.length === 2);
  assert.equal(service.mock.alerting.saved[1].count, 7);
  assert.deepEqual(browser.faults, []);
});

test("a negative rating leaves the list with a comment, by keys alone", async () => {
  await open("manager", "#/negatives");
  await articles().first().waitFor();
  assert.equal(await articles().count(), 2);
  await page.getByText("waits 30 min").waitFor();
  await page.getByText("half within 1 h, nine of ten within 1 h").waitFor();
  await shoot(page, "negatives");
  await page.keyboard.press("1");
  await page.keyboard.press("c");
  await page.keyboard.type("Called back, 1 2 3");
  await page.keyboard.press("Control+Enter");
  await waitUntil(page, () => document.querySelector("okno-app").renderRoot.querySelector("okno-negatives").renderRoot.querySelectorAll("article").length === 1);
  const { comments } = service.mock.alerting.negatives[0];
  assert.deepEqual([comments[0].text, comments[0].tags], ["Called back, 1 2 3", ["QUEUE"]]);
  assert.deepEqual(browser.faults, []);
});

test("an empty comment says what is missing, and a draft outlives a look elsewhere", async () => {
  await open("manager", "#/negatives");
  await articles().first().waitFor();
  await page.keyboard.press("c");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Write a comment or choose a reason.").waitFor();
  await page.keyboard.type("half a thought");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  assert.equal(await page.locator("okno-negatives textarea").inputValue(), "");
  await page.keyboard.press("k");
  await waitUntil(page, () => document.querySelector("okno-app").renderRoot.querySelector("okno-negatives").renderRoot.querySelector("textarea").value === "half a thought");
});

test("staff see their ratings and no dossier", async () => {
  await open("anna", "#/negatives");
  await articles().first().waitFor();
  assert.deepEqual(await page.locator("okno-header nav a").allInnerTexts(), ["My statements", "Negatives", "Appeals"]);
  assert.equal(await page.getByText("Video and dossier").count(), 0);
  assert.equal(await page.locator(".figures").count(), 0);
});

test("who sees no site is told so, and what to do", async () => {
  service.mock.users.manager.sites = [];
  await open("manager", "#/surveys");
  await page.getByText("No site is granted to you").waitFor();
  service.mock.users.manager.sites = ["S1"];
  await page.reload();
  await page.locator("okno-surveys").waitFor();
  const names = await page.locator("okno-header nav a").allInnerTexts();
  assert.ok(names.includes("Pay periods") && !names.includes("Audits"), names.join());
  service.mock.users.manager.sites = null;
});

test("an administrator grants a site and takes it back", async () => {
  await open("admin", "#/users");
  const anna = page.locator("okno-users li", { hasText: "E-104" });
  await anna.getByText("sees nothing").waitFor();
  await shoot(page, "users");
  await anna.locator(".grants select").selectOption("site:S2");
  await anna.getByText("North Branch").first().waitFor();
  await waitHere(page, () => service.mock.alerting.accounts[2].grants.length === 1);
  await anna.getByRole("button", { name: "Take back: North Branch" }).click();
  await anna.getByText("sees nothing").waitFor();
  assert.deepEqual(browser.faults, []);
});

test("the administrator's pages stand in one line, in both languages", async () => {
  for (const [language, width, dark] of [["en-GB", 1280, false], ["ru-RU", 1280, false], ["ru-RU", 1280, true], ["en-GB", 768, true], ["ru-RU", 768, false], ["en-GB", 360, false], ["ru-RU", 360, true]]) {
    await open("admin", "#/alerts", { language, width, height: 740, dark });
    const code = language.slice(0, 2);
    await page.getByRole("button", { name: code.toUpperCase(), exact: true }).click();
    const header = page.locator("okno-header header");
    const lines = width > 768 ? 1 : 2; // the pages below the name on a small screen
    assert.ok((await header.boundingBox()).height < 45 * lines, `${language} ${width}: ${(await header.boundingBox()).height} px`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${language} ${width}: wider than the screen`);
    await page.getByRole("button", { name: code === "ru" ? /^Настройка/ : /^Setup/ }).click();
    await page.locator("okno-header .menu a").first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${language} ${width}: the menu is wider than the screen`);
    await shoot(page, `header-${code}-${width}${dark ? "-dark" : ""}`);
    await page.keyboard.press("Escape");
    await page.locator("okno-header .menu").waitFor({ state: "detached" });
  }
  await page.getByRole("button", { name: /^Настройка/ }).click();
  await page.locator("okno-header").getByRole("link", { name: "Пользователи" }).click();
  await page.locator("okno-users").waitFor();
  assert.equal(await page.locator("okno-header .menu").count(), 0);
  assert.deepEqual(browser.faults, []);
});

test("the pages speak Russian", async () => {
  await open("manager", "#/negatives", { language: "ru-RU" });
  await page.getByRole("button", { name: "RU", exact: true }).click();
  await page.getByText("Долгое ожидание").waitFor();
  await page.getByText("ждёт 30 мин").waitFor();
  await shoot(page, "negatives-ru");
  await page.goto(`${service.url}/#/alerts`);
  await page.getByText("Много отрицательных оценок").first().waitFor();
  await shoot(page, "alerts-ru");
  service.mock.users.manager.language = "en";
});

for (const [width, dark] of [[360, false], [1280, true]])
  test(`nothing is cut off at ${width}`, async () => {
    await open("admin", "#/alerts", { width, height: 740, dark });
    for (const [hash, sign] of [["#/alerts", "okno-alerts .list > li"], ["#/negatives", "okno-negatives article"], ["#/users", "okno-users li"]]) {
      await page.goto(`${service.url}/${hash}`);
      await page.locator(sign).first().waitFor();
      await page.waitForLoadState("networkidle");
      const wide = await page.evaluate(() => document.scrollingElement.scrollWidth);
      await shoot(page, `${hash.slice(2)}-${width}${dark ? "-dark" : ""}`);
      assert.ok(wide <= width, `${hash} is ${wide} wide`);
    }
    assert.deepEqual(browser.faults, []);
  });
