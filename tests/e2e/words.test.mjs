// The pure parts of the page: words, keys, times, addresses.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { afterEach, test } from "node:test";
import { languages, setLanguage, t, table } from "../../src/ui/src/i18n.js";
import { words as panelWords } from "../../src/ui/src/panel-words.js";
import { keyName } from "../../src/ui/src/keys.js";
import { link, parseRoute } from "../../src/ui/src/router.js";
import { dayStart, formatClockMs, formatLeft, formatPeriod, formatWhen, localDate } from "../../src/ui/src/time.js";
import { stepFacts, stepText } from "../../src/ui/src/steps.js";
import { errorText } from "../../src/ui/src/errors.js";
import { sentences, translated } from "../../src/ui/src/service-words.js";
import { formatIndex, formatShare } from "../../src/ui/src/format.js";

const sources = new URL("../../src/ui/src/", import.meta.url);

afterEach(() => setLanguage("en"));

const forms = (text) => (typeof text === "object" ? Object.values(text) : [text]);
const fields = (text) => [...new Set(forms(text).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();

test("every text has every language, and the same fields in each", () => {
  for (const [key, texts] of [...Object.entries(table), ...Object.entries(panelWords)]) {
    assert.deepEqual(Object.keys(texts).sort(), [...languages].sort(), key);
    for (const code of languages) assert.ok(forms(texts[code]).every((form) => form.trim() !== ""), `${key} ${code}`);
    assert.deepEqual(fields(texts.ru), fields(texts.en), key);
  }
});

test("every text that the page asks for by name is in the table", async () => {
  for (const name of await readdir(sources)) {
    const source = await readFile(new URL(name, sources), "utf8");
    for (const [, key] of source.matchAll(/\bt\("([\w.]+)"/g)) assert.ok(key in (name === "panel-main.js" ? panelWords : table), `${name}: ${key}`);
  }
});

test("every flag of a survey has its words", async () => {
  const cli = await readFile(new URL("../../src/cli/survey.c", import.meta.url), "utf8");
  const help = cli.match(/--flag F([^]*?)--spontaneous/)[1].split("carries:")[1];
  const flags = [...new Set(help.match(/[a-z]+_[a-z_]+|superseded/g))];
  assert.equal(flags.length, 10);
  for (const flag of flags) assert.ok(`flag.${flag}` in table, flag);
});

const sourcesOf = async (dir) => (await Promise.all((await readdir(dir)).filter((name) => name.endsWith(".c")).map((name) => readFile(new URL(name, dir), "utf8")))).join("\n");

test("every code of an error is told in both languages as its table says", async () => {
  const header = await readFile(new URL("../../include/okno/err.h", import.meta.url), "utf8");
  const rows = [...header.matchAll(/X\((\w+), \d+, \d+, \d+, "([^"]*)", "([^"]*)"\)/g)];
  assert.ok(rows.length > 35);
  for (const [, name, en, ru] of rows) assert.deepEqual(table[`code.${name.toLowerCase()}`], { en, ru }, name);
});

test("sentences of the service that the page says in Russian are those that the service says", async () => {
  const src = new URL("../../src/", import.meta.url);
  const rooms = await Promise.all(["notify/", "base/", "alert/", "registry/", "audit/", "report/", "ledger/", "video/archive/", "video/extract/", "evidence/"].map((room) => sourcesOf(new URL(room, src))));
  const said = rooms.join("\n").replace(/"%" PRId64\s*"/g, "\"{}").replace(/"\s*\n\s*"/g, "").replace(/%(?:\.\d+|\.\*)?(?:ll|l|z)?[sdfu]/g, "{}").replaceAll("\\\"", "\"").replaceAll("({}{}{})", "({})");
  for (const [from] of sentences) assert.ok(said.includes(from), from);
});

test("what the service said is told in Russian by sentence, else by code with the original", () => {
  const error = (code, message, field = null) => ({ status: 400, code, message, field });
  assert.equal(errorText(error("invalid", "k must be from 0 to 1", "k")), "The service said: k must be from 0 to 1");
  setLanguage("ru");
  assert.equal(translated("given up: the receiver is in trouble (502)"), "попытки прекращены: у получателя сбой (502)");
  assert.equal(translated("something new"), "something new");
  assert.equal(translated("10 events of the period of audit nov never came, of B1, B2 and others (`okno device list`): have them sent, or accept it with --accept-unheard REASON"),
    "событий периода не дошло: 10, от устройств B1, B2 and others. Пусть устройства их дошлют, или напишите, почему это не важно");
  assert.equal(errorText(error("unknown_ref", 'to: there is no destination "crew" (import it first)', "to")), "Ответ службы: сообщает: получателя «crew» нет (сначала импортируйте его)");
  assert.equal(errorText(error("invalid", "k must be from 0 to 1", "k")), "Недопустимое значение (поле k). Подробности (по-английски): k must be from 0 to 1");
});

test("plural forms follow the language", () => {
  assert.equal(t("surveys.count", { n: 1 }), "1 survey");
  setLanguage("ru");
  assert.deepEqual([1, 2, 5, 21].map((n) => t("surveys.count", { n })), ["1 опрос", "2 опроса", "5 опросов", "21 опрос"]);
});

test("a key that is not in the table comes back as it is", () => {
  assert.equal(t("no.such.key"), "no.such.key");
});

const press = (key, code, more = {}) => keyName({ key, code, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, ...more });

test("a Latin letter counts by what it says, another by its place", () => {
  assert.equal(press("v", "KeyV"), "v");
  assert.equal(press("м", "KeyV"), "v");
  assert.equal(press("v", "Period"), "v"); // Dvorak
  assert.equal(press("М", "KeyV", { shiftKey: true }), "v");
});

test("punctuation counts by place on a Russian layout", () => {
  assert.equal(press("б", "Comma"), ",");
  assert.equal(press("ю", "Period"), ".");
  assert.equal(press("х", "BracketLeft"), "[");
  assert.equal(press("ъ", "BracketRight"), "]");
  assert.equal(press(".", "Slash"), "");
  assert.equal(press("?", "Digit7", { shiftKey: true }), "?");
});

test("keys with control, alt or meta are left to the browser", () => {
  assert.equal(press("r", "KeyR", { ctrlKey: true }), "");
  assert.equal(press("1", "Digit1", { altKey: true }), "");
});

test("an address gives back what made it", () => {
  const query = { site: "S1", from: "2026-03-01" };
  assert.equal(link("surveys", { query: { ...query, answer: "" } }), "#/surveys?site=S1&from=2026-03-01");
  assert.deepEqual(parseRoute(link("surveys", { id: "D1.0.7/x", query })), { name: "surveys", id: "D1.0.7/x", query });
  assert.deepEqual(parseRoute(""), { name: "", id: "", query: {} });
  assert.equal(parseRoute("#/surveys/%E0%A4%A").id, "%E0%A4%A");
});

test("a moment is told in the site's zone with the zone's name", () => {
  assert.equal(formatWhen("2026-03-10T11:03:20.400Z", "Europe/Moscow"), "10 Mar 2026, 14:03:20 GMT+3");
  assert.match(formatClockMs("2026-03-10T11:03:20.400Z", "UTC"), /^11:03:20[.,]400$/);
});

test("a moment that is missing is a dash", () => {
  assert.equal(formatClockMs(undefined, "UTC"), "–");
  assert.equal(formatWhen(null, "UTC"), "–, – ");
});

test("a local day begins at its own midnight, also when clocks change", () => {
  assert.equal(dayStart("2026-03-10", "Europe/Moscow"), "2026-03-09T21:00:00.000Z");
  assert.equal(dayStart("2026-03-29", "Europe/Berlin"), "2026-03-28T23:00:00.000Z");
  assert.equal(dayStart("2026-03-30", "Europe/Berlin"), "2026-03-29T22:00:00.000Z");
  assert.equal(dayStart("2026-10-26", "Europe/Berlin"), "2026-10-25T23:00:00.000Z");
  assert.equal(localDate("2026-03-09T21:00:00.000Z", "Europe/Moscow"), "2026-03-10");
  assert.equal(localDate("2026-03-09T20:59:59.999Z", "Europe/Moscow"), "2026-03-09");
});

test("time left is shown in whole seconds and never below zero", () => {
  assert.equal(formatLeft(252000), "4:12");
  assert.equal(formatLeft(59001), "1:00");
  assert.equal(formatLeft(-5), "0:00");
});

test("figures have a fixed number of digits, and null is a dash", () => {
  assert.equal(formatIndex(0.21), "0.210");
  assert.equal(formatIndex(-0.0102740), "−0.010");
  assert.equal(formatIndex(null), "–");
  setLanguage("ru");
  assert.equal(formatShare(0.1234), "12,3 %");
});

test("a period of whole local days shows days, another one its times and their zone", () => {
  const zone = "Europe/Moscow";
  assert.equal(formatPeriod("2026-02-28T21:00:00Z", "2026-03-31T21:00:00Z", zone), "1 Mar 2026 – 31 Mar 2026");
  assert.equal(formatPeriod("2026-03-09T21:00:00Z", "2026-03-10T21:00:00Z", zone), "10 Mar 2026");
  assert.equal(formatPeriod("2026-03-10T07:00:00Z", "2026-03-10T07:30:00Z", zone), "10 Mar 2026, 10:00:00 – 10:30:00 GMT+3");
  assert.equal(formatPeriod("2026-03-09T21:00:00Z", "2026-03-11T07:30:00Z", zone),
    "10 Mar 2026, 00:00:00 GMT+3 – 11 Mar 2026, 10:30:00 GMT+3");
});

test("a step of an audit is told in the page's language, what people wrote as they wrote it", () => {
  const plan = { invalid: "none", k: "0.5", level: "0.95", looks: 1, show_answer: false, size: 24, silent: "sampled" };
  assert.equal(stepText(plan), "an invalid rating counts as none · k 0.5 · level 0.95 · intervals looked at 1 · size 24 · silent surveys sampled");
  setLanguage("ru");
  assert.equal(stepText(plan),
    "недействительная оценка считается как отсутствующая · k 0,5 · доверительный уровень 0,95 · рассматриваемых интервалов 1 · объём 24 · молчуны в выборке");
  assert.equal(stepText({ how: "none", witnesses: "", seed: "0.5" }), "как none · зерно 0.5");
  assert.equal(stepText("20 dice"), "20 dice");
  assert.equal(stepText({ how: "beacon of the day 2026-03-10" }), "как маяк дня 2026-03-10");
  assert.deepEqual(stepFacts({ plan: { size: 24, one_person: true } }), [["объём", "24"], ["один человек ведёт и проверяет", ""]]);
  assert.deepEqual(stepFacts("20 dice"), []);
});
