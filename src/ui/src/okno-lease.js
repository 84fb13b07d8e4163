// How long an item is still ours. Asks for a heartbeat while somebody is there, and says when it ends.
import { css, html } from "lit";
import { OknoElement } from "./element.js";
import { t } from "./i18n.js";
import { formatLeft } from "./time.js";
import { serviceNow } from "./api.js";

const beatEveryMs = 30000;
const warnBelowMs = 60000;

class OknoLease extends OknoElement {
  static properties = { until: {}, awake: { attribute: false }, left: { state: true } };

  static styles = [OknoElement.styles, css`
    .ending { color: var(--amber); font-weight: 600; }
  `];

  connectedCallback() {
    super.connectedCallback();
    this.lastBeat = performance.now();
    this.timer = setInterval(() => this.tick(), 1000);
    this.tick();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    super.disconnectedCallback();
  }

  willUpdate(changed) {
    if (!changed.has("until")) return;
    this.ended = false;
    this.left = Date.parse(this.until) - serviceNow();
  }

  tick() {
    if (!this.until) return;
    this.left = Date.parse(this.until) - serviceNow();
    const due = performance.now() - this.lastBeat >= beatEveryMs;
    if (this.left > 0 && due && this.awake?.()) this.beat("lease-beat");
    if (this.left <= 0 && !this.ended) {
      this.ended = true;
      this.beat("lease-ended");
    }
  }

  beat(name) {
    this.lastBeat = performance.now();
    this.emit(name);
  }

  render() {
    const ending = this.left < warnBelowMs;
    return html`<span class="num nowrap ${ending ? "ending" : "muted"}" role="timer">${
      t(ending ? "review.lease_ending" : "review.lease", { left: formatLeft(this.left) })}</span>`;
  }
}
customElements.define("okno-lease", OknoLease);
