// An auditor runs a whole audit on the page alone: plan, freeze, checkpoint, seed, draw, a further round, close,
// report, bundle; an expert decides in between. On a service of its own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, test } from "node:test";
import { closeBrowser, logIn, openBrowser, shoot } from "./browser.mjs";
import { Service } from "./service.mjs";

const run = promisify(execFile);
const password = "a long password";
const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const day = "2026-03-10";
let service;

/** 60 surveys on one day. */
function events() {
  const lines = ["device,seq,time,kind"];
  for (let i = 0; i < 60; i++) {
    const at = Date.parse(`${day}T07:00:00Z`) + i * 240000;
    lines.push(`B1,${2 * i + 1},${new Date(at).toISOString()},press`, `B1,${2 * i + 2},${new Date(at + 4000).toISOString()},${i % 4 ? "yes" : "no"}`);
  }
  return `${lines.join("\n")}\n`;
}

async function addUser(user, role) {
  const child = run(program, ["--data", service.data, "user", "add", user, "--role", role, "--all-sites", "--password-stdin"]);
  child.child.stdin.end(`${password}\n`);
  await child;
}

before(async () => {
  service = await Service.start();
  for (const [kind, text] of Object.entries({ devices: "device,point,from\nB1,P1,2026-01-01T00:00:00Z\n", events: events() })) {
    const file = join(service.dir, `${kind}.csv`);
    await writeFile(file, text);
    await service.okno("import", kind, file);
  }
  await addUser("eva", "auditor");
  await addUser("vera", "expert");
  await service.okno("refresh").catch(() => {});
});

after(async () => {
  await closeBrowser();
  await service?.close();
});

