// An administrator connects an archive on the page: its kind, only that kind's options, a try against a real nginx
// that says what was recorded, the camera; with the keyboard alone. On a real service.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { closeBrowser, logIn, openBrowser, shoot } from "./browser.mjs";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const password = "a long password";
const names = "{channel}/%Y-%m-%d/%H-%M-%S.mp4";
let service, nginx, url;

const addUser = (name, role) => new Promise((resolve, reject) => {
  const child = execFile(join(process.env.OKNO_BUILD ?? "build", "okno"), ["--data", service.data, "user", "add", name, "--role", role, "--password-stdin"], (error) => (error ? reject(error) : resolve()));
  child.stdin.end(`${password}\n`);
});

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A folder of two minutes, an hour ago, behind nginx's own lists. */
async function startNginx() {
  const root = join(service.dir, "rec");
  const began = new Date(Math.floor(Date.now() / 3600000) * 3600000 - 3600000);
  const [day, clock] = began.toISOString().slice(0, 19).split("T");
  await mkdir(join(root, "cam1", day), { recursive: true });
  await run("ffmpeg", ["-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=160x120:r=5:d=120", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
    join(root, "cam1", day, `${clock.replaceAll(":", "-")}.mp4`)]);
  const port = await freePort();
  const file = join(service.dir, "nginx.conf");
  await writeFile(file, `${process.getuid() === 0 ? "user root; " : ""}daemon off; worker_processes 1; pid ${service.dir}/nginx.pid; error_log ${service.dir}/nginx.log;
events { worker_connections 64; }
http { access_log off; client_body_temp_path ${service.dir}/b; proxy_temp_path ${service.dir}/p; fastcgi_temp_path ${service.dir}/f; uwsgi_temp_path ${service.dir}/u; scgi_temp_path ${service.dir}/s;
server { listen 127.0.0.1:${port}; root ${root}; location / { autoindex on; autoindex_format json; } } }\n`);
  nginx = spawn("nginx", ["-c", file, "-p", service.dir], { stdio: "ignore" });
  url = `http://127.0.0.1:${port}/`;
  for (const end = Date.now() + 10000; ;) {
    const up = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); }).on("error", () => resolve(false));
    });
    if (up) return;
    if (Date.now() > end) throw new Error("nginx does not start");
  }
}

before(async () => {
  service = await Service.start();
  await addUser("root", "administrator");
  await addUser("eva", "expert");
  await startNginx();
});
after(async () => {
  await closeBrowser();
  nginx?.kill("SIGTERM");
  await service?.close();
});

async function open(language = "en-GB", user = "root") {
  const browser = await openBrowser({ language });
  await logIn(browser.page, { url: service.url, user, password });
  await browser.page.goto(`${service.url}/#/archives`);
  return browser;
}

test("an archive and its camera are connected with the keyboard alone, and tried against nginx", async () => {
  const { page, faults, close } = await open();
  const { keyboard } = page;
  await page.locator(".add-archive").focus();
  await keyboard.press("Enter");
  const form = page.locator("okno-archive-form");
  await form.locator("input[name=archive]").waitFor();
  // The first field has the focus; Tab leads on, in the order in which they stand.
  await keyboard.type("nvr");
  await keyboard.press("Tab");
  assert.equal(await form.locator("select[name=kind]").evaluate((element) => element.getRootNode().activeElement === element), true);
  await keyboard.press("Tab");
  await keyboard.type(url);
  await keyboard.press("Tab");
  await keyboard.type("{channel}/%Y-%m-%d/wrong-%H-%M-%S.mp4");
  // A folder behind HTTP has no options of buckets and keys, and other kinds have no layout.
  for (const [option, there] of [["listing", 1], ["layout", 1], ["endpoint", 0], ["hostkey", 0], ["times", 0], ["tls", 1]])
    assert.equal(await form.locator(`[name=option_${option}]`).count(), there, option);
  const tried = form.locator("okno-archive-test [role=status] p");
  await form.locator("input[name=channel]").focus();
  await keyboard.type("cam1");
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await tried.filter({ hasText: "lists nothing of this channel in 31 days" }).waitFor();
  await form.locator("input[name=files]").fill(names);
  await form.locator("okno-archive-test button").focus();
  await keyboard.press("Enter");
  await tried.filter({ hasText: /It answers\. Recordings: 1, from .*:00:00 .*to .*:02:00 .*of the last 2\.0 min 100\.0 % are recorded/u }).waitFor();
  await shoot(page, "archive-form");
  assert.deepEqual(await service.rows("SELECT count(*) AS n FROM archives"), [{ n: 0 }]); // trying stores nothing
  await form.locator("input[name=channel]").focus();
  await keyboard.press("Enter");
  await form.waitFor({ state: "detached" });
  assert.deepEqual(await service.rows("SELECT a.archive, a.kind, a.url, a.files, a.options, i.author FROM archives a JOIN imports i USING (import)"),
    [{ archive: "nvr", kind: "dir", url, files: names, options: "", author: "root" }]);
  await page.locator("okno-archives tbody").getByText("not asked yet").waitFor();

  await page.locator(".add-camera").focus();
  await keyboard.press("Enter");
  const camera = page.locator("okno-camera-form");
  await camera.locator("input[name=camera]").waitFor();
  await keyboard.type("till-1");
  await camera.locator("input[name=channel]").fill("cam1");
  await camera.locator("input[name=retention_days]").fill("14");
  await keyboard.press("Enter");
  await camera.waitFor({ state: "detached" });
  assert.deepEqual(await service.rows("SELECT camera, site, archive, channel, retention_days AS days FROM cameras"), [{ camera: "till-1", site: "S1", archive: "nvr", channel: "cam1", days: 14 }]);
  // What stands is tried from its row; that it answered is then said of the archive.
  await page.locator("okno-archives okno-archive-test button").first().focus();
  await keyboard.press("Enter");
  await page.locator("okno-archives okno-archive-test [role=status]").filter({ hasText: "It answers" }).waitFor();
  await page.locator("okno-archives tbody .ok").filter({ hasText: "answers" }).first().waitFor();
  await shoot(page, "archives-connected");
  // A try that fails is said of it, too, with the moment.
  await service.rows("UPDATE archives SET url = 'http://127.0.0.1:9/'");
  await page.locator("okno-archives okno-archive-test button").first().focus();
  await keyboard.press("Enter");
  await page.locator("okno-archives tbody .bad").filter({ hasText: "does not answer" }).first().waitFor();
  await page.locator("okno-archives tbody .note").filter({ hasText: /last failure .*127\.0\.0\.1/u }).first().waitFor();
  await shoot(page, "archives-failed");
  assert.deepEqual(faults, []);
  await close();
});

