// What the review page does when things are not smooth. Against the mock, which can be told to
// misbehave.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitHere, waitPlayed, waitUntil } from "./browser.mjs";
import { startMock } from "./mock.mjs";
import { password } from "./mock-data.mjs";

let service;
let mock;
let browser;
let page;

before(async () => {
  service = await startMock(process.env.OKNO_DIST);
  mock = service.mock;
});

after(async () => {
  await closeBrowser();
  service?.close();
});

beforeEach(async () => {
  mock.reset();
  browser = await openBrowser();
  page = browser.page;
});

afterEach(() => browser.close());

const silentItem = 1;
const forceMajeureItem = 2;
const stillItem = 3;
const nothingItem = 4;

/** Log in and see item number n. */
async function review(n = 0) {
  mock.position = n;
  await logIn(page, { url: service.url, user: "expert", password });
  await itemShown(n);
}

const itemShown = (n) => waitUntil(page, (wanted) => {
  const one = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
  return one?.phase === "item" && one.item.item === wanted && !one.busy;
}, n);

const comment = () => page.locator("okno-decision textarea");
const press = (key) => page.keyboard.press(key);

test("a verdict carries what was watched, played, ticked and written", async () => {
  await review(forceMajeureItem);
  await waitPlayed(page, 0.5);
  await page.getByRole("button", { name: /^Service had ended: yes/ }).click();
  await press("f");
  await press("c");
  await comment().fill("Counter closed behind the customer");
  await press("Escape");
  await press("v");
  await itemShown(stillItem);
  const [sent] = mock.submitted;
  assert.equal(sent.verdict, "valid");
  assert.equal(sent.reason, null);
  assert.equal(sent.correction, "FALSE_FM");
  assert.equal(sent.comment, "Counter closed behind the customer");
  assert.deepEqual(sent.checklist, { service_ended: true });
  assert.deepEqual(sent.watched, [mock.scene.clip.sha256]);
  assert.ok(sent.played_s >= 0.4 && sent.played_s <= sent.wall_s + 0.5, JSON.stringify(sent));
  assert.ok(sent.active_s > 0 && sent.active_s <= sent.wall_s + 0.2, JSON.stringify(sent));
  assert.equal(sent.blinding_broken, false);
});

test("jumping about does not count as playing", async () => {
  await review();
  await waitPlayed(page, 0.2);
  await press(" ");
  for (const key of ["l", "l", "l", "j", "["]) await press(key);
  await press("v");
  await itemShown(1);
  assert.ok(mock.submitted[0].played_s < 3, `played_s ${mock.submitted[0].played_s}`);
});

test("a reason that needs words waits for them", async () => {
  await review();
  await press("i");
  await press("0");
  await comment().and(page.locator(":focus")).waitFor();
  assert.equal(mock.submitted.length, 0);
  await page.keyboard.type("Panel lies on the floor");
  await press("Enter");
  await itemShown(1);
  assert.deepEqual([mock.submitted[0].reason, mock.submitted[0].comment], ["OTHER", "Panel lies on the floor"]);
});

test("letters typed into the comment decide nothing", async () => {
  await review();
  await press("c");
  await page.keyboard.type("viusz");
  assert.equal(await comment().inputValue(), "viusz");
  assert.equal(mock.submitted.length, 0);
});

test("a comment survives a reload", async () => {
  await review();
  await press("c");
  await page.keyboard.type("half a sentence");
  await page.reload();
  await itemShown(0);
  assert.equal(await comment().inputValue(), "half a sentence");
});

test("a lost lease is told, the comment is kept, and the next is offered", async () => {
  await review();
  await press("c");
  await page.keyboard.type("not lost");
  await press("Escape");
  mock.loseLease = true;
  await press("v");
  await page.getByText("This survey is no longer yours").waitFor();
  await shoot(page, "review-lost");
  mock.loseLease = false;
  await press("Enter");
  await itemShown(0);
  assert.equal(await comment().inputValue(), "not lost");
});

test("skipping asks why in place and sends the reason", async () => {
  await review(silentItem);
  await press("s");
  await page.getByText("Why skip?").waitFor();
  assert.equal(mock.skipped.length, 0);
  await press("2");
  await itemShown(forceMajeureItem);
  assert.deepEqual(mock.skipped, ["The video does not play"]);
});

test("Escape leaves the reasons without deciding", async () => {
  await review();
  await press("u");
  await page.getByText("Why undeterminable?").waitFor();
  await press("Escape");
  await page.getByRole("button", { name: /^✓? ?Valid/ }).waitFor();
  assert.equal(mock.submitted.length, 0);
});

test("an empty queue says what to do, and the last verdict can still be taken back", async () => {
  mock.last = 1;
  await review();
  await press("v");
  await page.getByText("Nothing waits for you").waitFor();
  await shoot(page, "review-empty");
  await press("z");
  await itemShown(0);
});

test("without a clip the still is shown large, and only it counts as watched", async () => {
  await review(stillItem);
  await waitUntil(page, () => {
    const one = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
    return one.watched.size === 1;
  });
  await press("v");
  await itemShown(nothingItem);
  assert.deepEqual(mock.submitted[0].watched, [mock.scene.stills[1].sha256]);
  assert.equal(mock.submitted[0].played_s, 0);
});

