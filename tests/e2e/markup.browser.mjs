// Everything that a person or a file may write holds markup here, and every page shows it: as text, without
// running any of it, and without asking for anything that the policy forbids. On a real service.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot, waitUntil } from "./browser.mjs";
import { Service } from "./service.mjs";

/** What runs when text becomes markup, in the ways that it may; each text says whose it is. */
const evil = (whose) => `${whose}"'><img src=x onerror="window.hit='${whose}'"><script>window.hit='${whose}'</script><svg onload="window.hit=1">{{7*7}}\${7*7}</textarea></title>`;
const evilShort = "<img src=x onerror=\"window.hit='group'\">"; // up to 64 bytes
const password = "a long password";

let service;
let code;
const open = [];

const cell = (text) => `"${text.replaceAll("\"", "\"\"")}"`;
const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();

async function put(kind, text) {
  const file = join(service.dir, `${kind}.csv`);
  await writeFile(file, text);
  await service.okno("import", kind, file);
}

/** The command line with something on standard input. */
const tell = (input, ...args) => new Promise((resolve, reject) => {
  const child = execFile(join(process.env.OKNO_BUILD ?? "build", "okno"), ["--data", service.data, ...args], (error, stdout, stderr) => (error ? reject(new Error(`${args.join(" ")}: ${stderr}`)) : resolve(stdout)));
  child.stdin.end(input);
});

const addUser = (name, role, ...more) => tell(`${password}\n`, "user", "add", name, "--role", role, "--name", evil(`user ${name}`), "--password-stdin", ...more);

/** Surveys of a day that is over, and a negative one of just now. */
function events() {
  const lines = ["device,seq,time,kind"];
  let seq = 0;
  const add = (time, kind) => lines.push(`D1,${++seq},${time},${kind}`);
  for (let i = 0; i < 12; i++) {
    const at = Date.parse("2026-03-10T07:00:00Z") + i * 300000;
    add(new Date(at).toISOString(), "press");
    add(new Date(at + 4000).toISOString(), i % 3 ? "yes" : "no");
  }
  add(ago(600), "press");
  add(ago(598), "no");
  return `${lines.join("\n")}\n`;
}

before(async () => {
  service = await Service.start();
  await put("sites", `site,name,time_zone,group,from\nS1,${cell(evil("site"))},Europe/Moscow,${cell(evilShort)},2026-01-01\n`);
  await put("points", `point,site,name\nP1,S1,${cell(evil("point"))}\n`);
  await put("questions", `question,point,from,kind,text,window_s\nQ1,P1,2026-01-01T00:00:00Z,personnel,${cell(evil("question"))},15\n`);
  await put("devices", "device,point,from,role\nD1,P1,2026-01-01T00:00:00Z,both\nD9,P1,2026-01-01T00:00:00Z,panel\n");
  await put("employees", `employee,name\nE1,${cell(evil("employee"))}\nE2,${cell(evil("stand-in"))}\n`);
  await put("shifts", `employee,point,from,to\nE1,P1,2026-03-10T06:00:00Z,2026-03-10T18:00:00Z\nE1,P1,${ago(3600)},${ago(-3600)}\n`);
  await put("destinations", `destination,kind,url,secret,chat\nteam,webhook,https://example.org/${encodeURIComponent("<script>")}?a=%22%3E,hook,\n`);
  await put("alert_rules", `rule,kind,where,to\nall-no,negative,${cell(`group:${evilShort}`)},team\n`);
  await put("events", events());
  // Before anybody comments on the rating: what is commented alarms nobody.
  await service.wait("SELECT count(*) AS n FROM alerts WHERE kind = 'negative'", [{ n: 2 }], 30000);
  await addUser("boss", "manager", "--all-sites");
  await addUser("root2", "administrator");
  await addUser("vera", "expert");
  await addUser("anna", "staff", "--all-sites", "--employee", "E1");
  await service.okno("comment", "add", "D1.0.25", "--text", evil("comment"), "--tags", "QUEUE");
  await service.okno("survey", "void", "D1.0.5", "--reason", evil("void"), "--user", "boss", "--second", "root2");
  await service.okno("review", "attribute", "--survey", "D1.0.3", "--employee", "E2", "--reason", evil("attribution"));
  await service.okno("review", "target", "--survey", "D1.0.7", "--reason", evil("target"));
  await service.okno("audit", "plan", "A1", "--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z", "--size", "3", "--title", evil("audit"));
  await service.okno("audit", "freeze", "A1", "--accept-unheard", evil("unheard"));
  await service.okno("period", "close", "--from", "2026-03-10", "--to", "2026-03-10", "--accept", evil("period"));
  await service.okno("alert", "ack", "1", "--note", evil("note"));
  await service.okno("panel", "add", "--device", "T9", "--point", "P1", "--role", "panel", "--label", evilShort);
  ({ code } = JSON.parse(await service.okno("qr", "add", "--point", "P1", "--json")));
});

after(async () => {
  await closeBrowser();
  await service?.close();
});
afterEach(async () => { await Promise.all(open.splice(0).map((one) => one.close())); });

