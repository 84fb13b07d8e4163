// Closing a pay period: which days, once more what that means, and then for good.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { addDays, formatDay, localDate } from "./time.js";
import { zoneOf } from "./filters.js";
import { t } from "./i18n.js";

class OknoPeriodClose extends OknoElement {
  static properties = {
    sites: { attribute: false }, limited: { attribute: false }, after: { attribute: false }, asking: { state: true }, values: { state: true },
    problem: { state: true }, reviews: { state: true }, busy: { state: true },
  };

  static styles = [OknoElement.styles, css`
    form { padding: 1rem; display: grid; gap: .75rem; }
    .fields, .row { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    .wide { flex: 1 1 20rem; }
    .problem { color: var(--invalid); }
  `];

  constructor() {
    super();
    this.values = {};
  }

  /** The month after the last closed period, else the last month. */
  get suggestion() {
    const zone = zoneOf(this.sites, this.values.site);
    const last = (this.after ?? []).filter(({ site }) => !site || !this.values.site || site === this.values.site).map(({ to }) => to).sort().at(-1);
    const today = localDate(Date.now(), zone);
    const from = last ? localDate(last, zone) : `${addDays(`${today.slice(0, 7)}-01`, -1).slice(0, 7)}-01`;
    const next = addDays(`${from.slice(0, 7)}-28`, 4).slice(0, 7);
    return { from, to: addDays(`${next}-01`, -1) };
  }

  get request() {
    const { from, to, site, accept } = { ...this.suggestion, ...(this.limited ? { site: this.sites[0]?.site } : {}), ...this.values };
    return { from, to, site: site || null, accept: accept?.trim() || null };
  }

  change(event) {
    this.values = { ...this.values, [event.target.name]: event.target.value };
    this.asking = false;
  }

  async submit(event) {
    event.preventDefault();
    this.problem = "";
    if (!this.asking) {
      this.asking = true;
      return;
    }
    this.busy = true;
    try {
      const { period } = await post("periods", this.request);
      Object.assign(this, { values: {}, reviews: false });
      this.emit("period-closed", period);
    } catch (error) {
      this.reviews ||= error.code === "refused" && /wait for review/.test(error.message);
      this.problem = errorText(error);
    }
    Object.assign(this, { busy: false, asking: false });
  }

  render() {
    const { from, to, site } = this.request;
    const name = this.sites.find((one) => one.site === site)?.name ?? t("pay.all_sites");
    return html`<form class="card" @submit=${this.submit}>
      <h2>${t("pay.close_title")}</h2>
      <div class="fields">
        <label>${t("filter.from")}<input type="date" name="from" required .value=${from} @change=${this.change}></label>
        <label>${t("filter.to")}<input type="date" name="to" required .value=${to} @change=${this.change}></label>
        <label>${t("filter.site")}<select name="site" @change=${this.change}>${this.limited ? nothing : html`<option value="">${t("pay.all_sites")}</option>`}
          ${this.sites.map((one) => html`<option value=${one.site} ?selected=${one.site === site}>${one.name}</option>`)}</select></label>
        ${this.reviews ? html`<label class="wide">${t("pay.accept")}<input name="accept" maxlength="1000" autocomplete="off" @change=${this.change}></label>` : nothing}
      </div>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      ${this.asking ? html`<p role="status">${t("pay.sure", { from: formatDay(`${from}T12:00:00Z`, "UTC"), to: formatDay(`${to}T12:00:00Z`, "UTC"), site: name })}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${this.asking ? t("pay.close_now") : t("pay.close")}</button>
        ${this.asking ? html`<button type="button" @click=${() => { this.asking = false; }}>${t("attribution.cancel")}</button>` : nothing}</div>
    </form>`;
  }
}
customElements.define("okno-period-close", OknoPeriodClose);
