// Devices in the field: who is heard of, whose clock is right, what never came. Trouble stands first.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get, post, serviceNow } from "./api.js";
import { errorText } from "./errors.js";
import { zoneOf } from "./filters.js";
import { formatNumber, formatOffsetWithin } from "./format.js";
import { named, t } from "./i18n.js";
import { formatAge, formatWhen } from "./time.js";
import "./okno-connect.js";
import "./okno-notice.js";

const order = ["clock_suspect", "clock_jump", "quiet", "never", "ok"];

/** What never came cannot be well. */
const stateOf = ({ state, last_arrival_at: heard }) => (state === "ok" && !heard ? "never" : state);
const freshMs = 150000; // a browser that runs reports once a minute
const signs = { ok: "✓", quiet: "…", never: "…", clock_jump: "!", clock_suspect: "!" };

class OknoDevices extends PageElement {
  static refreshMs = 10000;
  static properties = { devices: { state: true }, sites: { state: true }, panels: { state: true }, codes: { state: true }, connecting: { state: true } };

  static styles = [PageElement.styles, css`
    :host { padding: 1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; max-width: 80rem; margin: 0 auto; align-content: start; }
    .scroll { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; }
    th { text-align: left; font-size: .75rem; font-weight: 600; color: var(--muted); }
    th, td { padding: .375rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
    td.number, th:last-child { text-align: right; }
    .note { font-size: .75rem; color: var(--muted); }
    .ok { color: var(--valid); } .quiet, .clock_jump { color: var(--amber); } .clock_suspect { color: var(--invalid); }
    .wait { height: 10rem; }
    .top { display: flex; justify-content: space-between; align-items: center; gap: 1rem; }
    .acts { display: flex; flex-wrap: wrap; gap: .5rem; margin: .25rem 0; }
    .acts button, .codes li button { min-height: 1.75rem; padding: .125rem .5rem; font-size: .8125rem; }
    .codes { padding: .75rem 1rem 1rem; display: grid; gap: .5rem; }
    .codes li { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
    .codes form { display: flex; flex-wrap: wrap; align-items: end; gap: .5rem; }
    code { font-size: .75rem; color: var(--muted); }
  `];

  async load() {
    const [{ devices }, { sites }, { panels }, { codes }] = await Promise.all([get("devices"), get("sites"), get("panels"), get("qr")]);
    const sorted = devices.toSorted((one, other) => order.indexOf(stateOf(one)) - order.indexOf(stateOf(other)));
    return () => { Object.assign(this, { devices: sorted, sites, panels, codes }); };
  }

  /** The zone of the site where the device stands. */
  zoneFor({ point }) {
    const site = this.sites.find(({ points }) => points.some((one) => one.point === point));
    return zoneOf(this.sites, site?.site);
  }

  renderState(device, zone) {
    const { alerts, unheard_since: since, last_arrival_at: heard } = device;
    const all = alerts.length > 0 ? alerts : [stateOf(device)];
    return html`${all.map((name) => html`<div class=${name}><b aria-hidden="true">${signs[name]}</b> ${named("device", name)}</div>`)}
      ${since ? html`<div class="note">${t(heard ? "devices.since" : "devices.never", { when: formatWhen(since, zone) })}</div>` : nothing}`;
  }

  renderClock({ offset_ms: offset, uncertainty_ms: unsure, measured_at: measured }, zone) {
    if (!measured) return t("devices.unmeasured");
    return html`${formatOffsetWithin(offset, unsure)}
      <div class="note">${formatWhen(measured, zone)}</div>`;
  }

  /** What a browser says of its queue, and what can be done about it. */
  renderPanel(device, zone) {
    const panel = this.panels.find((one) => one.device === device.device);
    if (!panel) return nothing;
    const { state } = panel;
    return html`
      ${state ? html`<div class=${state.queued ? "quiet" : "note"}>${t("panel.queued", { n: state.queued })}${state.oldest_at ? html` <span class="note">${t("devices.since", { when: formatWhen(state.oldest_at, zone) })}</span>` : nothing}</div>
        ${state.refused ? html`<div class="clock_suspect"><b aria-hidden="true">!</b> ${t("panel.refused", { n: state.refused })}</div>` : nothing}
        ${this.renderTold(state.at, zone)}` : nothing}
      ${panel.invited_until ? html`<div class="note">${t("panel.invited", { when: formatWhen(panel.invited_until, zone) })}</div>` : nothing}
      ${panel.tokens ? nothing : html`<div class="note">${t("panel.off")}</div>`}
      <div class="acts"><button @click=${() => { this.connecting = panel; }}>${t("panel.again")}</button>
        ${panel.tokens ? html`<button @click=${() => this.revoke(panel)}>${t("panel.revoke")}</button>` : nothing}</div>`;
  }

