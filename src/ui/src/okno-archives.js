// Archives and cameras: who answers, what waits and what may be lost, whose clock is right, which camera has to
// be commissioned. Trouble stands first.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { zoneOf } from "./filters.js";
import { formatBytes, formatNumber, formatOffset, formatOffsetWithin } from "./format.js";
import { has, t } from "./i18n.js";
import { link } from "./router.js";
import { formatWhen } from "./time.js";
import { newArchive } from "./okno-archive-form.js";
import { newCamera } from "./okno-camera-form.js";
import "./okno-clock.js";
import "./okno-notice.js";

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

class OknoArchives extends PageElement {
  static refreshMs = 10000;
  static properties = { archives: { state: true }, cameras: { state: true }, disk: { state: true }, sites: { state: true }, kinds: { state: true }, editing: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 80rem; margin: 0 auto; align-content: start; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th { text-align: left; font-size: .75rem; font-weight: 600; color: var(--muted); }
    th, td { padding: .375rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
    .note { font-size: .75rem; color: var(--muted); overflow-wrap: anywhere; }
    .ok { color: var(--valid); } .warn { color: var(--amber); } .bad { color: var(--invalid); }
    h2 { font-size: .875rem; }
    .disk { margin: 0; }
    .wait { height: 10rem; }
    .do { display: flex; flex-wrap: wrap; gap: .5rem; }
    @media (max-width: 40rem) {
      table, tbody, tr, td { display: block; }
      thead { position: absolute; clip-path: inset(50%); height: 1px; width: 1px; overflow: hidden; }
      td { border-bottom: 0; padding: .25rem .75rem; }
      td[data-name]::before { content: attr(data-name) ": "; font-size: .75rem; color: var(--muted); }
      tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
    }
  `];

  async load() {
    const [{ archives, cameras, disk, kinds }, { sites }] = await Promise.all([get("archives"), get("sites")]);
    const trouble = (one) => Number(one.failures > 0) * 4 + Number(one.at_risk + one.overdue > 0) * 2 + Number(one.lost > 0);
    return () => {
      this.archives = archives.toSorted((one, other) => trouble(other) - trouble(one));
      this.cameras = cameras.toSorted((one, other) => Number(other.due !== "") - Number(one.due !== ""));
      this.disk = disk;
      this.kinds = kinds;
      this.sites = sites;
    };
  }

  /** The form that is open, where its row stands or new ones begin. */
  renderForm(noun, row) {
    const done = () => { this.editing = null; };
    const saved = () => { done(); this.reload(); };
    if (this.editing?.noun !== noun || this.editing.row[noun] !== (row?.[noun] ?? "")) return nothing;
    return noun === "archive"
      ? html`<okno-archive-form .row=${this.editing.row} .kinds=${this.kinds} .channel=${this.cameras.find(({ archive }) => archive === row?.archive)?.channel} @row-closed=${done} @row-saved=${saved}></okno-archive-form>`
      : html`<okno-camera-form .row=${this.editing.row} .sites=${this.sites} .archives=${this.archives.map(({ archive }) => archive).toSorted()} @row-closed=${done} @row-saved=${saved}></okno-camera-form>`;
  }

  renderEdit(noun, row) {
    return html`<button class="quiet" aria-label=${`${t(`${noun}s.edit`)} ${row[noun]}`} @click=${() => { this.editing = { noun, row }; }}>${t("alerts.edit")}</button>`;
  }

  renderNew() {
    const archives = this.archives.map(({ archive }) => archive).toSorted();
    return html`<div class="do"><button class="add-archive" @click=${() => { this.editing = { noun: "archive", row: newArchive() }; }}>${t("archives.add")}</button>
      ${archives.length > 0 && this.sites.length > 0 ? html`<button class="add-camera" @click=${() => { this.editing = { noun: "camera", row: newCamera(this.sites, archives) }; }}>${t("cameras.add")}</button>` : nothing}</div>
      ${this.renderForm("archive")}${this.renderForm("camera")}`;
  }

  renderState(one) {
    const tone = one.failures > 0 || (one.failing && one.state !== "paused") ? "bad" : one.state === "paused" ? "warn" : one.state === "unasked" ? "unasked" : "ok";
    const key = `archive.${one.state}`;
    return html`<div class=${tone}><b aria-hidden="true">${{ ok: "✓", warn: "…", unasked: "?", bad: "!" }[tone]}</b> ${t(has(key) ? key : "archive.failed")}</div>
      ${one.down_since ? html`<div class="note">${t("archives.since", { when: formatWhen(one.down_since, browserZone), n: one.failures })}</div>` : nothing}
      ${one.failures > 0 && one.message ? html`<div class="note">${one.message}</div>` : nothing}
      ${one.failures === 0 && one.failed_at ? html`<div class="note">${t("archives.failed", { when: formatWhen(one.failed_at, browserZone), why: one.message })}</div>` : nothing}
      ${one.off_until ? html`<div class="note">${t("archives.off_until", { when: formatWhen(one.off_until, browserZone) })}</div>` : nothing}`;
  }

  renderRead(one) {
    return one.bytes_read_day ? html`<div class="note num">${t("archives.read", { read: formatBytes(one.bytes_read_day), rate: formatNumber(one.bytes_read_day * 8 / 86400 / 1e3, 1), kept: formatBytes(one.bytes_kept_day) })}</div>` : nothing;
  }

  renderWork(one) {
    if (one.waiting + one.running === 0) return html`<span class="note">${t("archives.nothing")}</span>${this.renderRead(one)}`;
    return html`<div class="num">${t("archives.waiting", { n: formatNumber(one.waiting), running: formatNumber(one.running) })}</div>
      ${one.next_try_at ? html`<div class="note num">${t("archives.next", { when: formatWhen(one.next_try_at, browserZone) })}</div>` : nothing}
      ${one.done_at ? html`<div class="note num">${t("archives.done", { when: formatWhen(one.done_at, browserZone) })}</div>` : nothing}${this.renderRead(one)}`;
  }

  /** How long the disk lasts, in the words of `okno doctor`. */
  renderDisk({ evidence_bytes: bytes, bytes_per_day: daily, free_bytes: free, days_left: days, steady_bytes: steady }) {
    const soon = days !== null && days < 30;
    return html`<p class="disk num ${soon ? "warn" : ""}">${t("archives.disk", { bytes: formatBytes(bytes), daily: formatBytes(daily), free: formatBytes(free) })}
      ${days !== null ? t("archives.disk_days", { n: formatNumber(days) }) : t(steady !== null ? "archives.disk_rule" : "archives.disk_lasts")}${soon ? html` ${t("archives.disk_next")}` : nothing}</p>`;
  }

  renderRisk(one) {
    return html`
      ${one.at_risk + one.overdue > 0 ? html`<div class="bad num">${t("archives.at_risk", { n: formatNumber(one.at_risk), overdue: formatNumber(one.overdue) })}</div>` : nothing}
      ${one.lost_at ? html`<div class="note num">${t("archives.lost_at", { when: formatWhen(one.lost_at, browserZone) })}</div>` : nothing}
      ${one.lost ? html`<div class="warn num">${t("archives.lost", { n: formatNumber(one.lost) })}
        <a href="/api/v1/archives/${encodeURIComponent(one.archive)}/losses.csv" download>${t("archives.losses")}</a></div>` : nothing}
      ${one.at_risk + one.overdue + one.lost === 0 && !one.lost_at ? "–" : nothing}`;
  }

  renderClock(clock, look) {
    const key = clock ? `method.${clock.method}` : "";
    return html`
      ${clock ? html`<span class="num">${formatOffsetWithin(clock.offset_ms, clock.uncertainty_ms)}</span>
        <div class="note num">${has(key) ? t(key) : clock.method}, ${formatWhen(clock.at, browserZone)}</div>` : html`<span class="note">${t("devices.unmeasured")}</span>`}
      ${look?.finding === "jumped" ? html`<div class="warn">${t("device.clock_jump")}</div>` : nothing}
      ${look?.code && look.code !== "unsupported" ? html`<div class="note">${t("archives.not_looked", { why: look.message })}</div>` : nothing}`;
  }

  /** The clock that a camera's recordings are asked by, and whose it is. */
  renderInForce({ archive, in_force: clock }) {
    if (!clock.of) return html`<span class="note">${t("clock.of_nobody", { unsure: formatNumber(clock.uncertainty_ms / 1000, 1) })}</span>`;
    const hidden = clock.of === "camera" && clock.archive_ms !== null;
    return html`<span class="num">${formatOffsetWithin(clock.offset_ms, clock.uncertainty_ms)}</span>
      <div class="note">${t(`clock.of_${clock.of}`, { archive })}</div>
      ${hidden ? html`<div class=${clock.hides ? "warn" : "note"}>${t("clock.hides", { archive, said: formatOffset(clock.archive_ms) })}</div>` : nothing}`;
  }

  renderArchive(one) {
    return html`<tr><td><b>${one.archive}</b> ${this.renderEdit("archive", one.row)}<div class="note">${one.row.kind}</div>${one.sessions ? html`<div class="note">${t("archives.sessions", { n: one.sessions })}</div>` : nothing}</td>
      <td>${this.renderState(one)}</td><td>${this.renderWork(one)}</td><td data-name=${t("archives.risk")}>${this.renderRisk(one)}</td><td>${this.renderClock(one.clock, one.look)}<okno-clock noun="archive" .id=${one.archive} .looked=${one.look?.at}></okno-clock></td></tr>
      ${this.editing?.noun === "archive" && this.editing.row.archive === one.archive ? html`<tr><td colspan="5">${this.renderForm("archive", one.row)}</td></tr>` : nothing}`;
  }

  renderCamera(one) {
    const { commissioned: done } = one;
    const zone = zoneOf(this.sites, one.site);
    return html`<tr><td><b>${one.camera}</b> ${this.renderEdit("camera", one)}<div class="note">${one.archive} · ${one.channel}</div>
        <okno-archive-test .body=${() => ({ archive: one.archive })} .channel=${one.channel} @archive-tried=${this.refresh}></okno-archive-test></td>
      <td>${one.due ? html`<div class="warn"><b aria-hidden="true">!</b> ${t(`due.${one.due}`)}</div>` : html`<div class="ok"><b aria-hidden="true">✓</b> ${t("due.no")}</div>`}
        ${done ? html`<div class="note num">${formatWhen(done.made_at, zone)}, ${done.author}${done.survey ? html` · <a href=${link("surveys", { id: done.survey })}>${done.survey}</a>` : nothing}</div>
          <div class="note">${[done.codec, done.width ? `${done.width}×${done.height}` : "", done.rights].filter(Boolean).join(" · ")}</div>` : nothing}</td>
      <td class="num" data-name=${t("archives.index_error")}>${done ? formatOffset(done.error_ms) : "–"}</td>
      <td>${this.renderInForce(one)}<okno-clock noun="camera" .id=${one.camera} .zone=${zone} @accepted=${this.reload}></okno-clock></td></tr>
      ${this.editing?.noun === "camera" && this.editing.row.camera === one.camera ? html`<tr><td colspan="4">${this.renderForm("camera", one)}</td></tr>` : nothing}`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.archives) return html`<div class="skeleton wait"></div>`;
    if (this.archives.length === 0) return html`<okno-notice .heading=${t("archives.empty")} .text=${t("archives.empty_next")}></okno-notice>${this.renderNew()}`;
    const head = (names) => html`<thead><tr>${names.map((name) => html`<th scope="col">${t(`archives.${name}`)}</th>`)}</tr></thead>`;
    return html`
      <h1>${t("nav.archives")}</h1>
      ${this.renderDisk(this.disk)}
      ${this.renderNew()}
      <div class="card scroll"><table>${head(["archive", "state", "work", "risk", "clock"])}<tbody>${this.archives.map((one) => this.renderArchive(one))}</tbody></table></div>
      <h2>${t("archives.cameras")}</h2><p class="note">${t("archives.how")}</p>
      <div class="card scroll"><table>${head(["camera", "commissioned", "index_error", "clock"])}<tbody>${this.cameras.map((one) => this.renderCamera(one))}</tbody></table></div>`;
  }
}
customElements.define("okno-archives", OknoArchives);
