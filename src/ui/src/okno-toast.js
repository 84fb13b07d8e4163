// One short message at the foot of the page, with at most one action. It leaves by itself.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";
import { signs } from "./okno-verdict.js";

const stayMs = 6000;

class OknoToast extends OknoElement {
  static properties = { message: { attribute: false } };

  static styles = [OknoElement.styles, css`
    :host { position: fixed; left: 0; right: 0; bottom: 1rem; z-index: 5; pointer-events: none; display: grid; justify-items: center; }
    .toast {
      pointer-events: auto; display: flex; align-items: center; gap: .75rem; padding: .5rem .5rem .5rem 1rem; margin: 0 1rem;
      background: var(--surface); border: 1px solid var(--line); border-radius: .5rem; box-shadow: var(--shadow);
    }
    .valid { color: var(--valid); } .invalid { color: var(--invalid); } .undeterminable, .amber { color: var(--amber); }
    @media (max-width: 56rem) { :host { bottom: 4.75rem; } }
    .sign { font-weight: 700; margin-right: .5rem; }
  `];

  willUpdate(changed) {
    if (!changed.has("message") || !this.message) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.message = null; }, stayMs);
  }

  act() {
    const { run } = this.message;
    this.message = null;
    run();
  }

  render() {
    const one = this.message;
    return html`<div role="status" aria-live="polite">${one ? html`
      <div class="toast">
        <span class=${one.tone ?? ""}>${signs[one.tone] ? html`<span class="sign" aria-hidden="true">${signs[one.tone]}</span>` : nothing}${one.text}</span>
        ${one.run ? html`<button @click=${this.act}>${one.action} <kbd>${one.key}</kbd></button>` : nothing}
        <button class="quiet" aria-label=${t("toast.close")} @click=${() => { this.message = null; }}>✕</button>
      </div>` : nothing}</div>`;
  }
}
customElements.define("okno-toast", OknoToast);
