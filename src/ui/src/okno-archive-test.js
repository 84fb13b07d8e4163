// A try of an archive: what it recorded of a channel lately, or why it did not answer.
import { css, html, nothing } from "lit";
import { OknoElement } from "./element.js";
import { post } from "./api.js";
import { errorText } from "./errors.js";
import { formatNumber, formatShare } from "./format.js";
import { t } from "./i18n.js";
import { isKnown, translated } from "./service-words.js";
import { formatWhen } from "./time.js";

const browserZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

class OknoArchiveTest extends OknoElement {
  static properties = { body: { attribute: false }, channel: {}, result: { state: true }, trouble: { state: true }, trying: { state: true } };

  static styles = [OknoElement.styles, css`
    :host { display: inline-block; }
    p { margin: .25rem 0 0; font-size: .75rem; overflow-wrap: anywhere; max-width: 40rem; }
    .ok { color: var(--valid); } .warn { color: var(--amber); } .bad { color: var(--invalid); }
  `];

  /** Try what `body` says now: a row that is not stored yet, or one that stands. */
  async run() {
    Object.assign(this, { trying: true, result: null, trouble: "" });
    try {
      this.result = await post("archives/test", { ...this.body(), channel: this.channel });
      this.emit("archive-tried");
    } catch (error) {
      this.trouble = errorText(error);
    } finally {
      this.trying = false;
    }
  }

  renderResult() {
    const { code, message, recordings: n, from, to, covered_s: covered, looked_s: looked, days, ahead_s: ahead } = this.result;
    if (code) return html`<p class="bad"><b aria-hidden="true">!</b> ${t("test.failed", { why: t(`code.${code}`) })} <span lang=${isKnown(message) ? nothing : "en"}>${translated(message)}</span></p>`;
    if (ahead > 0) return html`<p class="warn num"><b aria-hidden="true">?</b> ${t("test.ahead", { minutes: formatNumber(Math.floor(ahead / 60)) })}</p>`;
    if (n === 0) return html`<p class="warn"><b aria-hidden="true">?</b> ${t("test.nothing", { n: days })} <span lang=${isKnown(message) ? nothing : "en"}>${translated(message)}</span></p>`;
    const found = { n: formatNumber(n), from: formatWhen(from, browserZone), to: formatWhen(to, browserZone) };
    if (looked > 0) Object.assign(found, { minutes: formatNumber(looked / 60, 1), share: formatShare(covered / looked) });
    return html`<p class="ok num"><b aria-hidden="true">✓</b> ${t(looked > 0 ? "test.found" : "test.listed", found)}</p>`;
  }

  render() {
    return html`<button type="button" ?disabled=${this.trying || !this.channel} @click=${this.run}>${t(this.trying ? "test.running" : "test.run")}</button>
      <div role="status">${this.result ? this.renderResult() : nothing}${this.trouble ? html`<p class="bad">${this.trouble}</p>` : nothing}</div>`;
  }
}
customElements.define("okno-archive-test", OknoArchiveTest);
