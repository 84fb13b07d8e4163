// A real service of its own with one shop, for tests that stop and start it.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const program = join(process.env.OKNO_BUILD ?? "build", "okno");
const run = promisify(execFile);

const tables = {
  sites: "site,name,time_zone\nS1,Riverside Mall,Europe/Moscow\n",
  points: "point,site,name\nP1,S1,Till 1\nP2,S1,Till 2\nP3,S1,Till 3\n",
  questions: "question,point,from,kind,text,window_s\nQ1,P1,2026-01-01T00:00:00Z,personnel,Довольны ли вы тем как вас обслужили?,15\n" +
    "Q2,P2,2026-01-01T00:00:00Z,personnel,Were you pleased with how you were served?,3\n" +
    "Q3,P3,2026-01-01T00:00:00Z,personnel,Довольны ли вы?,15\n",
};

export class Service {
  /** A data directory with the shop, and the service on it. */
  static async start() {
    const service = new Service();
    service.dir = await mkdtemp(join(tmpdir(), "okno-panel-"));
    service.data = join(service.dir, "data");
    await service.okno("init");
    for (const [kind, text] of Object.entries(tables)) {
      const file = join(service.dir, `${kind}.csv`);
      await writeFile(file, text);
      await service.okno("import", kind, file);
    }
    await service.up();
    return service;
  }

  async okno(...args) {
    return (await run(program, ["--data", this.data, ...args])).stdout;
  }

  /** Start it, on the port it had before: a connection of somebody else's may have that for a moment. */
  async up() {
    for (let tries = 1; ; tries++) {
      try {
        return await this.launch();
      } catch (error) {
        if (tries === 10 || !/is taken by another program/.test(String(error))) throw error;
        await new Promise((resolve) => { setTimeout(resolve, 1000); });
      }
    }
  }

  async launch() {
    const file = join(this.dir, "port");
    await rm(file, { force: true });
    this.process = spawn(program, ["--data", this.data, "serve", "--listen", `127.0.0.1:${this.port ?? 0}`, "--port-file", file], { stdio: ["ignore", "ignore", "pipe"] });
    this.log = "";
    const ready = new Promise((resolve, reject) => {
      this.process.stderr.on("data", (text) => {
        this.log += text;
        if (this.log.includes("listening on")) resolve();
      });
      this.process.once("exit", () => reject(new Error(`the service does not start: ${this.log}`)));
    });
    await ready;
    this.port ??= Number(await readFile(file, "utf8"));
    this.url = `http://127.0.0.1:${this.port}`;
  }

  get running() { return this.process.exitCode === null && this.process.signalCode === null; }

  /** Up again, if it is down. */
  async back() {
    if (!this.running) await this.up();
  }

  async down(signal = "SIGTERM") {
    if (!this.running) return;
    const gone = once(this.process, "exit");
    this.process.kill(signal);
    await gone;
  }

  async close() {
    await this.down();
    await rm(this.dir, { recursive: true });
  }

  /** The link that makes a browser this device. */
  async invite(device, point, role) {
    const { code } = JSON.parse(await this.okno("panel", "add", "--device", device, "--point", point, "--role", role, "--json"));
    return `${this.url}/panel#${code}`;
  }

  /** Rows of a query, read beside the running service. */
  async rows(sql) {
    const { stdout } = await run("sqlite3", ["-cmd", ".timeout 10000", "-json", join(this.data, "okno.db"), sql]);
    return stdout ? JSON.parse(stdout) : [];
  }

  /** Ask until the rows are as wanted; what is seen last is told otherwise. */
  async wait(sql, wanted, patienceMs = 20000) {
    const end = Date.now() + patienceMs;
    for (;;) {
      const seen = JSON.stringify(await this.rows(sql));
      if (seen === JSON.stringify(wanted)) return;
      if (Date.now() > end) throw new Error(`waited in vain for ${JSON.stringify(wanted)}, there is ${seen}`);
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
  }
}
