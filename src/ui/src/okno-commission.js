// The frame of a clip that shows its press: what the camera's clock is off by, and that somebody has seen it.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { t } from "./i18n.js";

class OknoCommission extends OknoElement {
  static properties = { id: {}, frame: { attribute: false }, open: { state: true }, done: { state: true }, problem: { state: true }, busy: { state: true } };

  static styles = [OknoElement.styles, css`
    form { display: grid; gap: .5rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    .row { display: flex; flex-wrap: wrap; gap: .5rem; }
    .problem { color: var(--invalid); }
    .note { font-size: .75rem; color: var(--muted); }
  `];

  willUpdate(changed) {
    if (changed.has("id")) this.open = this.done = null;
  }

  async tell(event) {
    event.preventDefault();
    const frame = this.frame();
    this.busy = true;
    this.problem = "";
    try {
      this.done = await post(`surveys/${encodeURIComponent(this.id)}/commission`,
        { frame_at: frame, rights: new FormData(event.target).get("rights").trim() });
      this.open = false;
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  render() {
    if (this.done) return html`<p role="status">✓ ${t("commission.done", { error: formatNumber(this.done.error_ms / 1000, 2), offset: formatNumber(this.done.offset_ms / 1000, 2), unsure: formatNumber(this.done.uncertainty_ms / 1000, 2) })}</p>`;
    if (!this.open) return html`<button @click=${() => { this.open = true; }}>${t("commission.begin")}</button>`;
    return html`<form @submit=${this.tell}><p class="note">${t("commission.how")}</p>
      <label>${t("commission.rights")}<input name="rights" required maxlength="1000" autocomplete="off"></label>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${t("commission.tell")}</button>
        <button type="button" @click=${() => { this.open = false; }}>${t("attribution.cancel")}</button></div></form>`;
  }
}
customElements.define("okno-commission", OknoCommission);
