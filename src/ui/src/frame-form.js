// A form about the frame that the player shows: what one says of it is sent with the frame's time. Whose form it is
// says what is sent and what its words are.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { t } from "./i18n.js";

export class FrameForm extends OknoElement {
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
    const said = { frame_at: this.frame(), [this.field]: new FormData(event.target).get(this.field).trim() };
    this.busy = true;
    this.problem = "";
    try {
      this.done = await post(`surveys/${encodeURIComponent(this.id)}/${this.noun}`, said);
      this.open = false;
    } catch (error) {
      this.problem = errorText(error);
    }
    this.busy = false;
  }

  render() {
    if (this.done) return html`<p role="status">✓ ${this.result(this.done)}</p>`;
    if (!this.open) return html`<button @click=${() => { this.open = true; }}>${t(`${this.noun}.begin`)}</button>`;
    return html`<form @submit=${this.tell}><p class="note">${t(`${this.noun}.how`)}</p>
      <label>${t(`${this.noun}.${this.field}`)}<input name=${this.field} required maxlength=${this.most} placeholder=${this.example} autocomplete="off"></label>
      ${this.problem ? html`<p class="problem" role="alert">${this.problem}</p>` : nothing}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${t(`${this.noun}.tell`)}</button>
        <button type="button" @click=${() => { this.open = false; }}>${t("attribution.cancel")}</button></div></form>`;
  }
}