test("what opening would refuse is refused in the form, in Russian too; Escape leaves; a change adds a version", async () => {
  const { page, faults, close } = await open("ru-RU");
  await page.getByRole("button", { name: "Изменить архив nvr" }).click();
  const form = page.locator("okno-archive-form");
  await form.locator("details summary").click();
  await form.locator("input[name=option_rate]").fill("fast");
  await page.keyboard.press("Enter");
  await form.locator("[role=alert]").filter({ hasText: "rate=fast: нужно целое число" }).waitFor();
  await shoot(page, "archive-form-ru");
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await form.locator("[role=alert]").scrollIntoViewIfNeeded();
  await shoot(page, "archive-form-phone");
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Escape");
  await form.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Изменить архив nvr" }).click();
  await form.locator("details summary").click();
  await form.locator("input[name=option_rate]").fill("500");
  await form.locator("select[name=kind]").selectOption("hikvision");
  assert.equal(await form.locator("[name=files]").count(), 0);
  assert.equal(await form.locator("[name=option_layout]").count(), 0);
  assert.equal(await form.locator("select[name=option_times]").count(), 1);
  await form.locator("select[name=kind]").selectOption("dir");
  await form.locator("button.primary").click();
  await form.waitFor({ state: "detached" });
  assert.deepEqual(await service.rows("SELECT files, options FROM archives ORDER BY id"), [{ files: names, options: "" }, { files: names, options: "rate=500" }]);
  assert.deepEqual(faults.filter((fault) => !/status of 400/u.test(fault)), []);
  await close();
});

test("which clock a camera is asked by is said, and that its own 0 hides its archive's 37 seconds", async () => {
  const at = new Date().toISOString();
  for (const [target, offset, words] of [["archive:nvr", 37000, ["спешат на 37,0 с", "по часам архива nvr"]], ["camera:till-1", 0, ["верны, ±", "по измерениям самой камеры", "не учитываются: часы архива nvr, спешат на 37,0 с"]]]) {
    await service.okno("clock", "add", target, "--at", at, "--offset-ms", String(offset), "--uncertainty-ms", "20");
    const { page, faults, close } = await open("ru-RU");
    const row = page.locator("okno-archives tr").filter({ hasText: "till-1" });
    for (const part of words) await row.getByText(part).first().waitFor();
    assert.deepEqual(faults, []);
    await close();
  }
});

