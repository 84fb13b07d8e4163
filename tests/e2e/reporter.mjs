// One line a test file, "passed failed name", as tools/count-tests adds them up.
import { relative } from "node:path";

const isFile = (data) => data.name.endsWith(".mjs");
const isSuite = (data) => data.details?.type === "suite";

export default async function* reporter(events) {
  const counts = new Map();
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    if (isSuite(data) || (isFile(data) && type === "test:pass")) continue;
    const name = relative(process.cwd(), (data.file ?? data.name).replace("file://", "")); // node 18: an address
    const count = counts.get(name) ?? { passed: 0, failed: 0, file: 0 };
    if (isFile(data)) count.file = 1; // the file as a whole failed: counts only when no test in it did
    else count[type === "test:pass" ? "passed" : "failed"]++;
    counts.set(name, count);
  }
  for (const [name, { passed, failed, file }] of counts) yield `${passed} ${failed || file} ${name}\n`;
}
