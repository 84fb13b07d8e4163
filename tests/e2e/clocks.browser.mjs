// Archives and cameras as an administrator sees them: an archive that does not answer, a camera that has to be
// commissioned, and the frame of a press that does it. On a real service with a recording of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { closeBrowser, logIn, openBrowser, shoot, waitUntil } from "./browser.mjs";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const password = "a long password";
let service;

async function put(kind, text) {
  const file = join(service.dir, `${kind}.csv`);
  await writeFile(file, text);
  await service.okno("import", kind, file);
}

const addUser = (name, role) => new Promise((resolve, reject) => {
  const child = execFile(join(process.env.OKNO_BUILD ?? "build", "okno"), ["--data", service.data, "user", "add", name, "--role", role, "--password-stdin"], (error) => (error ? reject(error) : resolve()));
  child.stdin.end(`${password}\n`);
});

/** Three minutes of a counter: something lights up 1.4 s after the press of 07:01:00 was told. */
before(async () => {
  service = await Service.start();
  const folder = join(service.dir, "rec/c1");
  await mkdir(folder, { recursive: true });
  await run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=180", "-vf",
    "drawbox=enable='between(t,61.4,63)':x=100:y=60:w=60:h=40:color=white:t=fill", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "20", "-movflags", "+faststart",
    join(folder, "2026-03-10_07-00-00.mp4")]);
  await put("archives", `archive,kind,url,files,time_zone\nnvr,dir,${join(service.dir, "rec")},{channel}/%Y-%m-%d_%H-%M-%S.mp4,UTC\n` +
    "far,dir,http://127.0.0.1:9/,{channel}/%Y-%m-%d_%H-%M-%S.mp4,UTC\nfresh,dir,http://127.0.0.1:9/,{channel}/%Y-%m-%d_%H-%M-%S.mp4,UTC\n");
  await put("cameras", "camera,site,archive,channel\nover-till-1,S1,nvr,c1\nback-door,S1,far,c1\n");
  await put("placements", "point,camera,from\nP1,over-till-1,2026-01-01T00:00:00Z\nP2,back-door,2026-01-01T00:00:00Z\n");
  await put("devices", "device,point,from,role\nD1,P1,2026-01-01T00:00:00Z,both\nD2,P2,2026-01-01T00:00:00Z,both\n");
  await put("clocks", "target,at,offset_ms,uncertainty_ms\ndevice:D1,2026-03-10T07:00:00Z,0,20\ndevice:D2,2026-03-10T07:00:00Z,0,20\n");
  await put("events", "device,seq,time,kind\nD1,1,2026-03-10T07:01:00Z,press\nD1,2,2026-03-10T07:01:04Z,yes\nD2,1,2026-03-10T07:01:00Z,press\n");
  await addUser("root", "administrator");
  await service.wait("SELECT failures > 0 AS down FROM archive_turns WHERE archive = 'far'", [{ down: 1 }]);
  await service.okno("extract", "--survey", "D1.0.1", "--json");
});
after(async () => {
  await closeBrowser();
  await service?.close();
});

const words = (page) => waitUntil(page, () => document.querySelector("okno-app")?.shadowRoot.querySelector("okno-archives")?.shadowRoot.querySelector("tbody") !== null).then(() =>
  page.locator("okno-archives").evaluate((element) => element.shadowRoot.textContent.replace(/\s+/gu, " ")));

for (const [language, answers, fails, never, ...more] of [
  ["en-GB", "answers", "does not answer", "never done", "next try", "kbit/s on the average", "more a day", "are free", "? not asked yet", "✓ answers"],
  ["ru-RU", "отвечает", "не отвечает", "не выполнялся", "следующая попытка", "в среднем", "за сутки прибавляется", "свободно", "? ещё не спрашивали", "✓ отвечает"]])
  test(`who answers, what waits and which camera nobody has seen a press in stand on one page (${language})`, async () => {
    const { page, faults, close } = await openBrowser({ language });
    await logIn(page, { url: service.url, user: "root", password });
    await page.goto(`${service.url}/#/archives`);
    await page.locator("okno-archives tbody").first().waitFor();
    const text = await words(page);
    for (const part of [answers, fails, never, ...more, "over-till-1", "back-door", "far", "nvr"]) assert.ok(text.includes(part), `${part} in ${text}`);
    // Trouble stands first.
    assert.ok(text.indexOf("far") < text.indexOf("nvr"));
    await shoot(page, `archives-${language}`);
    assert.deepEqual(faults, []);
    await close();
  });

