// Reports of an audit in which every text that somebody may write holds markup: opened from the service and from disk,
// where no header protects them. Nothing runs, nothing is asked of anybody, and the texts are there as they were written.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { closeBrowser, openBrowser } from "./browser.mjs";
import { Service } from "./service.mjs";

const evil = (whose) => `${whose}"'><img src=x onerror="window.hit='${whose}'"><script>window.hit='${whose}'</script><a href="javascript:window.hit=1">x</a></style></title><!--`;
const password = "a long password";
const seed = "\"'><script>window.hit='seed'</script><img src=x onerror=window.hit=1>";
let service;
const open = [];

const cell = (text) => `"${text.replaceAll("\"", "\"\"")}"`;
async function put(kind, text) {
  await writeFile(join(service.dir, `${kind}.csv`), text);
  await service.okno("import", kind, join(service.dir, `${kind}.csv`));
}
const tell = (input, ...args) => new Promise((resolve, reject) => {
  const child = execFile(join(process.env.OKNO_BUILD ?? "build", "okno"), ["--data", service.data, ...args], (error, stdout, stderr) => (error ? reject(new Error(`${args.join(" ")}: ${stderr}`)) : resolve(stdout)));
  child.stdin.end(input);
});

function events() {
  const lines = ["device,seq,time,kind"];
  for (let i = 0; i < 12; i++) {
    const at = Date.parse("2026-03-10T07:00:00Z") + i * 300000;
    lines.push(`D1,${2 * i + 1},${new Date(at).toISOString()},press`, `D1,${2 * i + 2},${new Date(at + 4000).toISOString()},${i % 3 ? "yes" : "no"}`);
  }
  return `${lines.join("\n")}\n`;
}

before(async () => {
  service = await Service.start();
  await put("sites", `site,name,time_zone\nS1,${cell(evil("site"))},Europe/Moscow\n`);
  await put("points", `point,site,name\nP1,S1,${cell(evil("point"))}\n`);
  await put("questions", `question,point,from,kind,text,window_s\nQ1,P1,2026-01-01T00:00:00Z,personnel,${cell(evil("question"))},15\n`);
  await put("devices", "device,point,from,role\nD1,P1,2026-01-01T00:00:00Z,both\n");
  await put("employees", `employee,name\nE1,${cell(evil("employee"))}\n`);
  await put("shifts", "employee,point,from,to\nE1,P1,2026-03-10T06:00:00Z,2026-03-10T18:00:00Z\n");
  await put("archives", "archive,kind,url,files\nA1,dir,/nowhere,%Y-%m-%d/%H-%M.mp4\n");
  await put("cameras", `camera,site,archive,channel,name\nC1,S1,A1,1,${cell(evil("camera"))}\n`);
  await put("placements", "point,camera,from\nP1,C1,2026-01-01T00:00:00Z\n");
  await put("events", events());
  for (const [user, role] of [["root2", "administrator"], ["vera", "expert"]]) await tell(`${password}\n`, "user", "add", user, "--role", role, "--name", evil(`user ${user}`), "--password-stdin");
  await service.wait("SELECT count(*) AS n FROM surveys WHERE state <> 'open'", [{ n: 12 }], 30000);
  const audit = (step, ...args) => service.okno("audit", step, "A1", ...args);
  await audit("plan", "--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z", "--size", "6", "--title", evil("audit"), "--undeterminable-limit", "0.9");
  await audit("freeze", "--accept-unheard", evil("unheard"), "--accept-fm", evil("fm"));
  await audit("checkpoint");
  await audit("seed", "--seed", seed, "--how", evil("how"), "--witness", evil("witness"));
  await audit("draw");
  for (let i = 0; i < 6; i++) {
    const { item, lease } = JSON.parse(await service.okno("review", "next", "--user", "vera", "--audit", "A1", "--json"));
    await service.okno("review", "submit", String(item), "--user", "vera", "--lease", lease, "--verdict", i % 2 ? "valid" : "invalid", ...(i % 2 ? [] : ["--reason", "OTHER"]), "--comment", evil("comment"));
  }
  await audit("close", "--note", evil("note"));
  await writeFile(join(service.dir, "findings.json"), JSON.stringify([{ finding: evil("finding"), owner: evil("owner"), due: evil("due"), action: evil("action") }]));
  await audit("report", "--opinion", "qualified", "--statement", evil("statement"), "--objective", evil("objective"), "--findings", join(service.dir, "findings.json"), "-o", join(service.dir, "en.html"));
  for (const [lang, more] of [["ru", []], ["en", ["--public"]]]) await audit("report", "--lang", lang, ...more, "-o", join(service.dir, `${lang}${more.length ? "-public" : ""}.html`));
});
after(async () => {
  await closeBrowser();
  await service?.close();
});
afterEach(async () => { await Promise.all(open.splice(0).map((one) => one.close())); });

async function isHarmless(page, address, texts) {
  const asked = [];
  page.on("request", (request) => { if (!request.isNavigationRequest()) asked.push(request.url()); });
  page.on("dialog", (dialog) => { asked.push("a dialog"); dialog.dismiss(); });
  await page.goto(address);
  await page.waitForLoadState("networkidle");
  const found = await page.evaluate(() => ({
    hit: window.hit ?? null,
    odd: [...document.querySelectorAll("*")].filter((one) => ["script", "img", "iframe", "object"].includes(one.localName) ||
      [...one.attributes].some(({ name, value }) => name.startsWith("on") || /^\s*javascript:/i.test(value))).map((one) => one.outerHTML.slice(0, 100)),
    policy: document.querySelector("meta[http-equiv='Content-Security-Policy']")?.content ?? "",
    text: document.body.textContent,
  }));
  assert.deepEqual({ hit: found.hit, odd: found.odd, asked: asked.filter((url) => !/favicon/.test(url)) }, { hit: null, odd: [], asked: [] }, address);
  assert.match(found.policy, /default-src 'none'/);
  for (const text of texts) assert.ok(found.text.includes(text), `${address} lacks ${text}: ${found.text.slice(0, 300)}`);
}

const told = ["site", "audit", "how", "witness", "statement", "objective", "finding", "owner", "action", "comment", "question"].map(evil).concat(seed);

test("a report from disk is text and nothing else", async () => {
  for (const [name, texts] of [["en.html", told], ["ru.html", told], ["en-public.html", [evil("site"), seed]]]) {
    const browser = await openBrowser();
    open.push(browser);
    await isHarmless(browser.page, `file://${join(service.dir, name)}`, texts);
  }
});

test("from the service it comes as a file to be kept, and so do figures by employee", async () => {
  const headers = { "content-type": "application/json" };
  const login = await fetch(`${service.url}/api/v1/login`, { method: "POST", headers, body: JSON.stringify({ user: "root2", password }) });
  const cookie = login.headers.get("set-cookie").split(";")[0];
  for (const [path, texts] of [["audits/A1/report?lang=ru", told], ["indicators/report?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&by=employee", [evil("employee").slice(0, 40)]]]) {
    const answer = await fetch(`${service.url}/api/v1/${path}`, { headers: { cookie } });
    assert.match(answer.headers.get("content-disposition"), /^attachment; filename="[A-Za-z0-9_.-]+"$/);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    await writeFile(join(service.dir, "got.html"), await answer.text());
    const browser = await openBrowser();
    open.push(browser);
    await isHarmless(browser.page, `file://${join(service.dir, "got.html")}`, texts);
  }
});