test("without any picture the page says why and which reason fits", async () => {
  await review(nothingItem);
  await page.getByText("Press U, then 2: Nothing recorded").waitFor();
  await shoot(page, "review-nothing");
  await press("u");
  await press("2");
  await itemShown(5);
  assert.equal(mock.submitted[0].reason, "NO_RECORDING");
});

test("without any picture a verdict says what it is known by", async () => {
  await review(nothingItem);
  await press("v");
  await comment().and(page.locator(":focus")).waitFor();
  await shoot(page, "review-unseen");
  assert.match(await comment().getAttribute("placeholder"), /No picture here/);
  await press("Escape");
  await press("i");
  await press("1");
  await comment().and(page.locator(":focus")).waitFor();
  assert.equal(mock.submitted.length, 0);
  await page.keyboard.type("The till's receipts show nobody");
  await press("Enter");
  await itemShown(5);
  assert.deepEqual([mock.submitted[0].verdict, mock.submitted[0].comment], ["invalid", "The till's receipts show nobody"]);
});

test("a neighbour's still can be enlarged, is no evidence, and Escape goes back to the video", async () => {
  await review();
  await page.locator("okno-stills button").first().click();
  await page.locator("okno-player img.still").waitFor();
  await press("Escape");
  await page.locator("okno-player img.still").waitFor({ state: "detached" });
  assert.ok(!(await page.locator("okno-review").evaluate((one) => [...one.watched])).includes(mock.scene.stills[0].sha256));
});

test("the overlay tells the frame's moment, local and UTC, and a frame step moves it by one frame", async () => {
  await review();
  await waitPlayed(page, 0.3);
  await press(" ");
  await waitUntil(page, () => !document.querySelector("okno-app").renderRoot.querySelector("okno-review").player.playing);
  await press("o");
  const clock = page.locator("okno-player .clock");
  await clock.waitFor();
  const shown = async () => {
    const [local, utc] = (await clock.innerText()).split("\n");
    return { local, utc, ms: Date.parse(`2026-03-10T${utc.slice(0, 12)}Z`) };
  };
  const first = await shown();
  assert.match(first.local, /^14:\d\d:\d\d[.,]\d{3} GMT\+3$/);
  const frameAt = await page.locator("okno-player").evaluate((player) => player.frameAt);
  assert.ok(Math.abs(first.ms - (Date.parse("2026-03-10T11:02:58Z") + frameAt * 1000)) <= 1, `${first.utc} is frame ${frameAt}`);
  await press(".");
  const stepped = await waitUntil(page, (before) => {
    const { player } = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
    return player.frameAt > before && player.frameAt;
  }, frameAt);
  assert.ok(Math.abs(stepped - frameAt - 1 / 15) < 0.002, `one frame of 15 a second: ${stepped - frameAt}`);
  // A busy browser shows frames without telling: where the video stands, the time tells.
  const told = await page.locator("okno-player").evaluate((player) => {
    player.frameAt -= 2 * player.frameSeconds;
    player.stopped();
    return player.frameAt;
  });
  assert.ok(Math.abs(told - stepped) < 0.002, `missed two frames: ${told} for ${stepped}`);
});

test("looping keeps the video inside the window", async () => {
  await review();
  await waitPlayed(page, 0.2);
  await press("]");
  await page.locator("okno-player").evaluate((player) => player.seek(player.secondsOf(player.survey.closes_at) - 0.3));
  await waitUntil(page, () => {
    const { player } = document.querySelector("okno-app").renderRoot.querySelector("okno-review");
    return player.playing && player.seconds > 22 && player.seconds < 30;
  });
});

test("the help opens over the page and takes the keys with it", async () => {
  await review();
  await press("?");
  await page.getByRole("dialog").waitFor();
  await press("v");
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(mock.submitted.length, 0);
  await press("v");
  await itemShown(1);
});

test("a session that ended asks to log in again and goes on where it was", async () => {
  await review();
  await press("c");
  await page.keyboard.type("kept");
  await press("Escape");
  await browser.context.clearCookies();
  await press("v");
  await page.getByText("Your session has ended").waitFor();
  await page.locator("input[name=user]").fill("expert");
  await page.locator("input[name=password]").fill(password);
  await press("Enter");
  await itemShown(0);
  assert.equal(await comment().inputValue(), "kept");
});

test("an unreachable service is told in words and the item stays", async () => {
  await review();
  await page.route("**/submit", (route) => route.abort());
  const told = page.getByText("The service cannot be reached");
  for (let i = 0; i < 8 && !(await told.isVisible()); i++) { // a key may come while the page is still busy
    await press("v");
    await told.waitFor({ timeout: 3000 }).catch(() => {});
  }
  await told.waitFor();
  await page.unroute("**/submit");
  await press("v");
  await itemShown(1);
});

test("a lease is kept alive while somebody is there, and its end is noticed", async () => {
  await review();
  await page.locator("okno-lease").evaluate((lease) => { lease.lastBeat = -60000; lease.tick(); });
  await waitHere(page, () => mock.beats === 1);
  mock.loseLease = true;
  await page.locator("okno-review").evaluate((one) => { one.leaseUntil = new Date(Date.now() - 2000).toISOString(); });
  await page.getByText("This survey is no longer yours").waitFor();
});