test("the clock in the picture is read off a frame in the site's time", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "root", password });
  await page.goto(`${service.url}/#/surveys/D1.0.1`);
  await page.locator("okno-player video").waitFor();
  await waitUntil(page, () => {
    const player = document.querySelector("okno-app").shadowRoot.querySelector("okno-dossier")?.shadowRoot.querySelector("okno-player");
    return player?.shadowRoot.querySelector("video")?.readyState >= 2;
  });
  await page.locator("okno-player video").evaluate((element) => element.pause());
  await page.locator("okno-overlay button").first().click();
  await page.locator("okno-overlay input[name=shows]").fill("yesterday");
  await page.locator("okno-overlay button.primary").click();
  await page.locator("okno-overlay [role=alert]").waitFor();
  assert.match(await page.locator("okno-overlay [role=alert]").textContent(), /2026-03-10 12:03:07/);
  await page.locator("okno-overlay input[name=shows]").fill("2026-03-10T07:03:00Z");
  await page.locator("okno-overlay button.primary").click();
  await page.locator("okno-overlay [role=status]").waitFor();
  const [row] = await service.rows("SELECT camera, author, trusted, offset_us BETWEEN 60e6 AND 180e6 AS fits FROM overlays");
  assert.deepEqual(row, { camera: "over-till-1", author: "root", trusted: 0, fits: 1 });
  assert.deepEqual(faults.filter((fault) => !/status of 400/u.test(fault)), []);
  await close();
});

test("the frame that shows the press commissions the camera and sets its clock", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "root", password });
  await page.goto(`${service.url}/#/surveys/D1.0.1`);
  const video = page.locator("okno-player video");
  await video.waitFor();
  await waitUntil(page, () => {
    const player = document.querySelector("okno-app").shadowRoot.querySelector("okno-dossier")?.shadowRoot.querySelector("okno-player");
    return player?.shadowRoot.querySelector("video")?.readyState >= 2;
  });
  // To the window's beginning, then frame by frame to the light: 1.4 s is 14 frames.
  await page.keyboard.press("[");
  await video.evaluate((element) => element.pause());
  const from = await page.evaluate(() => {
    const { clip, survey } = document.querySelector("okno-app").shadowRoot.querySelector("okno-dossier").shadowRoot.querySelector("okno-player");
    return (Date.parse(survey.opened_at) - Date.parse(clip.got_from)) / 1000;
  });
  await video.evaluate((element, seconds) => new Promise((resolve) => {
    element.addEventListener("seeked", resolve, { once: true });
    element.currentTime = seconds;
  }), from + 1.35);
  // The picture in view is told by the browser's frames, not by the seek.
  await waitUntil(page, () => {
    const { survey, shownAt } = document.querySelector("okno-app").shadowRoot.querySelector("okno-dossier").shadowRoot.querySelector("okno-player");
    return Date.parse(shownAt) - Date.parse(survey.opened_at) > 1250;
  });
  await page.keyboard.press(".");
  await page.locator("okno-commission button").first().click();
  await page.locator("okno-commission input[name=rights]").fill("Rental contract 5; the manager and two experts");
  await shoot(page, "commission");
  await page.locator("okno-commission button.primary").click();
  await page.locator("okno-commission [role=status]").waitFor();
  await shoot(page, "commissioned");
  const [row] = await service.rows("SELECT camera, survey, error_us, codec, rights, author FROM commissionings");
  assert.deepEqual([row.camera, row.survey, row.codec, row.author], ["over-till-1", "D1.0.1", "h264", "root"]);
  assert.ok(Math.abs(row.error_us - 1400000) <= 150000, `error ${row.error_us}`);
  const [clock] = await service.rows("SELECT method, offset_us FROM clocks WHERE target = 'camera:over-till-1'");
  assert.deepEqual(clock, { method: "commission", offset_us: row.error_us });
  await page.goto(`${service.url}/#/archives`);
  await page.locator("okno-archives tbody").first().waitFor();
  assert.match(await words(page), /Rental contract 5/);
  assert.deepEqual(faults, []);
  await close();
});

test("where the line is slow, P shows a small copy at the same moment, and it stays so", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "root", password });
  await page.goto(`${service.url}/#/surveys/D1.0.1`);
  const video = page.locator("okno-player video");
  const ready = (part) => waitUntil(page, (wanted) => {
    const player = document.querySelector("okno-app").shadowRoot.querySelector("okno-dossier")?.shadowRoot.querySelector("okno-player");
    const shown = player?.shadowRoot.querySelector("video");
    return shown?.currentSrc.endsWith(wanted) && shown.readyState >= 2 && shown.seeking === false && { at: shown.currentTime, width: shown.videoWidth };
  }, part);
  await video.waitFor();
  await ready(".mp4");
  await page.keyboard.press("[");
  await video.evaluate((element) => element.pause());
  const whole = await ready(".mp4");
  await page.keyboard.press("p");
  const small = await ready(".preview.mp4");
  assert.ok(Math.abs(small.at - whole.at) < 1, `${small.at} beside ${whole.at}`);
  await page.locator("okno-player .copy").filter({ hasText: "slow line" }).waitFor();
  await shoot(page, "preview");
  await page.reload();
  await ready(".preview.mp4");
  await page.keyboard.press("p");
  await waitUntil(page, () => !document.querySelector("okno-app").shadowRoot.querySelector("okno-dossier")?.shadowRoot.querySelector("okno-player")?.shadowRoot.querySelector("video")?.currentSrc.includes("preview"));
  assert.deepEqual(faults, []);
  await close();
});