/** Requests of the expert's. */
async function expert() {
  const headers = { "Content-Type": "application/json" };
  const ask = (path, body) => fetch(`${service.url}/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const login = await ask("login", { user: "vera", password });
  assert.equal(login.status, 200);
  headers.Cookie = login.headers.get("set-cookie").split(";")[0];
  return ask;
}

/** The survey that the expert has before them now. */
async function takeOne() {
  const ask = await expert();
  const { survey } = await (await ask("queue/next", {})).json();
  return survey;
}

/** The expert decides everything that waits: every seventh one was pressed by the seller. */
async function decideAll() {
  const ask = await expert();
  for (let n = 0; ; n++) {
    const next = await ask("queue/next", {});
    if (next.status !== 200) return n;
    const { item, lease } = await next.json();
    const verdict = n % 7 === 3 ? { verdict: "invalid", reason: "STAFF_PRESSED" } : { verdict: "valid" };
    const stored = await ask(`queue/${item}/submit`, { lease, watched: [], ...verdict });
    assert.equal(stored.status, 200, await stored.text());
  }
}

/** With a key that ssh-keygen made; its private half is turned away by the page itself. */
async function registerKey(page) {
  const file = join(service.dir, "eva");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "eva", "-f", file]);
  const keys = page.locator("okno-audit-keys");
  const asked = [];
  page.on("request", (request) => { if (request.method() === "POST") asked.push(request.url()); });
  await keys.getByRole("button", { name: "Register my key" }).click();
  await keys.locator("textarea").fill(await readFile(file, "utf8"));
  await keys.getByRole("button", { name: "Register", exact: true }).click();
  await keys.getByText("it was not sent anywhere").waitFor();
  assert.deepEqual(asked, []);
  await keys.locator("input[type=file]").setInputFiles(`${file}.pub`);
  await shoot(page, "audit-keys");
  await keys.getByRole("button", { name: "Register", exact: true }).click();
  await keys.getByText("eva", { exact: true }).waitFor();
}

/** What the page says is run here, as on the auditor's own computer. */
async function sign(page) {
  const proof = page.locator("okno-proof");
  await proof.getByText("Not signed yet").waitFor();
  const command = await proof.locator("pre", { hasText: "ssh-keygen" }).innerText();
  const [manifest] = await Promise.all([page.waitForEvent("download"), proof.getByRole("button", { name: "What is to be signed" }).click()]);
  await manifest.saveAs(join(service.dir, manifest.suggestedFilename()));
  await run("sh", ["-c", command.replace("KEY", "eva")], { cwd: service.dir });
  await proof.locator("input[type=file]").setInputFiles(join(service.dir, `${manifest.suggestedFilename()}.sig`));
  await proof.getByText(/Signed on/).waitFor();
  await shoot(page, "audit-signed");
}

test("an auditor runs a whole audit on the page alone", async () => {
  const { page, faults, close } = await openBrowser({ width: 1280, height: 900 });
  const next = page.locator("okno-audit-next");
  const press = (name) => next.getByRole("button", { name, exact: true }).click();
  const due = (name) => next.getByRole("heading", { name: `Next step: ${name}` }).waitFor();
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits`);
  await page.getByRole("button", { name: "Plan an audit" }).click();
  await page.getByText("Nobody has registered a key").waitFor();
  await registerKey(page);
  const plan = page.locator("okno-audit-plan");
  const fill = (name, text) => plan.locator(`input[name=${name}]`).fill(text);
  await fill("audit", "march");
  await fill("title", "March, by the page");
  await fill("from", day);
  await fill("to", day);
  await fill("to", "2026-03-09");
  assert.equal(await plan.locator("input[name=to]").evaluate((input) => input.validity.rangeUnderflow), true, "a period that ends before it begins is told at once");
  await fill("to", day);
  const size = page.locator("okno-sample-size");
  await size.getByText("60 surveys closed in this period so far").waitFor();
  await size.locator("input[name=size-width]").fill("10");
  await size.getByRole("button", { name: "Draw 15" }).click(); // of 60, near 5 %, to within 10 %
  assert.equal(await plan.locator("input[name=size]").inputValue(), "15");
  await fill("size", "20");
  await plan.getByText("More:").click();
  await fill("looks", "2");
  await fill("max_half_width", "0.01");
  await fill("double", "0");
  await shoot(page, "audit-plan");
  const chosen = await plan.locator("select[name=auditor] option:checked").innerText();
  assert.match(chosen, /^eva · ssh [0-9a-f]{8}…$/);
  await plan.getByRole("button", { name: "Plan", exact: true }).click();
  await plan.getByText("never changed afterwards").waitFor();
  await plan.getByRole("button", { name: "Write the plan down" }).click();
  await due("freeze");
  await press("Freeze the frame");
  await due("checkpoint");
  await press("Sign the checkpoint");
  await due("seed");
  const [handed] = await Promise.all([page.waitForEvent("download"), next.getByRole("link", { name: "Download the checkpoint" }).click()]);
  assert.match(await readFile(await handed.path(), "utf8"), /^okno\.log\//);
  await shoot(page, "audit-seed");
  await next.locator("input[name=seed]").fill("18364520937745610298");
  await next.locator("input[name=witnesses]").fill("Anna, Boris");
  await press("Store the seed");
  await due("draw");
  await press("Draw the sample");
  await due("review");
  await next.getByText("Waiting for a decision: 20").waitFor();
  const leased = await takeOne();
  await page.reload();
  await next.getByText("Waiting for a decision: 20").click();
  const mine = next.locator("okno-waiting li", { hasText: "with vera now" });
  await mine.waitFor();
  assert.equal(await next.locator("okno-waiting li").count(), 20);
  assert.match(await mine.innerText(), new RegExp(`Riverside Mall · ${leased.point_name}`));
  await shoot(page, "audit-waiting");
  await press("Close the audit"); // too early: said in words, nothing is lost
  await next.locator(".trouble").waitFor();
  assert.equal(await decideAll(), 20);
  await page.reload();
  await next.getByText(/Interval wider than planned: .*INK@Office|Interval wider than planned/).waitFor();
  await shoot(page, "audit-wide");
  await next.locator("input[name=size]").fill("10");
  await press("Draw a further round");
  await next.getByText("Waiting for a decision: 10").waitFor();
  assert.equal(await decideAll(), 10);
  await page.reload();
  await next.locator("input[name=note]").fill("All decided");
  await press("Close the audit");
  await due("report");
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the opinion fits a phone");
  await page.setViewportSize({ width: 1280, height: 900 });
  await next.locator("select[name=opinion]").selectOption("qualified");
  await next.locator("textarea[name=statement]").fill("Till 1 alone was open.");
  await next.getByRole("button", { name: "Add a finding" }).click();
  await next.locator("input[name='findings.finding']").fill("Every seventh press was the seller's");
  await next.locator("input[name='findings.owner']").fill("The shop");
  await shoot(page, "audit-report");
  await press("Issue the report");
  await page.getByText("Edition 1", { exact: true }).waitFor();
  await due("signature");
  await shoot(page, "audit-closed");
  const again = next.locator("details", { hasText: "A further edition" });
  await again.locator("summary").click();
  await again.locator("input[name='findings.finding']").waitFor();
  assert.equal(await again.locator("textarea[name=statement]").inputValue(), "Till 1 alone was open.", "what the edition before says is there to go on from");
  assert.equal(await again.locator("select[name=opinion]").inputValue(), "qualified");
  assert.equal(await again.locator("input[name='findings.owner']").inputValue(), "The shop");
  await sign(page);
  await due("export");
  const holds = page.locator("okno-holds");
  await holds.locator("input[name=reason]").fill("A dispute");
  await holds.getByRole("button", { name: "Keep this audit's footage" }).click();
  await holds.getByText("A dispute").waitFor();
  await service.wait("SELECT audit, reason, released_at FROM holds", [{ audit: "march", reason: "A dispute", released_at: null }]);
  await holds.getByRole("button", { name: "Let go" }).click();
  await holds.locator("li input[name=reason]").fill("Settled");
  await holds.locator("li form button").click();
  await holds.getByText(/let go .* by eva/).waitFor();
  const [bundle] = await Promise.all([page.waitForEvent("download"), press("Bundle (.tar)")]);
  assert.equal(bundle.suggestedFilename(), "okno-march.tar");
  await run("tar", ["-C", service.dir, "-xf", await bundle.path()]);
  await next.getByRole("heading", { name: "All done" }).waitFor();
  const report = JSON.parse(await readFile(join(service.dir, "okno-march", "data", "report.json"), "utf8"));
  assert.equal(report.opinion.kind, "qualified");
  assert.deepEqual(report.opinion.findings, [{ finding: "Every seventh press was the seller's", owner: "The shop", due: "", action: "" }]);
  const { stdout } = await run(program, ["verify", join(service.dir, "okno-march"), "--auditor-key", join(service.dir, "eva.pub")]);
  assert.match(stdout, /60 surveys frozen, 30 drawn, 30 decisions/);
  assert.match(stdout, /auditor  signed, .*, the key given/);
  assert.deepEqual(faults.filter((text) => !/409/.test(text)), []);
  await close();
});

