// Tablets and phones on a real service that is stopped and started under them.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { closeBrowser, glimpse, openBrowser, shoot, waitUntil } from "./browser.mjs";
import { Service } from "./service.mjs";

let service;
const open = [];
let devices = 0;

before(async () => { service = await Service.start(); });
after(async () => {
  await closeBrowser();
  await service?.close();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await service.back(); // also after a test that failed while it was down
});

/** A tablet that becomes a device of its own: {page, faults, device}. Where requests are taken on their way it is
 * `plain`: what passes a service worker cannot be. */
async function tablet(role, { point = "P1", device = `T${++devices}`, hurried = false, ...options } = {}) {
  const browser = await openBrowser({ width: 1280, height: 800, language: "ru-RU", ...options });
  open.push(browser);
  if (hurried) await browser.page.clock.install(); // time that can be moved on
  await browser.page.goto(await service.invite(device, point, role));
  await browser.page.locator(role === "button" ? ".press" : ".answers").waitFor();
  await heard(device, ["alive"]);
  return { ...browser, device };
}

const kinds = (device) => `SELECT kind FROM events WHERE device = '${device}' ORDER BY boot, seq`;
const heard = (device, wanted) => service.wait(kinds(device), wanted.map((kind) => ({ kind })));
const queued = (page, n) => page.getByText(`в очереди ${n}`).waitFor();
const press = (page, kind) => page.locator(`.answers .${kind}`).dispatchEvent("pointerdown", { button: 0 });
/** Only on a hurried tablet. */
const thanked = async (page) => {
  await page.clock.fastForward(2500);
  await page.locator(".thanks").waitFor({ state: "detached" });
};

test("a customer's answer is thanked for and arrives", async () => {
  const { page, device, faults } = await tablet("panel");
  await page.getByRole("heading", { name: "Довольны ли вы" }).waitFor();
  await shoot(page, "panel-ru");
  const thanks = await glimpse(page, ".thanks", "Спасибо!");
  await page.locator(".answers .yes").click();
  await thanks();
  await shoot(page, "panel-thanks-ru");
  await heard(device, ["alive", "yes"]);
  await queued(page, 0);
  assert.deepEqual(faults, []);
});

test("two quick taps are one answer", async () => {
  const { page, device } = await tablet("panel", { hurried: true });
  await page.evaluate(() => ["no", "no", "yes"].forEach((kind) => document.querySelector(`.answers .${kind}`).dispatchEvent(new PointerEvent("pointerdown", { button: 0, bubbles: true, composed: true }))));
  await thanked(page);
  await press(page, "unsure");
  await heard(device, ["alive", "no", "unsure"]);
});

test("answers queue while the service is gone and arrive exactly once", async () => {
  const { page, device } = await tablet("panel", { hurried: true });
  await service.down("SIGKILL");
  for (const kind of ["yes", "no", "unsure"]) {
    await press(page, kind);
    await thanked(page);
  }
  await queued(page, 3);
  await page.getByText("нет связи").waitFor();
  await shoot(page, "panel-offline-ru");
  await service.up();
  await heard(device, ["alive", "yes", "no", "unsure"]);
  await queued(page, 0);
  assert.deepEqual(await service.rows(`SELECT boot, seq FROM events WHERE device = '${device}'`), [1, 2, 3, 4].map((seq) => ({ boot: 1, seq })));
});

test("a reload without the service keeps the queue, the question and the buttons", async () => {
  const { page, device } = await tablet("panel", { hurried: true });
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await service.down();
  await press(page, "no");
  await queued(page, 1);
  await page.reload();
  await page.getByRole("heading", { name: "Довольны ли вы" }).waitFor();
  await press(page, "yes");
  await thanked(page);
  await service.up();
  await heard(device, ["alive", "no", "alive", "yes"]);
  assert.deepEqual(await service.rows(`SELECT seq FROM events WHERE device = '${device}'`), [1, 2, 3, 4].map((seq) => ({ seq })));
});

test("an answer whose acknowledgement was lost is not stored twice", async () => {
  const { page, device } = await tablet("panel", { plain: true });
  let lost = 0;
  await page.route("**/api/v1/events", async (route) => {
    await route.fetch(); // it arrives, but nobody hears so
    lost++;
    await page.unroute("**/api/v1/events");
    await route.abort();
  });
  await press(page, "yes");
  await heard(device, ["alive", "yes"]);
  await queued(page, 0);
  assert.equal(lost, 1);
  await heard(device, ["alive", "yes"]);
});

