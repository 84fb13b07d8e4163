// Devices in the field: who is heard of, whose clock is right, what never came. Trouble stands first.
import { css, html, nothing } from "lit";
import { PageElement } from "./page-element.js";
import { get } from "./api.js";
import { zoneOf } from "./filters.js";
import { formatNumber } from "./format.js";
import { named, t } from "./i18n.js";
import { formatWhen } from "./time.js";
import "./okno-notice.js";

const order = ["clock_suspect", "clock_jump", "quiet", "ok"];
const signs = { ok: "✓", quiet: "…", clock_jump: "!", clock_suspect: "!" };

class OknoDevices extends PageElement {
  static properties = { devices: { state: true }, sites: { state: true } };

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
  `];

  connectedCallback() {
    super.connectedCallback();
    this.reload();
  }

  async load() {
    const [{ devices }, { sites }] = await Promise.all([get("devices"), get("sites")]);
    const sorted = devices.toSorted((one, other) => order.indexOf(one.state) - order.indexOf(other.state));
    return () => { Object.assign(this, { devices: sorted, sites }); };
  }

  /** The zone of the site where the device stands. */
  zoneFor({ point }) {
    const site = this.sites.find(({ points }) => points.some((one) => one.point === point));
    return zoneOf(this.sites, site?.site);
  }

  renderState({ state, alerts, unheard_since: since }, zone) {
    const all = alerts.length > 0 ? alerts : [state];
    return html`${all.map((name) => html`<div class=${name}><b aria-hidden="true">${signs[name]}</b> ${named("device", name)}</div>`)}
      ${since ? html`<div class="note">${t("devices.since", { when: formatWhen(since, zone) })}</div>` : nothing}`;
  }

  renderClock({ offset_ms: offset, uncertainty_ms: unsure, measured_at: measured }, zone) {
    if (!measured) return t("devices.unmeasured");
    return html`${t("devices.offset", { seconds: formatNumber(offset / 1000, 1), unsure: formatNumber(unsure / 1000, 1) })}
      <div class="note">${formatWhen(measured, zone)}</div>`;
  }

  renderRow(device) {
    const zone = this.zoneFor(device);
    return html`
      <tr>
        <td><b>${device.device}</b><div class="note">${device.point ?? t("devices.unpaired")}</div></td>
        <td>${this.renderState(device, zone)}</td>
        <td class="num">${whenOrDash(device.last_event_at, zone)}</td>
        <td class="num">${whenOrDash(device.last_arrival_at, zone)}</td>
        <td class="num">${this.renderClock(device, zone)}</td>
        <td class="num number">${formatNumber(device.missing)}${device.first_missing ? html`<div class="note">${t("devices.first", { id: device.first_missing })}</div>` : nothing}</td>
      </tr>`;
  }

  render() {
    if (this.problem) return this.renderProblem();
    if (!this.devices) return html`<div class="skeleton wait"></div>`;
    if (this.devices.length === 0) return html`<okno-notice .heading=${t("devices.empty")} .text=${t("devices.empty_next")}></okno-notice>`;
    const head = ["device", "state", "event", "arrival", "clock", "missing"];
    return html`
      <h1>${t("nav.devices")}</h1>
      <div class="card scroll"><table>
        <thead><tr>${head.map((name) => html`<th scope="col">${t(`devices.${name}`)}</th>`)}</tr></thead>
        <tbody>${this.devices.map((device) => this.renderRow(device))}</tbody>
      </table></div>`;
  }
}

const whenOrDash = (at, zone) => (at ? formatWhen(at, zone) : "–");

customElements.define("okno-devices", OknoDevices);