test("an auditor keeps days and one survey from retention, and sees how experts decide", async () => {
  const { page, faults, close } = await openBrowser({ width: 1280, height: 900 });
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits`);
  const days = page.locator("okno-holds form").last();
  await days.locator("select[name=site]").selectOption("S1");
  await days.locator("input[name=from]").fill(day);
  await days.locator("input[name=to]").fill(day);
  await days.locator("input[name=reason]").fill("A theft");
  await days.getByRole("button", { name: "Keep these days' footage" }).click();
  await page.locator("okno-holds").getByText("S1 · 10 Mar 2026").waitFor();
  await page.goto(`${service.url}/#/surveys/B1.0.1`);
  const one = page.locator("okno-holds");
  await one.getByText("Nobody keeps just this").waitFor();
  await one.locator("input[name=reason]").fill("A complaint");
  await one.getByRole("button", { name: "Keep this survey's footage" }).click();
  await one.getByText("A complaint").waitFor();
  await service.wait("SELECT survey, site, from_at, to_at FROM holds WHERE reason <> 'A dispute' ORDER BY id", [
    { survey: null, site: "S1", from_at: Date.parse(`${day}T00:00:00+03:00`) * 1000, to_at: Date.parse("2026-03-11T00:00:00+03:00") * 1000 },
    { survey: "B1.0.1", site: null, from_at: null, to_at: null }]);
  await page.goto(`${service.url}/#/indicators?from=${day}&to=${day}&audit=none`);
  const [sheet] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "PDF" }).click()]);
  assert.equal(sheet.suggestedFilename(), "okno-indicators-en.pdf");
  assert.equal((await readFile(await sheet.path())).subarray(0, 5).toString(), "%PDF-");
  await page.getByRole("link", { name: "Experts" }).click();
  await page.locator("okno-experts").getByText("vera").first().waitFor();
  assert.equal(await page.locator("okno-experts section form").count(), 0);
  assert.deepEqual(faults, []);
  await close();
});