test("a busy service is asked again when it says so", async () => {
  const { page, device } = await tablet("panel", { plain: true });
  const asked = [];
  await page.route("**/api/v1/events", async (route) => {
    asked.push(Date.now());
    if (asked.length === 1) return route.fulfill({ status: 503, headers: { "Retry-After": "2" }, body: "{}" });
    return route.continue();
  });
  await press(page, "yes");
  await heard(device, ["alive", "yes"]);
  assert.ok(asked[1] - asked[0] >= 2000, `asked again after ${asked[1] - asked[0]} ms`);
});

test("a bad event holds up no other", async () => {
  const { page, device } = await tablet("panel", { plain: true, hurried: true });
  await page.route("**/api/v1/events", async (route) => {
    const events = JSON.parse(route.request().postData()).events;
    return events.some(({ kind }) => kind === "no") ? route.fulfill({ status: 413, body: "{}" }) : route.continue();
  });
  for (const kind of ["yes", "no", "unsure"]) {
    await press(page, kind);
    await thanked(page);
  }
  await heard(device, ["alive", "yes", "unsure"]);
  await page.getByText("отклонено 1").waitFor();
});

test("numbers that a copy of the tablet used are given anew", async () => {
  const { page, device } = await tablet("panel", { hurried: true });
  await press(page, "yes");
  await heard(device, ["alive", "yes"]);
  await page.evaluate(() => new Promise((resolve, reject) => { // a profile restored from a copy
    const request = indexedDB.open("okno-panel", 1);
    request.onsuccess = () => {
      const transaction = request.result.transaction("facts", "readwrite");
      const facts = transaction.objectStore("facts");
      facts.get("access").onsuccess = (event) => facts.put({ ...event.target.result, seq: 1 }, "access");
      transaction.oncomplete = () => resolve(true);
      transaction.onerror = reject;
    };
  }));
  await thanked(page);
  await press(page, "no");
  await heard(device, ["alive", "yes", "no"]);
  assert.deepEqual(await service.rows(`SELECT boot, seq FROM events WHERE device = '${device}' AND kind = 'no'`), [{ boot: 2, seq: 1 }]);
});

test("the seller's short press opens a survey, a long one reports force majeure", async () => {
  const { page, device } = await tablet("button", { width: 360, height: 740 });
  const button = page.locator(".press");
  await shoot(page, "panel-seller-ru-360");
  const box = await button.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.up();
  await page.getByText("Опрос открыт").waitFor();
  await heard(device, ["alive", "press"]);
  await page.mouse.down();
  await page.getByText("Отпустите: форс-мажор").waitFor();
  await shoot(page, "panel-seller-hold-ru-360");
  await page.mouse.up();
  await page.getByText("Форс-мажор отмечен").waitFor();
  await heard(device, ["alive", "press", "hold"]);
  const [{ duration_ms: ms }] = await service.rows(`SELECT duration_ms FROM events WHERE device = '${device}' AND kind = 'hold'`);
  assert.ok(ms >= 1000 && ms < 20000, `${ms} ms`);
});

test("on one tablet the press lights the customer's buttons and the answer fills the survey", async () => {
  const { page, device } = await tablet("both");
  await page.locator(".press").click();
  await page.locator("main.lit").waitFor();
  await shoot(page, "panel-both-lit-ru");
  await press(page, "no");
  await heard(device, ["alive", "press", "no"]);
  await service.wait(`SELECT state, answer FROM surveys WHERE survey = '${device}.1.2'`, [{ state: "open", answer: "no" }], 30000);
});

test("two tablets: the seller's press lights up the customer's", async () => {
  const customer = await tablet("panel", { point: "P2" });
  const seller = await tablet("button", { point: "P2" });
  await customer.page.getByRole("heading", { name: "Were you pleased" }).waitFor();
  const lit = await glimpse(customer.page, "main.lit");
  await seller.page.locator(".press").click();
  await lit();
  await heard(seller.device, ["alive", "press"]);
  await heard(customer.device, ["alive", "alive"]); // at the close: nobody answered a living panel
  await service.wait(`SELECT state FROM surveys WHERE survey = '${seller.device}.1.2'`, [{ state: "silent" }]);
});

