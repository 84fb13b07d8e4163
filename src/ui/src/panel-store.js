// What a panel keeps: who it is, what it was last told, and the events that were not acknowledged yet.
// A running number is taken and its event kept in one transaction, so that none is used twice. Where the
// browser refuses to store, the same works in memory, and the page says so.

const names = ["facts", "queue", "refused"];

const asked = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const finished = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("not stored"));
});

function openDatabase() {
  const request = indexedDB.open("okno-panel", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("facts");
    for (const name of ["queue", "refused"]) request.result.createObjectStore(name, { keyPath: "n", autoIncrement: true });
  };
  return asked(request);
}

/** The same over a database: work(stores) runs in one transaction. */
class Disk {
  constructor(db) {
    this.db = db;
    this.kept = true;
  }

  async run(mode, work) {
    const transaction = this.db.transaction(names, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
    const done = finished(transaction);
    done.catch(() => {}); // told below
    const stores = Object.fromEntries(names.map((name) => [name, wrap(transaction.objectStore(name))]));
    const result = await work(stores);
    await done;
    return result;
  }
}

const wrap = (store) => ({
  get: (key) => asked(store.get(key)),
  put: (value, key) => asked(key === undefined ? store.put(value) : store.put(value, key)),
  remove: (key) => asked(store.delete(key)),
  all: (limit) => asked(store.getAll(null, limit)),
  count: () => asked(store.count()),
});

/** In memory; transactions one after the other. */
class Memory {
  constructor() {
    this.kept = false;
    this.next = 1;
    this.maps = Object.fromEntries(names.map((name) => [name, new Map()]));
    this.last = Promise.resolve();
  }

  run(mode, work) {
    const stores = Object.fromEntries(names.map((name) => [name, this.store(this.maps[name])]));
    return (this.last = this.last.catch(() => {}).then(() => work(stores)));
  }

  store(map) {
    return {
      get: async (key) => map.get(key),
      put: async (value, key) => {
        const at = key ?? value.n ?? this.next++;
        map.set(at, key === undefined ? { ...value, n: at } : value);
      },
      remove: async (key) => map.delete(key),
      all: async (limit) => [...map.values()].slice(0, limit),
      count: async () => map.size,
    };
  }
}

export class PanelStore {
  constructor(place) {
    this.place = place;
  }

  static async open() {
    try {
      const store = new PanelStore(new Disk(await openDatabase()));
      await store.counts();
      navigator.storage?.persist?.().catch(() => {});
      return store;
    } catch {
      return new PanelStore(new Memory());
    }
  }

  get kept() { return this.place.kept; }

  fact(name) { return this.place.run("readonly", ({ facts }) => facts.get(name)); }

  setFact(name, value) { return this.place.run("readwrite", ({ facts }) => facts.put(value, name)); }

  /** From now on events get numbers of this boot. */
  setAccess({ device, token, boot }) { return this.setFact("access", { device, token, boot, seq: 0 }); }

  /** Keep an event under the next number; resolves when it is kept. fields: {time, kind} or {time, duration_ms}. */
  add(fields) {
    return this.place.run("readwrite", async ({ facts, queue }) => {
      const access = await facts.get("access");
      if (!access) throw new Error("not paired");
      const next = { ...access, seq: access.seq + 1 };
      await facts.put(next, "access");
      await queue.put({ device: next.device, boot: next.boot, seq: next.seq, ...fields });
      return { device: next.device, boot: next.boot, seq: next.seq };
    });
  }

  /** The oldest events of the device, in order. Those of another device stay until it is paired again. */
  take(device, limit) {
    return this.place.run("readonly", async ({ queue }) => (await queue.all()).filter((one) => one.device === device).slice(0, limit));
  }

  remove(rows) {
    return this.place.run("readwrite", async ({ queue }) => { for (const { n } of rows) await queue.remove(n); });
  }

  /** Out of the way of the others, kept for people to look at. */
  refuse(row, why) {
    return this.place.run("readwrite", async ({ queue, refused }) => {
      await refused.put({ ...row, why });
      await queue.remove(row.n);
    });
  }

  /** Numbers that somebody else used (a copied profile): the events get numbers of a new boot. */
  renumber(rows, boot) {
    return this.place.run("readwrite", async ({ facts, queue }) => {
      const access = await facts.get("access");
      const next = { ...access, boot, seq: access.boot === boot ? access.seq : 0 };
      for (const row of rows) await queue.put({ ...row, boot, seq: ++next.seq });
      await facts.put(next, "access");
    });
  }

  counts() {
    return this.place.run("readonly", async ({ queue, refused }) => {
      const [oldest] = await queue.all(1);
      return { queued: await queue.count(), refused: await refused.count(), oldest: oldest?.time ?? null };
    });
  }
}