test("a clock is looked at when somebody asks, and a search by presses says why it refuses", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "root", password });
  await page.goto(`${service.url}/#/archives`);
  await page.locator("okno-clock").first().waitFor();
  const clock = (noun, id) => page.locator(`okno-clock[noun=${noun}]`).nth(id);
  await clock("archive", 0).locator("summary").click();
  await clock("archive", 0).locator("button").first().click();
  await service.wait("SELECT count(*) AS n FROM archive_look_asks a JOIN archive_looks l USING (archive) WHERE l.at >= a.asked_at", [{ n: 1 }]);
  assert.equal(await page.locator("okno-clock [role=alert]").count(), 0);
  // Two presses, and no day of them: nothing can be found, which is said.
  const body = { from: "2026-03-10T06:00:00Z", to: "2026-03-10T08:00:00Z" };
  const status = await page.evaluate(async (fields) => (await fetch("/api/v1/cameras/over-till-1/sync", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) })).status, body);
  assert.equal(status, 200);
  await service.wait("SELECT state, author FROM clock_syncs", [{ state: "refused", author: "root" }]);
  await page.locator("okno-clock[noun=camera] summary").first().click();
  await page.locator("okno-clock[noun=camera] summary").nth(1).click();
  await page.locator("okno-clock .bad").first().waitFor();
  await shoot(page, "clock-refused");
  assert.deepEqual(faults, []);
  await close();
});

test("the panel's place is drawn on the camera's picture, with the pointer and with keys alone", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "root", password });
  await page.goto(`${service.url}/#/archives`);
  const clock = page.locator("okno-clock[noun=camera]").filter({ has: page.locator("okno-region") });
  await page.locator("okno-clock[noun=camera] summary").nth(1).waitFor();
  for (const summary of await page.locator("okno-clock[noun=camera] summary").all()) await summary.click();
  const stage = clock.locator(".stage");
  await stage.locator("img").evaluate((image) => image.decode());
  await stage.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await stage.boundingBox();
  const field = clock.locator("input[name=region]");
  await field.fill("");
  await page.mouse.move(x + width * .30, y + height * .20);
  await page.mouse.down();
  await page.mouse.move(x + width * .55, y + height * .70, { steps: 4 });
  await page.mouse.up();
  assert.equal(await field.inputValue(), "30, 20, 55, 70");
  // Leaving the picture ends at its border.
  await page.mouse.move(x + width * .90, y + height * .90);
  await page.mouse.down();
  await page.mouse.move(x + width * 1.4, y + height * 1.4, { steps: 4 });
  await page.mouse.up();
  assert.equal(await field.inputValue(), "90, 90, 100, 100");
  await stage.focus();
  for (const key of ["ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowDown", "Shift+ArrowLeft"]) await page.keyboard.press(key);
  assert.equal(await field.inputValue(), "88, 89, 97, 100");
  const box = await stage.locator(".box").boundingBox();
  assert.ok(Math.abs(box.x - x - width * .88) < 2 && Math.abs(box.width - width * .09) < 2, JSON.stringify(box));
  await shoot(page, "clock-region");
  await page.keyboard.press("Delete");
  assert.equal(await field.inputValue(), "");
  assert.equal(await stage.locator(".box").count(), 0);
  await page.keyboard.press("ArrowDown");
  assert.equal(await field.inputValue(), "40, 40, 60, 60");
  await clock.locator("form button").click();
  await service.wait("SELECT area_left, area_bottom FROM clock_syncs ORDER BY id DESC LIMIT 1", [{ area_left: 4000, area_bottom: 6000 }]);
  assert.deepEqual(faults, []);
  await close();
});

test("what was lost at an archive is listed, with why", async () => {
  const { page, faults, close } = await openBrowser();
  await logIn(page, { url: service.url, user: "root", password });
  // A try that is under way puts its job back: then once more.
  let text = "";
  for (let turn = 0; turn < 20 && !text.includes("no_coverage"); turn++) {
    await service.rows("UPDATE jobs SET state = 'failed', ended_at = 1000000 * CAST(strftime('%s', 'now') AS INTEGER), code = 'no_coverage', lost_at = 1773126060000000 WHERE archive = 'far' AND state = 'waiting'");
    text = await page.evaluate(async () => (await fetch("/api/v1/archives/far/losses.csv")).text());
  }
  const [head, row, ...rest] = text.trim().split("\r\n");
  assert.equal(head, "survey,point,kinds,code,opened_at,lost_at,ended_at,attempts");
  assert.match(row, /^D2\.0\.1,P2,[a-z,"]+,no_coverage,2026-03-10T07:01:00\.000Z,2026-03-10T07:01:00\.000Z,/u);
  assert.deepEqual(rest, []);
  assert.deepEqual(faults, []);
  await close();
});
