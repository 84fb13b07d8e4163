// An expert's session with the keyboard, in English and in Russian, on real video. Runs against
// OKNO_URL when it is set, else against the mock.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, readFrame, shoot, waitPlayed, waitUntil } from "./browser.mjs";
import { startMock } from "./mock.mjs";
import { password } from "./mock-data.mjs";

let service;
let account;
let browser;
let page;

before(async () => {
  service = process.env.OKNO_URL ? { url: process.env.OKNO_URL, close() {} } : await startMock(process.env.OKNO_DIST);
  account = { url: service.url, user: process.env.OKNO_USER ?? "expert", password: process.env.OKNO_PASSWORD ?? password };
  browser = await openBrowser();
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await closeBrowser();
  service?.close();
});

/** The number of the item on the screen, once one other than `before` is there. */
const itemAfter = (previous) => waitUntil(page, (old) => {
  const review = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
  return review?.phase === "item" && review.item.item !== old && { item: review.item.item, clip: Boolean(review.item.clip) };
}, previous);

const toastSays = (text) => page.locator("okno-toast .toast", { hasText: text }).waitFor();

/** Skip items without a clip: the session below is about video. */
async function itemWithClip(previous) {
  let shown = await itemAfter(previous);
  while (!shown.clip) {
    await page.keyboard.press("u");
    await page.locator("okno-decision .reasons button").first().waitFor();
    await page.keyboard.press("2");
    shown = await itemAfter(shown.item);
  }
  return shown;
}

async function checkPlays(name) {
  await waitPlayed(page, 0.4);
  const frame = await readFrame(page);
  assert.ok(frame.width > 0, "the video has a width");
  assert.ok(frame.brightest > 40, `the frame is not black: ${JSON.stringify(frame)}`);
  assert.ok(frame.brightest - frame.darkest > 20, `the frame shows something: ${JSON.stringify(frame)}`);
  await shoot(page, name);
}

test("a wrong password is refused in words and the right one opens the review", async () => {
  await page.goto(account.url);
  await page.locator("input[name=user]").fill(account.user);
  await page.locator("input[name=password]").fill("not this one");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await shoot(page, "login");
  await logIn(page, account);
  if (process.env.OKNO_URL) await page.goto(`${account.url}/#/review`);
  await page.locator("okno-review").waitFor();
});

test("in English the keyboard plays, decides valid, takes it back and decides again", async () => {
  await page.getByRole("button", { name: "EN", exact: true }).click();
  const first = await itemWithClip(null);
  await checkPlays("review-en");
  await page.keyboard.press("v");
  await toastSays("valid recorded");
  const second = await itemAfter(first.item);
  await page.keyboard.press("z");
  const again = await itemAfter(second.item);
  assert.equal(again.item, first.item, "undo brings the same item back");
  await page.keyboard.press("i");
  await page.locator("okno-decision .reasons button").first().waitFor();
  await shoot(page, "review-en-reasons");
  await page.keyboard.press("1");
  await toastSays("invalid recorded");
  await itemAfter(first.item);
});

test("while a copy is being made the page says so, in both languages, before the still", async () => {
  const shown = await itemWithClip(null);
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  await page.route("**/*.preview.mp4", async (route) => {
    await released;
    await route.continue({ url: route.request().url().replace(".preview.mp4", ".mp4") });
  });
  await page.keyboard.press("p");
  const coming = page.locator("okno-player .coming");
  await coming.getByText("The viewing copy is being made").waitFor();
  const poster = await page.locator("okno-player video").getAttribute("poster");
  const drawn = await page.evaluate(async (url) => { const image = new Image(); image.src = url; await image.decode(); return image.width; }, poster);
  assert.ok(drawn > 0, `the still of ${shown.item} stands there meanwhile`);
  await shoot(page, "review-copy-coming");
  await page.getByRole("button", { name: "RU", exact: true }).click();
  await coming.getByText("Готовится копия для просмотра").waitFor();
  await page.getByRole("button", { name: "EN", exact: true }).click();
  release();
  await coming.waitFor({ state: "detached" });
  await waitPlayed(page, 0.2);
  await page.keyboard.press("p");
  await page.unroute("**/*.preview.mp4");
});

test("a clip whose file was changed or is gone is no clip that the browser cannot play", async () => {
  await itemWithClip(null);
  for (const [status, code, words] of [[500, "check_failed", "was changed since it was kept"], [410, "gone", "no longer there"]]) {
    await page.route("**/*.preview.mp4", (route) => route.fulfill({ status, json: { error: { code, message: "", field: null } } }));
    await page.keyboard.press("p");
    await page.locator("okno-player .words").getByText(words).waitFor();
    await page.keyboard.press("p");
    await waitPlayed(page, 0.2);
    await page.unroute("**/*.preview.mp4");
  }
  browser.faults.splice(0, browser.faults.length, ...browser.faults.filter((fault) => !/status of (410|500)/u.test(fault)));
});

test("in Russian, on a Russian keyboard layout, the same keys decide", async () => {
  await page.getByRole("button", { name: "RU", exact: true }).click();
  await page.getByText("Что видно").waitFor();
  const shown = await itemWithClip(null);
  await checkPlays("review-ru");
  await page.evaluate(() => dispatchEvent(new KeyboardEvent("keydown", { key: "г", code: "KeyU" })));
  await page.locator("okno-decision .reasons button").first().waitFor();
  await shoot(page, "review-ru-reasons");
  await page.keyboard.press("1");
  await toastSays("Записано: неопределим");
  await waitUntil(page, (old) => {
    const review = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
    return review.phase === "empty" || (review.phase === "item" && review.item.item !== old);
  }, shown.item);
});

test("the page ran without a fault and within its content policy", () => {
  assert.deepEqual(browser.faults, []);
});
