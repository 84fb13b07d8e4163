// CS1, the draw, once more in the onlooker's browser: Rivest's consistent_sampler from the published
// description, on the frozen lines and the seed alone. Nothing here asks the service.

const encoder = new TextEncoder();

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The SHA-256 of a text, as hex. */
export const hashText = async (text) => hex(await sha256(encoder.encode(text)));

/** Browsers hash only for pages that came by a safe way. */
export const canHash = () => globalThis.crypto?.subtle !== undefined;

/** The ticket of an id: "0." and the reversed decimal digits of SHA-256(hex(SHA-256(seed)) + id). */
async function ticket(seedHash, id) {
  const digits = BigInt(`0x${hex(await sha256(encoder.encode(seedHash + id)))}`).toString().padStart(64, "0");
  return `0.${[...digits].reverse().join("")}`;
}

const byText = (a, b) => (a.ticket < b.ticket ? -1 : a.ticket > b.ticket ? 1 : a.survey < b.survey ? -1 : 1);

/** All surveys of the frozen lines with their tickets, in the order of the seed. */
export async function order(lines, seed, onProgress = () => {}) {
  const rows = lines.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  const seedHash = await hashText(seed);
  const found = [];
  for (let at = 0; at < rows.length; at += 1000) {
    const part = rows.slice(at, at + 1000);
    found.push(...await Promise.all(part.map(async ({ survey, stratum }) => ({ survey, stratum, ticket: await ticket(seedHash, survey) }))));
    onProgress(found.length, rows.length);
  }
  return found.sort(byText);
}

/** How many of the sample are what the order gives: the first ones, of each stratum where there are strata. */
export function countSame(ordered, sample, strata) {
  const keyOf = (row) => (strata ? row.stratum : "");
  const wanted = new Map();
  for (const row of sample) wanted.set(keyOf(row), (wanted.get(keyOf(row)) ?? 0) + 1);
  const drawn = new Set();
  const taken = new Map();
  for (const row of ordered) {
    const key = keyOf(row);
    const rank = (taken.get(key) ?? 0) + 1;
    taken.set(key, rank);
    if (rank <= (wanted.get(key) ?? 0)) drawn.add(`${row.survey} ${row.ticket} ${rank}`);
  }
  return sample.filter((row) => drawn.has(`${row.survey} ${row.ticket} ${row.rank}`)).length;
}