test("a seller's page ends its count when the customer has answered elsewhere", async () => {
  const customer = await tablet("panel", { point: "P1" });
  const seller = await tablet("button", { point: "P1" });
  const answered = await glimpse(seller.page, ".seller p", "Клиент ответил");
  const lit = await glimpse(customer.page, "main.lit");
  await seller.page.locator(".press").click();
  await lit();
  await press(customer.page, "no");
  await answered();
  await heard(customer.device, ["alive", "no"]);
  assert.ok(!(await seller.page.locator(".seller").innerText()).includes("осталось"));
});

test("what the service knows of a queue is corrected as soon as it is empty", async () => {
  const { page, device } = await tablet("panel", { plain: true, hurried: true });
  const known = (queued) => service.wait(`SELECT queued FROM panel_states WHERE device = '${device}'`, [{ queued }]);
  await page.route("**/api/v1/events", (route) => route.abort());
  await press(page, "yes");
  await queued(page, 1);
  await page.clock.fastForward(61000); // its report of every minute
  await known(1);
  await page.unroute("**/api/v1/events");
  await page.clock.fastForward(30000); // tried again, and not yet time for another report
  await heard(device, ["alive", "yes"]);
  await known(0);
});

test("where the stream is blocked the press is heard by asking", async () => {
  const customer = await tablet("panel", { plain: true, point: "P2" });
  await customer.page.route("**/panel/presses*", (route) => (route.request().headers().accept.includes("event-stream") ? route.abort() : route.continue()));
  await customer.page.reload();
  await customer.page.locator(".answers").waitFor();
  const polled = customer.page.waitForResponse((response) => response.url().includes("panel/presses"));
  await polled;
  const seller = await tablet("button", { plain: true, point: "P2" });
  const lit = await glimpse(customer.page, "main.lit");
  await seller.page.locator(".press").click();
  await lit();
});

/** In the page: from now on prompted tells whether a sound ended, and the most seconds that a window showed. What
 * is seen for two seconds only is not looked for from outside. */
const watchPrompt = () => {
  window.prompted = { left: 0, ended: false };
  new MutationObserver(() => {
    document.querySelector("audio.prompt")?.addEventListener("ended", () => { window.prompted.ended = true; });
    window.prompted.left = Math.max(window.prompted.left, Number(document.body.textContent.match(/осталось (\d+) с/)?.[1] ?? 0));
  }).observe(document.documentElement, { childList: true, subtree: true, characterData: true });
};

test("a prompt is played at the press, also without the service, and lengthens the window", async () => {
  const wav = Buffer.alloc(44 + 16000, 0x80);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8);
  [[16, 16], [24, 8000], [28, 8000], [40, 16000]].forEach(([at, value]) => wav.writeUInt32LE(value, at));
  [[20, 1], [22, 1], [32, 1], [34, 8]].forEach(([at, value]) => wav.writeUInt16LE(value, at));
  wav.write("data", 36);
  const file = join(service.dir, "ask.wav");
  await writeFile(file, wav);
  await service.okno("question", "prompt", "--question", "Q3", file);
  const { page, device, faults } = await tablet("both", { point: "P3" });
  await page.locator(".answers").waitFor();
  await waitUntil(page, () => new Promise((resolve) => {
    indexedDB.open("okno-panel").onsuccess = ({ target }) => {
      target.result.transaction("facts").objectStore("facts").get("prompts").onsuccess = (event) => resolve(Object.keys(event.target.result ?? {}).length === 1);
    };
  }));
  await service.down();
  await page.evaluate(watchPrompt);
  await page.locator(".press").click();
  await waitUntil(page, () => window.prompted.ended);
  await page.locator("audio.prompt").waitFor({ state: "detached" });
  const { left } = await page.evaluate(() => window.prompted);
  assert.ok(left > 15 && left <= 17, `${left} s left at most`); // 15 s and 2 s of sound
  assert.deepEqual(faults.filter((fault) => !/ERR_CONNECTION_(?:REFUSED|RESET)/u.test(fault)), []);
  await service.up();
  await heard(device, ["alive", "press"]);
});