/** A browser that keeps what the policy refused. */
async function watched(options) {
  const browser = await openBrowser(options);
  open.push(browser);
  browser.dialogs = [];
  browser.page.on("dialog", (dialog) => { browser.dialogs.push(dialog.message()); dialog.dismiss(); });
  await browser.page.addInitScript(() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return browser;
}

/** Nothing ran, nothing was refused, and no element came from a text. */
async function isHarmless({ page, faults, dialogs }, where) {
  const found = await page.evaluate(() => {
    const odd = [];
    const walk = (root) => {
      for (const one of root.querySelectorAll("*")) {
        if ([...one.attributes].some(({ name }) => name.startsWith("on"))) odd.push(`${one.localName} with a handler`);
        if (one.localName === "img" && one.getAttribute("src") === "x") odd.push("img");
        if (one.localName === "script" && !one.src) odd.push("script");
        if (one.shadowRoot) walk(one.shadowRoot);
      }
    };
    walk(document);
    return { hit: window.hit ?? null, refused: window.refused, odd };
  });
  assert.deepEqual(found, { hit: null, refused: [], odd: [] }, where);
  assert.deepEqual(dialogs, [], where);
  assert.deepEqual(faults.filter((fault) => !/status of 40[34]/.test(fault)), [], where);
}

/** The text is on the page, as it was written. */
const reads = (page, whose) => waitUntil(page, (text) => {
  const texts = [];
  const walk = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
      else {
        for (const name of ["title", "aria-label"]) if (node.hasAttribute(name)) texts.push(node.getAttribute(name));
        if (node.shadowRoot) walk(node.shadowRoot);
      }
    }
  };
  walk(document.body);
  return texts.some((one) => one.includes(text));
}, evil(whose), 20000);

const pages = {
  root2: [
    ["#/indicators?from=2026-03-10&to=2026-03-10&by=point", ["site", "point"]],
    ["#/indicators?from=2026-03-10&to=2026-03-10&by=employee&site=S1", ["employee", "stand-in"]],
    ["#/surveys?view=table&from=2026-03-10&to=2026-03-10", ["site", "point"]],
    ["#/surveys?view=lanes&from=2026-03-10&to=2026-03-10", ["point"]],
    ["#/surveys?view=wall&from=2026-03-10&to=2026-03-10", []],
    ["#/surveys/D1.0.1", ["site", "point"]],
    ["#/surveys/D1.0.5", ["void"]],
    ["#/surveys/D1.0.3", ["attribution"]],
    ["#/negatives?commented=all", ["site"]],
    ["#/alerts?open=all", ["site", "point"]],
    ["#/audits/A1", ["audit"]],
    ["#/periods/1", ["employee"]],
    ["#/devices", ["site"]],
    ["#/users", ["user vera", "user anna"]],
  ],
  boss: [["#/negatives?commented=all", ["comment"]], ["#/surveys/D1.0.7", ["point"]]],
  anna: [["#/statements", ["user anna"]], ["#/negatives?commented=all", ["comment"]]],
};

for (const [user, list] of Object.entries(pages))
  test(`what was written is text on every page that ${user} sees`, async () => {
    const browser = await watched({ language: user === "boss" ? "ru-RU" : "en-GB" });
    const { page } = browser;
    await logIn(page, { url: service.url, user, password });
    for (const [hash, texts] of list) {
      await page.goto(`${service.url}/${hash}`);
      await page.waitForLoadState("networkidle");
      for (const whose of texts) await reads(page, whose).catch((error) => { throw new Error(`${user} ${hash}: no text of the ${whose} (${error.message})`); });
      await isHarmless(browser, `${user} ${hash}`);
    }
    await shoot(page, `markup-${user}`);
  });

test("an expert's page shows the places as text", async () => {
  const browser = await watched();
  await logIn(browser.page, { url: service.url, user: "vera", password });
  await browser.page.locator("okno-review").waitFor();
  await browser.page.waitForLoadState("networkidle");
  await isHarmless(browser, "review");
});

test("a tablet and a phone show the question as text", async () => {
  const tablet = await watched({ language: "ru-RU" });
  await tablet.page.goto(await service.invite("T1", "P1", "both"));
  await tablet.page.locator(".answers").waitFor();
  await reads(tablet.page, "question");
  await isHarmless(tablet, "panel");
  for (const path of [`q/${code}`, `q/${code}/print`]) {
    const phone = await watched({ width: 360, height: 740 });
    await phone.page.goto(`${service.url}/${path}`);
    await reads(phone.page, "question");
    await isHarmless(phone, path);
  }
});

test("an address with markup in it shows nothing of it", async () => {
  const browser = await watched();
  const { page } = browser;
  await logIn(page, { url: service.url, user: "root2", password });
  for (const hash of [`#/surveys/${encodeURIComponent(evil("id"))}`, `#/surveys?site=${encodeURIComponent(evil("filter"))}&answer=${encodeURIComponent("<b>")}`,
    `#/${encodeURIComponent("<img src=x onerror=alert(1)>")}`, `#/indicators?by=${encodeURIComponent("javascript:alert(1)")}`]) {
    await page.goto(`${service.url}/${hash}`);
    await page.waitForLoadState("networkidle");
    await isHarmless({ ...browser, faults: browser.faults.filter((fault) => !/status of 400/.test(fault)) }, hash);
  }
});
