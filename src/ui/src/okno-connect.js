// Making a tablet a device: choose what it is, then show its link and code until they are used or too old.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { get, post, serviceNow } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";
import { formatLeft } from "./time.js";

const lookMs = 3000;

class OknoConnect extends OknoElement {
  // panel: {device, point, role, label} to begin with
  static properties = { sites: { attribute: false }, panel: { attribute: false }, invited: { state: true }, problem: { state: true }, used: { state: true }, left: { state: true } };

  static styles = [OknoElement.styles, css`
    .card { padding: 1rem; display: grid; gap: .75rem; }
    form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    .shown { display: grid; grid-template-columns: minmax(9rem, 14rem) minmax(0, 1fr); gap: 1rem 1.5rem; align-items: center; }
    .shown svg { width: 100%; background: #fff; border-radius: .25rem; }
    .code { font-size: 1.75rem; font-weight: 650; letter-spacing: .06em; font-variant-numeric: tabular-nums; user-select: all; }
    .link { overflow-wrap: anywhere; font-size: .8125rem; user-select: all; }
    .problem { color: var(--invalid); } .used { color: var(--valid); font-weight: 600; }
    @media (max-width: 36rem) { .shown { grid-template-columns: minmax(0, 1fr); } .shown svg { max-width: 14rem; } .code { font-size: 1.25rem; } }
  `];

  constructor() {
    super();
    this.problem = "";
    this.used = false;
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  async invite(event) {
    event.preventDefault();
    const { device, point, role } = event.target.elements;
    try {
      const before = await this.tokens(device.value);
      this.invited = await post("panels", { device: device.value.trim(), point: point.value, role: role.value, label: this.panel.label ?? "" });
      this.problem = "";
      this.used = false;
      this.watch(before);
    } catch (error) {
      this.problem = errorText(error);
    }
  }

  async tokens(device) {
    const { panels } = await get("panels");
    return panels.find((one) => one.device === device)?.tokens ?? 0;
  }

  watch(before) {
    clearInterval(this.timer);
    const look = async () => {
      this.left = Date.parse(this.invited.expires_at) - serviceNow();
      this.used = (await this.tokens(this.invited.device).catch(() => before)) > before;
      if (this.used || this.left <= 0) clearInterval(this.timer);
    };
    this.timer = setInterval(look, lookMs);
    look();
  }

  renderForm() {
    const { device = "", point = "", role = "both" } = this.panel;
    const option = (id, text, chosen) => html`<option value=${id} ?selected=${id === chosen}>${text}</option>`;
    return html`<form @submit=${this.invite}>
      <label>${t("devices.device")}<input name="device" required maxlength="64" pattern="[A-Za-z0-9_\\-]+" .value=${device} placeholder="T1" autocomplete="off"></label>
      <label>${t("filter.point")}<select name="point">${this.sites.flatMap(({ name, points }) => points.map((one) => option(one.point, `${name}, ${one.name}`, point)))}</select></label>
      <label>${t("panel.role")}<select name="role">${["both", "panel", "button"].map((id) => option(id, t(`panel.role_${id}`), role))}</select></label>
      <button class="primary">${t("panel.make")}</button></form>`;
  }

  renderInvited() {
    const { qr, code, url } = this.invited;
    if (this.used) return html`<p class="used">✓ ${t("panel.connected", { device: this.invited.device })}</p>`;
    if (this.left <= 0) return html`<p class="problem">${t("panel.expired")}</p>`;
    return html`<div class="shown">
      ${qr ? html`<svg viewBox=${`0 0 ${qr.size} ${qr.size}`} shape-rendering="crispEdges" role="img" aria-label="QR"><path d=${qr.path} fill="#000"></path></svg>` : html`<span></span>`}
      <div><p>${t("panel.scan")}</p><p class="code">${code}</p><p class="link muted">${url}</p><p class="muted num">${t("panel.left", { left: formatLeft(this.left ?? 900000) })}</p></div></div>`;
  }

  render() {
    return html`<section class="card"><h2>${t("panel.add")}</h2>
      ${this.renderForm()}
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      ${this.invited ? this.renderInvited() : nothing}
      <div><button @click=${() => this.emit("connect-close")}>${t("panel.close")}</button></div></section>`;
  }
}
customElements.define("okno-connect", OknoConnect);