test("a revoked tablet says so, keeps what it holds, and goes on once it is invited again", async () => {
  const { page, device } = await tablet("panel");
  await service.down();
  await press(page, "no");
  await queued(page, 1);
  await service.okno("panel", "revoke", device);
  await service.up();
  await page.getByText("Панель отключил руководитель. Сохранённое (1)").waitFor();
  const link = await service.invite(device, "P1", "panel");
  await page.getByLabel("Код").fill(link.split("#")[1].toLowerCase());
  await page.getByRole("button", { name: "Подключить" }).click();
  await heard(device, ["alive", "no", "alive"]);
});

test("a used code is refused in words", async () => {
  const link = await service.invite("T-used", "P1", "panel");
  const { page, close } = await openBrowser({ language: "ru-RU" });
  await page.goto(link);
  await page.locator(".answers").waitFor();
  await close();
  const other = await openBrowser({ language: "ru-RU" });
  open.push(other);
  await other.page.goto(link);
  await other.page.getByText("Код неизвестен, уже использован или устарел").waitFor();
});

test("without a service worker it still queues and sends", async () => {
  const browser = await openBrowser({ language: "en-GB", plain: true });
  open.push(browser);
  await browser.page.goto(await service.invite("T-plain", "P2", "panel"));
  await browser.page.locator(".answers").waitFor();
  await heard("T-plain", ["alive"]);
  await press(browser.page, "yes");
  await heard("T-plain", ["alive", "yes"]);
});

const cut = () => [...document.querySelectorAll("button, h1, footer, .seller p, .press span")].filter((one) => {
  const box = one.getBoundingClientRect();
  const inside = box.left >= -1 && box.top >= -1 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1;
  return !inside || (!one.matches(".press") && one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0);
}).map((one) => one.className || one.tagName);

for (const [point, language] of [["P1", "ru-RU"], ["P2", "en-GB"]])
  for (const role of ["panel", "both", "button"])
    test(`a ${role} in ${language} fits every screen`, async () => {
      const { page, faults } = await tablet(role, { point, language, dark: role === "both" });
      for (const [name, width, height] of [["360", 360, 740], ["tablet", 1280, 800], ["tablet-portrait", 800, 1280], ["4k", 3840, 2160]]) {
        await page.setViewportSize({ width, height });
        if (width < 3000 || language === "ru-RU") await shoot(page, `panel-${role}-${language.slice(0, 2)}-${name}`);
        assert.deepEqual(await page.evaluate(cut), [], name);
      }
      assert.deepEqual(faults, []);
    });

test("a phone at a code answers without JavaScript, once, and fills no window", async () => {
  const { code, url } = JSON.parse(await service.okno("qr", "add", "--point", "P1", "--json"));
  const seller = await tablet("both");
  await seller.page.locator(".press").click();
  await heard(seller.device, ["alive", "press"]);
  const phone = await openBrowser({ width: 360, height: 740, script: false });
  open.push(phone);
  assert.ok(url.endsWith(`/q/${code}`));
  await phone.page.goto(`${service.url}/q/${code}`);
  await phone.page.getByRole("heading", { name: "Довольны ли вы" }).waitFor();
  await shoot(phone.page, "qr-question-360");
  await phone.page.getByRole("button", { name: "Нет" }).click();
  await phone.page.getByText("Спасибо за ответ!").waitFor();
  await service.wait(`SELECT channel, kind FROM events WHERE device = 'qr-${code}'`, [{ channel: "qr", kind: "no" }]);
  await phone.page.goto(`${service.url}/q/${code}`); // and is told so at once, not after another answer
  await phone.page.getByText("С этого телефона здесь уже ответили").waitFor();
  assert.equal(await phone.page.getByRole("button").count(), 0);
  await shoot(phone.page, "qr-again-360");
  await service.wait(`SELECT answer, channel FROM spontaneous WHERE rating LIKE 'qr-${code}%'`, [{ answer: "no", channel: "qr" }]);
  await service.wait(`SELECT answer FROM surveys WHERE survey = '${seller.device}.1.2'`, [{ answer: null }]);
  await phone.page.goto(`${service.url}/q/${code}/print`);
  assert.ok(await phone.page.locator("img.code").evaluate((image) => image.decode().then(() => image.naturalWidth > 0)).catch(() => true));
  await shoot(phone.page, "qr-print");
  assert.deepEqual(phone.faults.filter((fault) => !fault.includes("429")), []);
});