test("a disk that lasts less than 30 days is told on the page, with what to do", async () => {
  const { page, faults, close } = await open();
  const disk = page.locator("okno-archives .disk");
  await disk.filter({ hasText: "are free" }).waitFor();
  assert.equal(await page.locator("okno-archives .disk.warn").count(), 0);
  const { disk: { free_bytes: free } } = await page.evaluate(async () => (await fetch("/api/v1/archives")).json());
  await service.rows(`INSERT INTO evidence (survey, kind, sha256, bytes, media_type, codec, camera, asked_from, asked_to, got_from, got_to, index_offset_us, uncertainty_us, source, requests, bytes_read, software, made_at)
    VALUES ('x.0.1', 'clip', '${"0".repeat(64)}', ${Math.floor(free * 4 / 81)}, 'video/mp4', 'h264', 'till-1', 0, 1, 0, 1, 0, 0, '[]', 1, 1, 'x', 1000000 * CAST(strftime('%s', 'now') AS INTEGER))`);
  await page.reload();
  await page.locator("okno-archives .disk.warn").filter({ hasText: /full in days: 20\.\s+Make room/u }).waitFor();
  await shoot(page, "archives-disk");
  assert.deepEqual(faults, []);
  await close();
});

test("an address with a query comes back from the form as it was, its values untold", async () => {
  const { page, faults, close } = await open();
  const ask = (body) => page.evaluate(async (fields) => {
    const response = await fetch("/api/v1/archives", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
    return `${response.status} ${await response.text()}`;
  }, body);
  const stored = async () => (await service.rows("SELECT url FROM archives WHERE archive = 'asked' ORDER BY id DESC LIMIT 1"))[0].url;
  const long = `https://nvr.example:8443/a?token=s3cr3t&x=1&empty=&live&key=${"k".repeat(940)}`;
  const row = { archive: "asked", kind: "dir", url: long, files: names, time_zone: "UTC", user: "", secret: "", options: "" };
  assert.match(await ask(row), /^204/u);
  await page.reload();
  await page.getByRole("button", { name: "Change archive asked" }).click();
  const form = page.locator("okno-archive-form");
  const address = form.locator("input[name=url]");
  assert.equal(await address.inputValue(), "https://nvr.example:8443/a?token=***&x=*&empty=&***&key=***");
  await form.locator("input[name=files]").fill(`b/${names}`);
  await form.locator("button.primary").click();
  await form.waitFor({ state: "detached" });
  assert.equal(await stored(), long);
  assert.deepEqual(await service.rows("SELECT files FROM archives WHERE archive = 'asked' ORDER BY id DESC LIMIT 1"), [{ files: `b/${names}` }]);
  // What is typed anew is stored; what is left out goes; the rest stays.
  await page.getByRole("button", { name: "Change archive asked" }).click();
  await address.fill("https://nvr.example:8443/b?token=***&x=22&***");
  await form.locator("button.primary").click();
  await form.waitFor({ state: "detached" });
  assert.equal(await stored(), "https://nvr.example:8443/b?token=s3cr3t&x=22&live");
  assert.deepEqual(faults, []);
  // To another host, or to an archive that has nothing such, nothing goes.
  for (const other of [{ url: "https://nvr.example/b?token=***" }, { url: "https://nvr.example:84430/b?token=***" }, { archive: "other", url: "https://nvr.example:8443/b?token=***" }, { url: "https://nvr.example:8443/b?key=***" }])
    assert.match(await ask({ ...row, ...other }), /^400 .*write the whole address/u);
  await close();
});

test("a password goes to no other host, and nobody but an administrator connects anything", async () => {
  const { page, close } = await open();
  const ask = (target, path, body) => target.evaluate(async ([to, fields]) => {
    const response = await fetch(`/api/v1/${to}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });
    return `${response.status} ${await response.text()}`;
  }, [path, body]);
  const row = { archive: "safe", kind: "dir", url: "https://nvr.example/a", files: names, time_zone: "UTC", user: "okno", secret: "nvr-password", options: "" };
  assert.match(await ask(page, "archives", row), /^204/u);
  assert.match(await ask(page, "archives", { ...row, url: "https://nvr.example/b/" }), /^204/u);
  for (const other of [{ ...row, url }, { ...row, url: "https://nvr.example.org/a" }, { ...row, archive: "mine" }]) {
    assert.match(await ask(page, "archives", other), /^400 .*it is of archive safe at https:\/\/nvr.example\//u);
    assert.match(await ask(page, "archives/test", { ...other, channel: "cam1" }), /^400 .*it is of archive safe/u);
  }
  assert.match(await ask(page, "destinations", { destination: "team", kind: "webhook", secret: "hook", url: "https://example.org/" }), /^204/u);
  assert.match(await ask(page, "archives", { ...row, secret: "hook" }), /^400 .*it is of destination team/u);
  assert.match(await ask(page, "archives/test", { archive: "safe", channel: "cam1" }), /^200 .*"code":"config".*okno secret set nvr-password/u);
  await close();
  const eva = await open("en-GB", "eva");
  for (const [path, body] of [["archives", row], ["archives/test", { archive: "nvr", channel: "cam1" }], ["cameras", { camera: "c", site: "S1", archive: "nvr", channel: "c" }]])
    assert.match(await ask(eva.page, path, body), /^403/u);
  await eva.close();
});
