// What the clock in the picture shows at the frame in view: it may differ from the recorder's index by minutes.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber } from "./format.js";
import { t } from "./i18n.js";

class OknoOverlay extends OknoElement {
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
      this.done = await post(`surveys/${encodeURIComponent(this.id)}/overlay`,
        { frame_at: frame, shows: new FormData(event.target).get("shows").trim() });
      this.open = false;
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  render() {
    if (this.done) return html`<p role="status">✓ ${t("overlay.done", { offset: formatNumber(this.done.overlay_minus_index_ms / 1000, 1), unsure: formatNumber(this.done.uncertainty_ms / 1000, 1) })}</p>`;
    if (!this.open) return html`<button @click=${() => { this.open = true; }}>${t("overlay.begin")}</button>`;
    return html`<form @submit=${this.tell}><p class="note">${t("overlay.how")}</p>
      <label>${t("overlay.shows")}<input name="shows" required maxlength="40" placeholder="2026-03-10 12:03:07" autocomplete="off"></label>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${t("overlay.tell")}</button>
        <button type="button" @click=${() => { this.open = false; }}>${t("attribution.cancel")}</button></div></form>`;
  }
}
customElements.define("okno-overlay", OknoOverlay);
