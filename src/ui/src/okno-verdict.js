// A verdict as sign, word and colour: never the colour alone.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { named } from "./i18n.js";

export const signs = { valid: "✓", invalid: "✕", undeterminable: "?", unreviewed: "·", voided: "–" };

class OknoVerdict extends OknoElement {
  static properties = { verdict: {}, reason: {} };

  static styles = [OknoElement.styles, css`
    :host { display: inline-flex; }
    .chip { display: inline-flex; gap: .375rem; padding: 0 .5rem; border-radius: .25rem; white-space: nowrap; }
    .sign { font-weight: 700; }
    .valid { color: var(--valid); background: var(--valid-soft); }
    .invalid { color: var(--invalid); background: var(--invalid-soft); }
    .undeterminable { color: var(--amber); background: var(--amber-soft); }
    .unreviewed, .voided { color: var(--muted); padding-left: 0; }
  `];

  render() {
    return html`<span class="chip ${this.verdict}" title=${this.reason ?? ""}>
      <span class="sign" aria-hidden="true">${signs[this.verdict] ?? "·"}</span>${named("verdict", this.verdict)}</span>`;
  }
}
customElements.define("okno-verdict", OknoVerdict);
