// Ask for a look at a survey, outside every sample.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";

class OknoTarget extends OknoElement {
  static properties = { id: {}, open: { state: true }, done: { state: true }, problem: { state: true }, busy: { state: true } };

  static styles = [OknoElement.styles, css`
    form { display: grid; gap: .5rem; }
    label { display: grid; gap: .125rem; font-size: .75rem; }
    .row { display: flex; gap: .5rem; }
    .problem { color: var(--invalid); }
  `];

  willUpdate(changed) {
    if (changed.has("id")) this.open = this.done = false;
  }

  async ask(event) {
    event.preventDefault();
    this.busy = true;
    this.problem = "";
    try {
      await post(`surveys/${encodeURIComponent(this.id)}/target`, { reason: new FormData(event.target).get("reason").trim() });
      Object.assign(this, { open: false, done: true });
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  render() {
    if (this.done) return html`<p role="status">✓ ${t("target.done")}</p>`;
    if (!this.open) return html`<button @click=${() => { this.open = true; }}>${t("target.ask")}</button>`;
    return html`<form @submit=${this.ask}><label>${t("attribution.reason")}<input name="reason" required maxlength="1000" autocomplete="off"></label>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${t("target.ask")}</button>
        <button type="button" @click=${() => { this.open = false; }}>${t("attribution.cancel")}</button></div></form>`;
  }
}
customElements.define("okno-target", OknoTarget);
