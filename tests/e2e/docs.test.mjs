// Every command of okno that the guides print exists, with its words and options as the help tells them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const okno = process.env.OKNO ?? join(root, "build/okno");
const guides = ["README.md", "README.ru.md", "SECURITY.md", ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

const said = new Map();
/** What a command prints, "" when it is refused; asked once. */
function output(...args) {
  const key = args.join(" ");
  if (!said.has(key)) {
    try {
      said.set(key, execFileSync(okno, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    } catch {
      said.set(key, "");
    }
  }
  return said.get(key);
}

/** Commands in blocks (indented or fenced), continued lines as one, and between backticks. */
function commandsIn(text) {
  const whole = text.replace(/\\\n\s*/gu, " ");
  const found = [];
  let fenced = false;
  for (const line of whole.split("\n")) {
    if (/^\s*```/u.test(line)) fenced = !fenced;
    const command = /^\s*(?:\$ )?(?:sudo (?:-u \S+ )?)?(okno .*)$/u.exec(line)?.[1];
    if (command && (fenced || line.startsWith("    "))) found.push(command);
  }
  for (const [, command] of whole.replace(/^\s*```[\s\S]*?^\s*```/gmu, "").matchAll(/`(okno\s[^`]+)`/gu)) found.push(command);
  return found;
}

/** What is wrong with a command; "" when nothing is. */
function fault(command) {
  const bare = command.replace(/\s(?:#|\||>|&&|;|<).*$/su, "").replace(/ {3,}.*$/u, "").replace(/'[^']*'|"[^"]*"/gu, "QUOTED");
  const words = bare.split(/\s+/u).slice(1);
  while (["--data", "--config"].includes(words[0])) words.splice(0, 2);
  const [name, verb] = words;
  if (!name || !/^[a-z]/u.test(name)) return "";
  const help = output(name, "--help");
  if (!help) return `there is no command ${name}`;
  const verbs = [...help.matchAll(new RegExp(`okno ${name} ([a-z][a-z|-]*)`, "gu"))].flatMap(([, one]) => one.split("|"));
  const takesOther = new RegExp(`okno ${name} (?:[A-Z]|\\[?-)`, "u").test(help);
  const kind = name === "import" && output("import", "--kinds").split("\n").some((line) => line.split(/[\s:]/u)[0] === verb);
  if (/^[a-z]+$/u.test(verb ?? "") && !kind && !verbs.includes(verb) && (name === "import" || (verbs.length && !takesOther)))
    return `${name} has no ${verb}`;
  const options = words.filter((word) => /^\[?--?[a-z]/u.test(word)).map((word) => word.replace(/[^a-z-]/gu, ""));
  const unknown = options.find((option) => option !== "--help" && !new RegExp(`(?<![\\w-])${option}(?![\\w-])`, "u").test(help));
  return unknown ? `${name} has no option ${unknown}` : "";
}

test("a command that does not exist is noticed", () => {
  assert.equal(fault("okno audit plan march --size 120"), "");
  assert.equal(fault("okno adit plan march"), "there is no command adit");
  assert.equal(fault("okno audit plant march"), "audit has no plant");
  assert.equal(fault("okno audit plan march --sise 120"), "audit has no option --sise");
  assert.equal(fault("okno import cows cows.csv"), "import has no cows");
  assert.deepEqual(commandsIn("```\nokno a \\\n  --b\n```\nokno is\n\n    okno c\nSay `okno d\ne`."), ["okno a  --b", "okno c", "okno d\ne"]);
});

for (const guide of guides) {
  test(`the commands of ${guide} exist`, () => {
    const commands = commandsIn(readFileSync(join(root, guide), "utf8"));
    assert.deepEqual(commands.map((command) => [command, fault(command)]).filter(([, wrong]) => wrong), []);
  });
}

test("the guides have commands to check", () => {
  const all = guides.flatMap((guide) => commandsIn(readFileSync(join(root, guide), "utf8")));
  assert.ok(all.length > 100, `${all.length} commands`);
});