test("in Russian, small and dark: what stops a freeze is accepted with a reason, and an audit is abandoned with one", async () => {
  const file = join(service.dir, "gap.csv"); // numbers of the device are missing
  await writeFile(file, `device,seq,time,kind\nB1,900,${day}T19:30:00Z,press\nB1,901,${day}T19:30:05Z,yes\n`);
  await service.okno("import", "events", file);
  await service.okno("refresh").catch(() => {});
  await service.okno("audit", "plan", "gaps", "--from", `${day}T00:00:00Z`, "--to", "2026-03-11T00:00:00Z", "--size", "5", "--by", "eva");
  const { page, faults, close } = await openBrowser({ width: 360, height: 740, language: "ru-RU", dark: true });
  const next = page.locator("okno-audit-next");
  await logIn(page, { url: service.url, user: "eva", password });
  await page.goto(`${service.url}/#/audits/gaps`);
  await next.getByRole("heading", { name: "Следующий шаг: заморозка" }).waitFor();
  await next.getByRole("button", { name: "Зафиксировать совокупность" }).click();
  await next.locator("input[name=accept_unheard]").fill("Проверено вручную");
  await shoot(page, "audit-accept-ru");
  await next.getByRole("button", { name: "Зафиксировать совокупность" }).click();
  await next.getByRole("heading", { name: "Следующий шаг: контрольная точка" }).waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the screen");
  await next.getByText("Прекратить без результата").click();
  await next.locator("input[name=reason]").fill("Не тот месяц");
  await next.getByRole("button", { name: "Прекратить аудит" }).click();
  await page.getByText("прекращён").first().waitFor();
  assert.equal(await next.locator("article").count(), 0);
  assert.deepEqual(faults.filter((text) => !/409/.test(text)), []);
  await close();
});

test("of sales an expert says with one key each who was asked, who not, and where no customer was", async () => {
  const sales = join(service.dir, "sales.csv");
  await writeFile(sales, `id,time,point\n${Array.from({ length: 8 }, (_, i) => `s${i},${day}T1${i}:30:00Z,P1\n`).join("")}`);
  await service.okno("import", "transactions", sales);
  for (const step of [["plan", "sales", "--frame", "transactions", "--from", `${day}T00:00:00Z`, "--to", "2026-03-11T00:00:00Z", "--size", "4"],
    ["freeze", "sales", "--accept-unheard", "numbers of this test"], ["checkpoint", "sales", "-o", join(service.dir, "sales.checkpoint")], ["seed", "sales", "--seed", "18364520937745610298"], ["draw", "sales"]])
    await service.okno("audit", ...step, ...(step[0] === "checkpoint" ? [] : ["--by", "eva"]));
  const { page, faults, close } = await openBrowser({ width: 1280, height: 800 });
  await logIn(page, { url: service.url, user: "vera", password });
  await page.goto(`${service.url}/#/review?audit=sales`);
  const told = page.locator("okno-toast");
  let decided = 0;
  const decide = async (key, word) => {
    await page.locator("okno-progress").getByText(`${decided++} of 4`).waitFor(); // the next one is there
    await page.getByText("A sale: was this customer asked to rate?").waitFor();
    await page.locator("okno-decision").getByRole("button", { name: "Not asked" }).waitFor();
    if (key === "v") await shoot(page, "review-sale");
    await page.keyboard.press(key);
    if (key === "u") {
      await page.keyboard.press("2");
    } else { // no picture: what is it known by?
      await page.locator("okno-decision textarea:focus").waitFor();
      await page.keyboard.type("The till's own tape");
      await page.keyboard.press("Enter");
    }
    await told.getByText(word).waitFor();
  };
  await decide("v", "Asked");
  await decide("n", "Not asked");
  await decide("i", "No customer");
  await decide("u", "undeterminable");
  await service.wait("SELECT verdict, correction, reason FROM verdicts WHERE audit = 'sales' ORDER BY id", [
    { verdict: "valid", correction: null, reason: null }, { verdict: "valid", correction: "NOT_ASKED", reason: null },
    { verdict: "invalid", correction: null, reason: "NO_CUSTOMER" }, { verdict: "undeterminable", correction: null, reason: "NO_RECORDING" }]);
  await close();
  const eva = await openBrowser({ width: 1280, height: 800, language: "ru-RU" });
  await logIn(eva.page, { url: service.url, user: "eva", password });
  await eva.page.goto(`${service.url}/#/audits/sales`);
  await eva.page.getByText("Не спрошены").waitFor();
  await shoot(eva.page, "audit-sales-ru");
  assert.deepEqual([...faults, ...eva.faults], []);
  await eva.close();
});