  renderTold(at, zone) {
    const age = Math.max(0, serviceNow() - Date.parse(at));
    const long = age > freshMs;
    return html`<div class=${long ? "note quiet" : "note"}>${t(long ? "panel.told_long_ago" : "panel.told", { when: formatWhen(at, zone), age: formatAge(age) })}</div>`;
  }

  async act(work) {
    try {
      await work();
      await this.reload();
    } catch (error) {
      this.emit("toast", { text: errorText(error), tone: "red" });
    }
  }

  async revoke({ device, point, role, label }) {
    await this.act(() => post(`panels/${encodeURIComponent(device)}/revoke`));
    this.emit("toast", { text: t("panel.revoked", { device }), tone: "amber" });
    this.connecting = { device, point, role, label };
  }

  renderCodes() {
    const standing = this.codes.filter(({ revoked_at: revoked }) => !revoked);
    const points = this.sites.flatMap(({ site, name, points: own }) => own.map(({ point, name: desk }) => ({ point, site, text: `${name}, ${desk}` })));
    const placeOf = (id) => points.find(({ point }) => point === id)?.text ?? id;
    const add = (event) => {
      event.preventDefault();
      this.act(() => post("qr", { point: event.target.elements.point.value }));
    };
    return html`<section class="card codes"><h2>${t("qr.title")}</h2><p class="note">${t("qr.about")}</p>
      <ul>${standing.map(({ code, point, print }) => html`<li><span>${placeOf(point)}</span> <code>${code}</code>
        <a href=${print} target="_blank" rel="noopener">${t("qr.print")}</a>
        <button @click=${() => this.act(() => post(`qr/${code}/revoke`))}>${t("qr.revoke")}</button></li>`)}</ul>
      <form @submit=${add}><label>${t("filter.point")} <select name="point">${points.map(({ point, text }) => html`<option value=${point}>${text}</option>`)}</select></label>
        <button ?disabled=${points.length === 0}>${t("qr.add")}</button></form></section>`;
  }

  renderTop() {
    return html`<div class="top"><h1>${t("nav.devices")}</h1><button class="primary" @click=${() => { this.connecting = {}; }}>${t("panel.add")}</button></div>
      ${this.connecting ? html`<okno-connect .sites=${this.sites} .panel=${this.connecting} @connect-close=${() => { this.connecting = null; this.reload(); }}></okno-connect>` : nothing}`;
  }

  renderRow(device) {
    const zone = this.zoneFor(device);
    return html`
      <tr>
        <td><b>${device.device}</b><div class="note">${device.point ?? t("devices.unpaired")}</div></td>
        <td>${this.renderState(device, zone)}${this.renderPanel(device, zone)}</td>
        <td class="num">${whenOrDash(device.last_event_at, zone)}</td>
        <td class="num">${whenOrDash(device.last_arrival_at, zone)}</td>
        <td class="num">${this.renderClock(device, zone)}</td>
        <td class="num number">${formatNumber(device.missing)}${device.first_missing ? html`<div class="note">${t("devices.first", { id: device.first_missing })}</div>` : nothing}</td>
      </tr>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.devices) return html`<div class="skeleton wait"></div>`;
    if (this.devices.length === 0) return html`${this.renderTop()}<okno-notice .heading=${t("devices.empty")} .text=${t("devices.empty_next")}></okno-notice>${this.renderCodes()}`;
    const head = ["device", "state", "event", "arrival", "clock", "missing"];
    return html`
      ${this.renderTop()}
      <div class="card scroll"><table>
        <thead><tr>${head.map((name) => html`<th scope="col">${t(`devices.${name}`)}</th>`)}</tr></thead>
        <tbody>${this.devices.map((device) => this.renderRow(device))}</tbody>
      </table></div>
      ${this.renderCodes()}`;
  }
}

const whenOrDash = (at, zone) => (at ? formatWhen(at, zone) : "–");

customElements.define("okno-devices", OknoDevices);
